"""Where a run writes, tried before any work: a folder that takes every file of it, with room for them all."""

import errno
import os
import tempfile
from pathlib import Path
from typing import IO

from torch import nn

from mnist_helpers.networks import WEIGHTS_FILE
from mnist_helpers.paths import INSTALLED, PROJECT_ROOT, display_path
from mnist_helpers.records import RESULTS_FILE
from mnist_helpers.runs.checks import ConfigError
from mnist_helpers.training import CHECKPOINTS, KEEP, Settings

NOTEBOOK = "07_final_model.ipynb"
RUN_FIGURES = ("training_curves.png", "seeds.png", "misclassified.png")
PRODUCTS = 1_000_000  # bytes; the published run's results, notebook and figures take 0.4 million
A_TENSOR, A_CHECKPOINT = 500, 20_000  # bytes beside the numbers: names and padding; settings and history
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_output(settings: Settings, network: nn.Module | None, averaged: bool) -> None:
    """Make a run's folder where there is none, and try whether all that the run writes can be written.

    `network` has the size of the one that is trained, None where that is not known. Raises ConfigError: the folder
    is the project itself, or cannot be made or written to; a file in it cannot be replaced; there is no room.
    """
    given, needed = f"output_dir={settings.output_dir!r} is not allowed", 0
    try:
        folder = settings.output_folder()
        if folder == PROJECT_ROOT and not INSTALLED:
            raise ConfigError(f"{given} (it is the project itself); allowed: a folder inside it, or elsewhere")
        given = f"output_dir={display_path(folder)!r} is not allowed"
        folder.mkdir(parents=True, exist_ok=True)
        needed = bytes_written(settings, network, averaged)
        # permission bits say little (root, network file systems), and a full disk still makes empty files: try
        with tempfile.TemporaryFile(dir=folder) as stream:
            _reserve(stream, needed - _already_there(folder, settings))
    except (OSError, RuntimeError) as error:  # a circle of links is the latter
        said = getattr(error, "strerror", None) or error
        if isinstance(error, OSError) and error.errno in FULL:
            raise ConfigError(f"{given} ({said}); allowed: a place with {needed / 1e6:.1f} MB free") from None
        way = "a folder that exists or can be made, and that you can write to"
        raise ConfigError(f"{given} ({said}); allowed: {way}") from None
    for path in [folder / name for name in (RESULTS_FILE, NOTEBOOK, WEIGHTS_FILE, *RUN_FIGURES)]:
        try:
            if path.exists():
                os.close(os.open(path, os.O_WRONLY))  # changes nothing
        except OSError as error:
            way = "a folder in which it can be replaced, or is not there"
            raise ConfigError(f"{given} ({path.name} in it: {error.strerror}); allowed: {way}") from None
    _check_checkpoints(folder / CHECKPOINTS, given)


def bytes_written(settings: Settings, network: nn.Module | None, averaged: bool) -> int:
    """Return how many bytes a run's files take at most, while an old and a new one are both there."""
    tensors = [] if network is None else list(network.state_dict().values())
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    # the weights, what the optimizer remembers of each, and their average
    copies = 1 + (2 if settings.optimizer == "adamw" else 1) + averaged
    checkpoint = copies * (numbers + A_TENSOR * len(tensors)) + A_CHECKPOINT
    return (KEEP + 2) * checkpoint + numbers + PRODUCTS  # the last ones, the best one, the one that is being written


def _already_there(folder: Path, settings: Settings) -> int:
    """Return the bytes of the checkpoints that a resumed run goes on from, and replaces; a fresh one keeps them."""
    found = (folder / CHECKPOINTS).glob("*.pth") if settings.resume else ()
    return sum(path.stat().st_size for path in found)


def _reserve(stream: IO[bytes], size: int) -> None:
    """Take `size` bytes of the disk for a file that is soon gone. Raises OSError: there are not as many."""
    if size <= 0:
        stream.write(b"0")
    elif hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, size)
    else:
        stream.write(bytes(size))
    stream.flush()


def _check_checkpoints(folder: Path, given: str) -> None:
    try:
        if folder.exists():
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        way = "a folder in which they can be written, or are not there"
        raise ConfigError(f"{given} ({folder.name} in it: {error.strerror}); allowed: {way}") from None
