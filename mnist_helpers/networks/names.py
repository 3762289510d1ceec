"""The course's networks by name; the baseline is written here, notebook 13's plan is filled in."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from mnist_helpers.data import CLASSES
from mnist_helpers.networks.compact import CompactNet
from mnist_helpers.networks.fast import FastNet
from mnist_helpers.networks.final import FinalNet
from mnist_helpers.networks.looped import LoopedNet
from mnist_helpers.networks.views import Views

PARAMETER_BUDGET = 20_000


class BaselineNet(nn.Module):
    """The network of pytorch/examples' `mnist/main.py`: 1,199,882 parameters, nearly all in its first dense layer.

    The original ends in a log-softmax, which the loss does here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, CLASSES)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        return self.classifier(self.features(inputs))


SMALL = {"stem": 8, "before": (8, 8, 12), "after": (12,)}
LARGE = {"stem": 16, "before": (16, 16, 24), "after": (24, 24), "padded": (False, True), "head": "places"}
VIEW = LARGE | {"stem": 12, "before": (12, 12, 16), "after": (16, 16), "pooling": "blurred"}


def best() -> Views:
    """Return two networks of half the budget each: one reads digits as written, one sets them upright first."""
    return Views(CompactNet(**VIEW, upright=False), CompactNet(**VIEW, upright=True))


def looped(width: int) -> dict[str, Any]:
    """Return the plan whose convolutions of 3×3 are one and the same, a BatchNorm behind each."""
    before = (width, width, width)
    return {"stem": width, "before": before, "after": (width,), "block": "looped", "pooling": "blurred"}


def looped_views() -> Views:
    """Return two looped networks, side by side as in `best`."""
    plan = looped(30) | {"head": "places"}
    return Views(CompactNet(**plan, upright=False), CompactNet(**plan, upright=True))


# patterns that nothing learns, and one convolution
LOOPED: dict[str, Callable[[], nn.Module]] = {
    "looped_901": partial(LoopedNet, 9),
    "looped_973": partial(LoopedNet, 9, after=5),
    "looped_980": partial(LoopedNet, 10, named=True),
    "looped_1869": partial(LoopedNet, 13, after=5),
    "looped_2425": partial(LoopedNet, 15, after=5),
}
COMPACT: dict[str, Callable[[], nn.Module]] = {
    # a plan for every size
    "compact_574": partial(CompactNet, 4, (4, 4), (4,)),
    "compact_1006": partial(CompactNet, 4, (4, 4, 6), (6,)),
    "compact_1904": partial(CompactNet, 6, (6, 6, 8), (8,)),
    "compact_2930": partial(CompactNet, 8, (8, 8, 8), (12,)),
    "compact_3658": partial(CompactNet, **SMALL),
    "compact_5044": partial(CompactNet, 10, (10, 10, 12), (16,)),
    "compact_7110": partial(CompactNet, 12, (12, 12, 16), (16,)),
    # large enough to learn slant by itself: setting digits upright gains it nothing on held-out digits
    "compact_19546": partial(CompactNet, **LARGE, upright=False),
    # twice as wide, beyond the budget: to learn from
    "teacher": partial(CompactNet, 32, (32, 32, 48), (48, 48), (False, True), head="places", upright=False),
    # what was tried: one change to `compact_3658`, at about its size
    "compact_slanted": partial(CompactNet, **SMALL, upright=False),
    "compact_wide": partial(CompactNet, 12, (12,), (16,)),
    "compact_thin": partial(CompactNet, 8, (8, 8, 8, 8), (14,)),
    "compact_depthwise": partial(CompactNet, 16, (16, 24, 24), (32,), block="depthwise"),
    "compact_shared": partial(CompactNet, 12, (12, 12, 12), (16,), block="shared"),
    "compact_residual": partial(CompactNet, 8, (8, 8, 8), (8, 8), padded=(True, True), block="residual"),
    "compact_squeeze": partial(CompactNet, **SMALL, squeeze=True),
    "compact_blurred": partial(CompactNet, **SMALL, pooling="blurred"),
    "compact_early_pool": partial(CompactNet, 8, (8,), (8, 12, 12), padded=(False, True)),
    "compact_late_pool": partial(CompactNet, 8, (8, 8, 12, 12), ()),
    "compact_padded": partial(CompactNet, **SMALL, padded=(True, False)),
    # padded as an early pooling, and adding to the inputs, need it
    "compact_padded_behind": partial(CompactNet, **SMALL, padded=(False, True)),
    "compact_padded_both": partial(CompactNet, 8, (8, 8, 8), (8, 8), padded=(True, True)),
    "compact_places": partial(CompactNet, **SMALL, head="places"),
    "compact_dense": partial(CompactNet, 8, (8, 8, 10), (12,), head="dense"),
    # one convolution four times over, so that a wide one can be afforded
    **{f"looped_{width}": partial(CompactNet, **looped(width)) for width in (8, 10, 14)},
    "looped_views": looped_views,
    **LOOPED,
    # what came of it
    "tinier": partial(CompactNet, 8, (8, 8, 8), (12,), pooling="blurred"),
    "tiny": partial(CompactNet, 8, (8, 8, 12), (14,), pooling="blurred"),
    "best": best,
}

MODELS: dict[str, Callable[[], nn.Module]] = {
    "final": FinalNet,
    "baseline": BaselineNet,
    "skeleton": partial(FinalNet, batchnorm=False, dropout=(0, 0)),
    "batchnorm": partial(FinalNet, dropout=(0, 0)),
    "fast": FastNet,
    "fast_strided": partial(FastNet, stride=2),
    "sprint": FastNet,
    **COMPACT,
}


def build_model(name: str) -> nn.Module:
    """Return a new network, its weights as torch's global seed has them; KeyError: `MODELS` has no such name."""
    return MODELS[name]()


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters, each once, those that do not learn included."""
    return sum(parameter.numel() for parameter in network.parameters())
