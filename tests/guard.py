"""Keeps tests from changing the checkout's `outputs`: the records that the project publishes."""

import os
import sys
from pathlib import Path
from typing import Any

from mnist_helpers.paths import PROJECT_ROOT

OUTPUTS = PROJECT_ROOT / "outputs"
# Python's audit events (https://docs.python.org/3/library/audit_events.html), and which arguments are paths
CHANGES = {
    "os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
    "shutil.rmtree": 1, "shutil.move": 2,
}  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class WritesIntoOutputs(BaseException):
    """A test is about to change the checkout's records; no `except Exception` keeps it quiet."""


def refuse_writes(event: str, arguments: tuple[Any, ...]) -> None:
    """Stop this process from changing anything in the checkout's `outputs`, whatever function asks for it."""
    if event == "open":
        path, _, flags = arguments
        changed = [path] if isinstance(flags, int) and flags & WRITES else []
    elif event == "os.mkdir" and os.path.isdir(arguments[0]):
        changed = []  # of a folder that is there nothing becomes
    else:
        changed = arguments[: CHANGES.get(event, 0)]
    for path in changed:
        if isinstance(path, str | os.PathLike) and Path(os.path.abspath(path)).is_relative_to(OUTPUTS):
            raise WritesIntoOutputs(f"{event} {path}: a test writes into a folder of its own")


sys.addaudithook(refuse_writes)


def snapshot() -> dict[str, tuple[int, int]]:
    """Size and time of every file and folder in the checkout's `outputs`."""
    entries = [path for path in OUTPUTS.rglob("*") if not path.is_relative_to(OUTPUTS / "own")]
    return {str(path): ((state := path.stat()).st_size, state.st_mtime_ns) for path in entries}
