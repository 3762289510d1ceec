"""Notebook 13's networks: one plan, from 500 to 20,000 parameters, and what can be changed about it."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from mnist_helpers.data import CLASSES
from mnist_helpers.networks.upright import Upright

PATCHES = 14  # places a side that the first convolution leaves

Block = Literal["plain", "depthwise", "shared", "looped", "residual"]
Head = Literal["average", "places", "dense"]
Pooling = Literal["max", "blurred"]


class Residual(nn.Module):
    """What `body` makes of its inputs, of their shape, added to them (He et al. 2016, https://arxiv.org/abs/1512.03385)."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.body(inputs)


class SqueezeExcite(nn.Module):
    """Weighs channels by what the whole image shows (Hu et al. 2018, https://arxiv.org/abs/1709.01507)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        inner = max(1, channels // reduction)
        self.weigh = nn.Sequential(nn.Linear(channels, inner), nn.ReLU(), nn.Linear(inner, channels), nn.Sigmoid())

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.weigh(inputs.mean((2, 3)))[:, :, None, None]


class CompactNet(nn.Module):
    """A first convolution in steps of two, 3×3 convolutions at its 14×14, a pooling, more of them, a small head.

    Convolutions before the pooling are not padded:
    each takes a pixel off every side, which costs no parameter and saves time.

    Args:
        stem: channels of the first convolution, an even number of at most 32.
        before: channels of the convolutions before the pooling, one number each.
        after: of those behind it.
        padded: the convolutions before and after the pooling that keep the size of their maps.
        head: `average` over the places left, then a dense layer; `places`: an average with learnt weights, a set for
            each channel; `dense`: a dense layer that sees every place.
        block: `plain` convolutions; `depthwise`, a 3×3 window for each channel by itself and then 1×1 across
            channels (Howard et al. 2017, https://arxiv.org/abs/1704.04861); `shared`: convolutions of equal widths
            are one and the same on their side of the pooling, with a BatchNorm each; `looped`: on both sides, and
            none is padded; `residual`: padded ones of equal widths are added to their inputs.
        pooling: `max`, of every two by two places; `blurred`, of every two by two one place apart, then a weighted
            average in steps of two, so that a stroke one pixel further on changes less (Zhang 2019,
            https://arxiv.org/abs/1904.11486).
        squeeze: weigh the channels before the pooling.
        upright: set digits upright and to one size before all that.

    Raises ValueError: the convolutions leave no place, or looped ones are to be padded.
    """

    def __init__(
        self,
        stem: int,
        before: Sequence[int],
        after: Sequence[int],
        padded: tuple[bool, bool] = (False, False),
        head: Head = "average",
        block: Block = "plain",
        pooling: Pooling = "max",
        squeeze: bool = False,
        upright: bool = True,
    ) -> None:
        super().__init__()
        if block == "looped" and any(padded):
            raise ValueError("looped convolutions are the same on both sides of the pooling; allowed: none padded")
        self.upright = Upright() if upright else nn.Identity()
        # 28×28 to 14×14 in overlapping patches; without BatchNorm, since its filters start whitened
        self.stem = nn.Sequential(nn.Conv2d(1, stem, kernel_size=4, stride=2, padding=1), nn.ReLU(inplace=True))
        weigh = [SqueezeExcite(before[-1])] if squeeze else []
        made: dict[tuple[int, int], nn.Module] = {}
        blocks = _blocks(stem, before, padded[0], block, made)
        self.first_block = nn.Sequential(*blocks, *weigh, *pooling_layers(pooling))
        made = made if block == "looped" else {}
        self.second_block = nn.Sequential(*_blocks(before[-1], after, padded[1], block, made))
        channels = (*before, *after)[-1]
        self.classifier = nn.Sequential(*_head(head, channels, _side(len(before), len(after), padded)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        return self.classifier(self.second_block(self.first_block(self.stem(self.upright(inputs)))))


def _side(before: int, after: int, padded: tuple[bool, bool]) -> int:
    """Return the side of the last maps; ValueError when the convolutions leave nothing."""
    side = (PATCHES - 2 * before * (not padded[0])) // 2 - 2 * after * (not padded[1])
    if side < 1:
        raise ValueError(
            f"{before} convolutions before and {after} behind the pooling leave no place of {PATCHES}×{PATCHES}"
        )
    return side


def _blocks(
    in_channels: int, widths: Sequence[int], padded: bool, block: Block, made: dict[tuple[int, int], nn.Module]
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in widths:
        if block not in ("shared", "looped") or (in_channels, width) not in made:
            made[in_channels, width] = _convolution(in_channels, width, padded, depthwise=block == "depthwise")
        group = [made[in_channels, width], nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        as_residual = block == "residual" and padded and width == in_channels
        layers += [Residual(nn.Sequential(*group))] if as_residual else group
        in_channels = width
    return layers


def _convolution(in_channels: int, out_channels: int, padded: bool, depthwise: bool) -> nn.Module:
    if not depthwise:
        return nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=int(padded), bias=False)
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=int(padded), groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
    )


def pooling_layers(pooling: Pooling) -> list[nn.Module]:
    """Return the layers that halve maps of an even side; see `CompactNet`."""
    if pooling == "max":
        return [nn.MaxPool2d(2)]
    # two averages of two are one of three with weights 1, 2, 1
    return [nn.MaxPool2d(2, stride=1), nn.AvgPool2d(2, stride=1, padding=1), nn.AvgPool2d(2)]


def _head(head: Head, channels: int, side: int) -> list[nn.Module]:
    if head == "dense":
        return [nn.Flatten(), nn.Linear(channels * side * side, CLASSES)]
    if head == "places":
        # as many places as weights: one value a channel is left
        places = nn.Conv2d(channels, channels, kernel_size=side, groups=channels, bias=False)
        return [places, nn.Flatten(), nn.Linear(channels, CLASSES)]
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
