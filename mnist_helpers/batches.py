"""An epoch's batches: every image once, in random order, varied anew, on the device where the images are."""

from collections.abc import Iterator

import torch
from torch import Tensor

from mnist_helpers.augment import augment
from mnist_helpers.config import Augmentation
from mnist_helpers.data import Images

VARIED_TOGETHER = 64
"""Batches that a GPU varies at once: it takes as long to start on one as on many. A CPU's caches hold one."""


def epoch_batches(
    images: Images, batch_size: int, augmentation: Augmentation | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs (batch_size, 1, 28, 28) float32 and targets (batch_size,) int64, the last batch with what is left.

    Random numbers come from torch's global generator of the images' device; nothing is read back from it.
    """
    device = images.targets.device
    together = batch_size * (1 if device.type == "cpu" else VARIED_TOGETHER)
    for indices in torch.randperm(len(images), device=device).split(together):
        some = images.take(indices)
        inputs = augment(some.pixels, augmentation)
        yield from zip(inputs.split(batch_size), some.targets.split(batch_size), strict=True)
