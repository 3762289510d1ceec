"""MNIST in memory as uint8 tensors, and its split into training, validation and test images."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from mnist_helpers.data.archives import TRAINING, extracted, prepare_raw_folder
from mnist_helpers.data.images import Images, Split
from mnist_helpers.data.writers import load_writers
from mnist_helpers.paths import resolve


def load_mnist(data_dir: str | Path = "data") -> tuple[Images, Images]:
    """Return MNIST's 60,000 training and 10,000 test images; `data_dir` is torchvision's `root`.

    Raises DataError: see `prepare_raw_folder`, which verifies every file by its hash.
    """
    raw = prepare_raw_folder(resolve(data_dir))
    return _read(raw, "train"), _read(raw, "t10k")


def load_training_images(data_dir: str | Path = "data") -> Images:
    """Return the 60,000 training images of a folder that need not hold the test files; errors as `load_mnist`."""
    return _read(prepare_raw_folder(resolve(data_dir), TRAINING), "train")


def _read(raw: Path, part: str) -> Images:
    # here: torchvision brings torch's compiler with it, seconds that only a reader of files should wait for
    from torchvision.datasets.mnist import read_image_file, read_label_file

    with TemporaryDirectory() as folder:
        images, labels = (
            str(extracted(raw / f"{part}-{kind}-ubyte", Path(folder))) for kind in ("images-idx3", "labels-idx1")
        )
        return Images(read_image_file(images), read_label_file(labels))


def split_indices(targets: Tensor, validation_size: int, train_size: int | None, seed: int) -> tuple[Tensor, Tensor]:
    """Draw disjoint training and validation indices, stratified by `targets` (N,) int64.

    `train_size` None takes all the rest. The same seed gives the same split on every machine. Returns sorted indices
    (train_size,) and (validation_size,), int64. Raises ValueError: too few images for that, or for all classes.
    """
    from sklearn.model_selection import train_test_split  # here: a second, and most commands split nothing

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

    Employees' digits lie in the order of their writers, students' are shuffled over the whole file: no employee among
    the last wrote many of those before, every student did. Arguments, result and errors are `split_indices`'.
    """
    before = len(targets) - validation_size
    train = torch.arange(before)
    if train_size is not None and train_size != before:
        train, _ = split_indices(targets[:before], before - train_size, train_size, seed)
    return train, torch.arange(before, len(targets))


def hold_out_writers(
    targets: Tensor, validation_size: int, train_size: int | None, seed: int, fold: int
) -> tuple[Tensor, Tensor]:
    """Return validation indices by the writers of one fold, and training indices by none of them.

    As it is with the test images: none of their writers wrote a training digit. Arguments, result and errors are
    `split_indices`'; `fold` is one of `load_writers`'.
    """
    folds, _ = load_writers()
    chosen = []
    for members, size in (((folds != fold).nonzero(), train_size), ((folds == fold).nonzero(), validation_size)):
        members = members.squeeze(1)
        if size is not None and size != len(members):
            members = members[split_indices(targets[members], size, None, seed)[1]]
        chosen.append(members)
    return chosen[0], chosen[1]


def load_split(
    data_dir: str | Path,
    validation_size: int,
    train_size: int | None,
    seed: int,
    held_out: str = "drawn",
    fold: int = 0,
    with_test: bool = True,
) -> Split:
    """Load MNIST and split it: validation images come out of the 60,000, the test set stays whole.

    `held_out` is `drawn` (`split_indices`), `last` (`hold_out_last`) or `writers` (`hold_out_writers`, one `fold`).
    Unless `with_test` the split has no test images, and their files are not looked for.
    """
    images, test = load_mnist(data_dir) if with_test else (load_training_images(data_dir), None)
    ways = {"drawn": split_indices, "last": hold_out_last, "writers": partial(hold_out_writers, fold=fold)}
    train, validation = ways[held_out](images.targets, validation_size, train_size, seed)
    return Split(images.take(train), images.take(validation), test)
