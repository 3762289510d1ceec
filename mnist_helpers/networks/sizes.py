"""Notebook 10's networks by name: the plan at every size, what was tried about it, and what came of that."""

from collections.abc import Callable
from functools import partial

from torch import nn

from mnist_helpers.networks.compact import CompactNet
from mnist_helpers.networks.views import Views

SMALL = {"stem": 8, "before": (8, 8, 12), "after": (12,)}
# large enough to learn slant by itself: setting digits upright gains it nothing on held-out digits
LARGE = {
    "stem": 16,
    "before": (16, 16, 24),
    "after": (24, 24),
    "padded": (False, True),
    "head": "places",
    "upright": False,
}
VIEW = {
    "stem": 12,
    "before": (12, 12, 16),
    "after": (16, 16),
    "padded": (False, True),
    "head": "places",
    "pooling": "blurred",
}


def best() -> Views:
    """Return two networks of half the budget each: one reads digits as written, one sets them upright first."""
    return Views(CompactNet(**VIEW, upright=False), CompactNet(**VIEW, upright=True))


COMPACT: dict[str, Callable[[], nn.Module]] = {
    # a plan for every size
    "compact_574": partial(CompactNet, 4, (4, 4), (4,)),
    "compact_1006": partial(CompactNet, 4, (4, 4, 6), (6,)),
    "compact_1904": partial(CompactNet, 6, (6, 6, 8), (8,)),
    "compact_2930": partial(CompactNet, 8, (8, 8, 8), (12,)),
    "compact_3658": partial(CompactNet, **SMALL),
    "compact_5044": partial(CompactNet, 10, (10, 10, 12), (16,)),
    "compact_7110": partial(CompactNet, 12, (12, 12, 16), (16,)),
    "compact_19546": partial(CompactNet, **LARGE),
    # twice as wide, beyond the budget: to learn from
    "teacher": partial(CompactNet, **LARGE | {"stem": 32, "before": (32, 32, 48), "after": (48, 48)}),
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
    # what came of it
    "tinier": partial(CompactNet, 8, (8, 8, 8), (12,), pooling="blurred"),
    "tiny": partial(CompactNet, 8, (8, 8, 12), (14,), pooling="blurred"),
    "best": best,
}
