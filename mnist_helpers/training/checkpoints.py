"""Checkpoints of a run: the last five epochs and the best one, each on disk whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mnist_helpers.files import remove_partials, write_atomically

FOLDER = "checkpoints"  # in a run's output folder
KEEP = 5
BEST = "best_model.pth"


class CheckpointError(RuntimeError):
    """Checkpoints that cannot be continued from; the message says which and what to do."""


def save_checkpoint(folder: Path, state: Mapping[str, Any], is_best: bool) -> None:
    """Write `state` (with its `epoch`) as `epoch_NN.pth`, before it as `best_model.pth` if it is, drop older ones.

    The best model goes first: a kill in between leaves the epoch undone, and doing it again writes the same best.
    """
    if is_best:
        write_atomically(folder / BEST, lambda stream: torch.save(dict(state), stream))
    write_atomically(folder / f"epoch_{state['epoch']:02d}.pth", lambda stream: torch.save(dict(state), stream))
    for old in epoch_files(folder)[:-KEEP]:
        old.unlink()


def epoch_files(folder: Path) -> list[Path]:
    """Return the epoch checkpoints in `folder`, oldest first."""
    return sorted(folder.glob("epoch_[0-9][0-9].pth"))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's state, on the CPU, tensors and plain values alone; CheckpointError: it is not whole."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path.name} in {path.parent} cannot be read as a checkpoint ({type(error).__name__}). "
            "Delete it to continue from the one before, or run without resume."
        ) from error


def latest_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the state of the last finished epoch, or None when there is none."""
    files = epoch_files(folder)
    return load_checkpoint(files[-1]) if files else None


def start_folder(folder: Path, resume: bool) -> None:
    """Make `folder`, kept as it is to resume; otherwise what is in it is moved, to `checkpoints.previous-N`."""
    if not resume and folder.exists() and any(folder.iterdir()):
        number = 1
        while (aside := folder.with_name(f"{folder.name}.previous-{number}")).exists():
            number += 1
        folder.rename(aside)
    folder.mkdir(parents=True, exist_ok=True)
    remove_partials(folder)
