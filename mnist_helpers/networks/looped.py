"""One convolution used again and again: depth that costs next to no parameters. Notebook 13's smallest networks."""

import math
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import CLASSES
from mnist_helpers.networks.upright import Upright

WINDOW = 4  # pixels a side that a pattern of the stem sees


def cosine_patterns(count: int) -> Tensor:
    """Return the first `count` patterns (count, 1, 4, 4) float32: cosines from slow to fast, which nothing learns.

    Those of the discrete cosine transform (Ahmed et al. 1974, https://doi.org/10.1109/T-C.1974.223784), each but the
    mean with either sign, since a ReLU keeps one half. A digit's patches vary the less the faster a pattern is: the
    factor (1 + u)(1 + v) / 3 brings all to about one strength.
    """
    place = torch.arange(WINDOW) + 0.5
    patterns = []
    for u, v in sorted(product(range(WINDOW), repeat=2), key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair)):
        waves = torch.outer(torch.cos(math.pi * u * place / WINDOW), torch.cos(math.pi * v * place / WINDOW))
        pattern = (1 + u) * (1 + v) / 3 * waves / waves.norm()
        patterns += [pattern] if u == v == 0 else [pattern, -pattern]
    return torch.stack(patterns[:count])[:, None]


class LoopedNet(nn.Module):
    """Patterns that nothing learns, one 3×3 convolution used several times, a BatchNorm behind each use.

    Args:
        width: channels everywhere, at most 31, as many as there are `cosine_patterns`.
        before: uses before the pooling, each of which takes a pixel off every side of the 14×14.
        after: uses behind it. A single one takes off a pixel too; more keep the maps' size.
        named: the last use's ten channels are the classes, in place of a dense layer; `width` must be 10.

    Raises ValueError: `named` with another width, or the convolutions leave no place.
    """

    def __init__(self, width: int, before: int = 3, after: int = 1, named: bool = False) -> None:
        super().__init__()
        if named and width != CLASSES:
            raise ValueError(f"width={width} is not allowed where channels are the classes; allowed: {CLASSES}")
        if before > 5:
            raise ValueError(f"before={before} leaves no place of 14×14; allowed: at most 5")
        self.upright = Upright()
        self.register_buffer("patterns", cosine_patterns(width), persistent=False)
        self.convolution = nn.Conv2d(width, width, kernel_size=3, bias=False)
        self.first_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(before))
        self.second_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(after))
        # blurred: one place further on changes less (see `pooling_layers`)
        self.pooling = nn.Sequential(nn.MaxPool2d(2, stride=1), nn.AvgPool2d(2, stride=1, padding=1), nn.AvgPool2d(2))
        self.named = named
        self.classifier = nn.Identity() if named else nn.Linear(width, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        maps = F.relu(F.conv2d(self.upright(inputs), self.patterns, stride=2, padding=1))
        for norm in self.first_norms:
            maps = F.relu(norm(self.convolution(maps)))
        maps = self.pooling(maps)
        keep = int(len(self.second_norms) > 1)
        for number, norm in enumerate(self.second_norms, start=1):
            maps = norm(F.conv2d(maps, self.convolution.weight, padding=keep))
            if not (self.named and number == len(self.second_norms)):
                maps = F.relu(maps)
        return self.classifier(maps.mean((2, 3)))
