"""Digits in memory, and an epoch's batches of them: every image once, in random order, varied anew."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mnist_helpers.data.augmentation import augment
from mnist_helpers.data.ranges import Augmentation

CLASSES = 10
VARIED_TOGETHER = 64  # batches: a GPU takes as long to start on one as on many; a CPU's caches hold one


@dataclass(frozen=True)
class Images:
    """Raw digits and their labels: `pixels` (N, 28, 28) uint8, `targets` (N,) int64."""

    pixels: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, indices: Tensor) -> "Images":
        """Return the images at `indices` (K,) int64, in that order."""
        # copies whole images, where indexing looks every pixel up
        return Images(self.pixels.index_select(0, indices), self.targets.index_select(0, indices))

    def to(self, device: torch.device) -> "Images":
        return Images(self.pixels.to(device), self.targets.to(device))


@dataclass(frozen=True)
class Split:
    """The three sets of a run. `validation` chooses; `test` is only reported, and may be missing."""

    train: Images
    validation: Images
    test: Images | None = None

    def to(self, device: torch.device) -> "Split":
        test = self.test.to(device) if self.test else None
        return Split(self.train.to(device), self.validation.to(device), test)


def epoch_batches(
    images: Images, batch_size: int, augmentation: Augmentation | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs (batch_size, 1, 28, 28) float32 and targets (batch_size,) int64, the last batch with what is left.

    Random numbers come from torch's generator of the images' device; nothing is read back from it.
    """
    device = images.targets.device
    together = batch_size * (1 if device.type == "cpu" else VARIED_TOGETHER)
    for indices in torch.randperm(len(images), device=device).split(together):
        some = images.take(indices)
        inputs = augment(some.pixels, augmentation)
        yield from zip(inputs.split(batch_size), some.targets.split(batch_size), strict=True)
