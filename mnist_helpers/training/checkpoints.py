"""Checkpoints of a run: the last five epochs and the best one, each on disk whole or not at all, with a digest."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mnist_helpers.files import remove_partials, write_atomically
from mnist_helpers.paths import display_path

FOLDER = "checkpoints"  # in a run's output folder
KEEP = 5
BEST = "best_model.pth"
DIGEST_MARK = b"sha256 "
COMMENT_BYTES = len(DIGEST_MARK) + 64
END_BYTES = 2  # of a zip without a comment: the comment's length, 0


class CheckpointError(RuntimeError):
    """Checkpoints that cannot be continued from; the message says which and what to do."""


def save_checkpoint(folder: Path, state: Mapping[str, Any], is_best: bool) -> None:
    """Write `state` (with its `epoch`) as `epoch_NN.pth`, before it as `best_model.pth` if it is, drop older ones.

    The best model goes first: a kill in between leaves the epoch undone, and doing it again writes the same best.
    Raises WriteError: the disk is full, or the folder gone; what was kept before is as it was.
    """
    data = pack(state)
    if is_best:
        write_atomically(folder / BEST, data)
    write_atomically(folder / f"epoch_{state['epoch']:02d}.pth", data)
    for old in epoch_files(folder)[:-KEEP]:
        old.unlink()


def pack(state: Mapping[str, Any]) -> bytes:
    """Return the bytes of a checkpoint: torch's own file, a zip, with a digest of all of it as the zip's comment."""
    stream = io.BytesIO()
    torch.save(dict(state), stream)
    data = stream.getvalue()[:-END_BYTES] + COMMENT_BYTES.to_bytes(END_BYTES, "little")
    return data + DIGEST_MARK + hashlib.sha256(data).hexdigest().encode()


def epoch_files(folder: Path) -> list[Path]:
    """Return the epoch checkpoints in `folder`, oldest first."""
    return sorted(folder.glob("epoch_[0-9][0-9].pth"))


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's state, on the CPU, tensors and plain values alone.

    Raises CheckpointError: it is not as it was written, or of another epoch than its name says.
    """
    try:
        data = path.read_bytes()
        body, mark = data[:-COMMENT_BYTES], data[-COMMENT_BYTES:]
        if mark != DIGEST_MARK + hashlib.sha256(body).hexdigest().encode():
            raise ValueError("its digest is missing or of other bytes: it was cut short, changed or damaged")
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if path.name not in (BEST, f"epoch_{state['epoch']:02d}.pth"):
            raise ValueError(f"it is of epoch {state['epoch']}")
        return state
    except Exception as error:
        reason = error if isinstance(error, ValueError | OSError) else type(error).__name__
        raise CheckpointError(
            f"{path.name} in {display_path(path.parent)} cannot be read as a checkpoint ({reason}). The others were "
            "left as they are. Delete it to continue from the one before, or run without resume."
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
