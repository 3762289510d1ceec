"""Keeps tests from changing the checkout's `outputs`: the records that the project publishes."""

import os
import sys
from pathlib import Path
from typing import Any

from mnist_helpers.paths import PROJECT_ROOT

OUTPUTS = PROJECT_ROOT / "outputs"
# Python's audit events (https://docs.python.org/3/library/audit_events.html): which arguments are paths, and for each
# which is the open folder that a relative one begins in
CHANGES = {
    "os.rename": ((0, 2), (1, 3)), "os.remove": ((0, 1),), "os.rmdir": ((0, 1),), "os.mkdir": ((0, 2),),
    "os.link": ((1, 3),), "os.symlink": ((1, 2),), "os.truncate": ((0, None),), "shutil.rmtree": ((0, None),),
    "shutil.move": ((0, None), (1, None)),
}  # fmt: skip
# a configuration makes this folder where it is told no other, and tries whether files can be written there
OWN = (OUTPUTS / "own", OUTPUTS / "own" / "run")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class WritesIntoOutputs(BaseException):
    """A test is about to change the checkout's records; no `except Exception` keeps it quiet."""


def refuse_writes(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop this process from changing anything in the checkout's `outputs`, whatever function asks for it."""
    if event == "open":
        path, _, flags = arguments
        changed = [(path, None)] if isinstance(flags, int) and flags & WRITES else []
    else:
        places = CHANGES.get(event, ())
        changed = [(arguments[path], None if folder is None else arguments[folder]) for path, folder in places]
    for path, folder in changed:
        if not isinstance(path, str | os.PathLike):
            continue
        full = Path(begins_in(folder), path)
        there = event == "os.mkdir" and full.is_dir()  # of a folder that is there nothing becomes
        tried = event in ("os.mkdir", "open") and (full in OWN or full.parent == OWN[-1])
        if Path(os.path.abspath(full)).is_relative_to(OUTPUTS) and not there and not tried:
            raise WritesIntoOutputs(f"{event} {full}: a test writes into a folder of its own")


def begins_in(folder: int | None) -> str:
    """Return the path of an open folder, by its number; where that is not to be known, one that is not guarded."""
    if folder in (None, -1):
        return os.getcwd()
    try:
        return os.readlink(f"/proc/self/fd/{folder}")
    except OSError:
        return os.path.abspath(os.sep)


sys.addaudithook(refuse_writes)


def snapshot() -> dict[str, tuple[int, int]]:
    """Size and time of every file and folder in the checkout's `outputs`."""
    entries = [path for path in OUTPUTS.rglob("*") if not path.is_relative_to(OUTPUTS / "own")]
    return {str(path): ((state := path.stat()).st_size, state.st_mtime_ns) for path in entries}
