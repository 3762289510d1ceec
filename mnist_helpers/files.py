"""Files that are there whole or not at all, whatever moment the process is killed at."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

PARTIAL_SUFFIX = ".partial"


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file through `write(stream)` so that `path` holds the old content or the new, never a part.

    The bytes go to `<name>.<pid>.partial` beside it, reach the disk (fsync), and take the name in one step
    (`os.replace`, atomic within a POSIX file system). The folder is synced too, so the name survives a power cut,
    except where a system opens no folder (Windows) or a file system syncs none; the file is whole there too.
    Raises OSError: the folder is missing, full or not writable; `path` is then as it was.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    try:
        with partial.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_text_atomically(path: Path, text: str) -> None:
    """Write `text` as UTF-8 in the manner of `write_atomically`."""
    write_atomically(path, lambda stream: stream.write(text.encode()))


def remove_partials(folder: Path) -> None:
    """Delete what a killed `write_atomically` left behind in `folder`."""
    for partial in folder.glob(f"*{PARTIAL_SUFFIX}"):
        partial.unlink(missing_ok=True)
