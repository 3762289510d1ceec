"""MNIST in memory as uint8 tensors, and its split into training, validation and test images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor
from torchvision.datasets.mnist import read_image_file, read_label_file

from mnist_helpers.archives import prepare_raw_folder
from mnist_helpers.paths import resolve

# of all training pixels scaled to [0, 1]; notebook 01 computes them
MEAN, STD = 0.1307, 0.3081


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
        """Return the same images on `device`."""
        return Images(self.pixels.to(device), self.targets.to(device))


@dataclass(frozen=True)
class Split:
    """The three sets of a run. `validation` chooses; `test` is only reported."""

    train: Images
    validation: Images
    test: Images

    def to(self, device: torch.device) -> "Split":
        """Return the same split on `device`."""
        return Split(self.train.to(device), self.validation.to(device), self.test.to(device))


def load_mnist(data_dir: str | Path = "data") -> tuple[Images, Images]:
    """Return MNIST's 60,000 training and 10,000 test images, every file verified by its hash.

    Args:
        data_dir: torchvision's `root`; a relative path is taken from the project's top folder.

    Raises:
        DataError: see `prepare_raw_folder`.
    """
    raw = prepare_raw_folder(resolve(data_dir))
    train, test = (
        Images(
            read_image_file(str(raw / f"{prefix}-images-idx3-ubyte")),
            read_label_file(str(raw / f"{prefix}-labels-idx1-ubyte")),
        )
        for prefix in ("train", "t10k")
    )
    return train, test


def split_indices(targets: Tensor, validation_size: int, train_size: int | None, seed: int) -> tuple[Tensor, Tensor]:
    """Draw disjoint, stratified training and validation indices.

    Args:
        targets: (N,) int64, the labels to stratify by.
        validation_size: images held out, at least one of each class.
        train_size: images to train on; None for all the rest.
        seed: the draw; the same seed gives the same split on every machine.

    Returns:
        Sorted indices (train_size,) and (validation_size,), int64.

    Raises:
        ValueError: fewer images than asked for, or too few to have each class in both parts.
    """
    train, validation = train_test_split(
        np.arange(len(targets)),
        test_size=validation_size,
        train_size=train_size,
        random_state=seed,
        stratify=targets.numpy(),
    )
    return torch.from_numpy(np.sort(train)), torch.from_numpy(np.sort(validation))


def hold_out_last(targets: Tensor, validation_size: int, train_size: int | None, seed: int) -> tuple[Tensor, Tensor]:
    """Return the last images as validation indices, and of those before them as many training ones as asked for.

    The training images lie in the order of their writers (notebook 10): the last ones are by people who wrote next to
    none of the others, like the test images. Arguments, result and errors are those of `split_indices`.
    """
    before = len(targets) - validation_size
    train = torch.arange(before)
    if train_size is not None and train_size != before:
        train, _ = split_indices(targets[:before], before - train_size, train_size, seed)
    return train, torch.arange(before, len(targets))


def load_split(
    data_dir: str | Path, validation_size: int, train_size: int | None, seed: int, held_out: str = "drawn"
) -> Split:
    """Load MNIST and split it: validation images come out of the 60,000, the test set stays whole.

    `held_out` is `drawn` (`split_indices`) or `last` (`hold_out_last`).
    """
    images, test = load_mnist(data_dir)
    choose = hold_out_last if held_out == "last" else split_indices
    train, validation = choose(images.targets, validation_size, train_size, seed)
    return Split(images.take(train), images.take(validation), test)
