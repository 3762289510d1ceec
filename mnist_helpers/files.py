"""Files that are there whole or not at all, whatever moment the process is killed at."""

import glob
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from mnist_helpers.paths import display_path

PARTIAL_SUFFIX = ".partial"
FOREIGN_SECONDS = 86_400  # after which a partial file of another machine on a shared disk is taken for left behind

Content = bytes | Callable[[IO[bytes]], object]
"""The bytes of a file, or what writes them to a stream."""


class WriteError(OSError):
    """A file that cannot be written; the message says which, why, and that what was there before is as it was."""

    def __str__(self) -> str:
        return str(self.strerror)


def write_atomically(path: Path, content: Content) -> None:
    """Write a file so that `path` holds the old content or the new, never a part; errors as `write_together`."""
    write_together({path: content})


def write_together(files: Mapping[Path, Content]) -> None:
    """Write files that belong together: each holds the old content or the new, and none is new before all are whole.

    The bytes go to `<name>.<machine>.<pid>.partial` beside each, reach the disk (fsync), and take the names one after
    the other (`os.replace`, atomic within a POSIX file system). The folders are synced too, so the names survive a
    power cut, except where a system opens no folder (Windows) or a file system syncs none; the files are whole there
    too. What dead processes left of the same files goes. Raises WriteError: a folder is missing, full or not
    writable; then every file is as it was, unless a name could not be taken after another had been.
    """
    partials = {path: path.with_name(f"{path.name}.{_machine()}.{os.getpid()}{PARTIAL_SUFFIX}") for path in files}
    path = None
    try:
        for path, partial in partials.items():
            remove_partials(path.parent, path.name)
            _write(partial, files[path])
        for path, partial in partials.items():
            os.replace(partial, path)
    except BaseException as error:
        written = sum(partial.stat().st_size for partial in partials.values() if partial.exists())
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, WriteError):
            raise WriteError(error.errno, _why(path, files[path], error, written)) from error
        raise
    for folder in {path.parent for path in files}:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def write_text_atomically(path: Path, text: str) -> None:
    """Write `text` as UTF-8 in the manner of `write_atomically`."""
    write_atomically(path, text.encode())


def remove_partials(folder: Path, name: str = "*") -> None:
    """Delete what killed processes left of files of this `name` in `folder`; what a living one is writing stays."""
    pattern = name if name == "*" else glob.escape(name)
    for partial in folder.glob(f"{pattern}.*{PARTIAL_SUFFIX}"):
        with suppress(OSError):  # read only, or gone already
            if _is_left_behind(partial):
                partial.unlink(missing_ok=True)


def is_alive(pid: int, since: float) -> bool:
    """Say whether the process of this machine that had the number `pid` at the time `since` is still there.

    `since` is in seconds since 1970; the numbers of processes are given again.
    """
    try:
        return psutil.Process(pid).create_time() < since + 1
    except psutil.Error:
        return False


def _is_left_behind(partial: Path) -> bool:
    *_, machine, pid, _ = partial.name.split(".")
    written = partial.stat().st_mtime
    if machine != _machine():
        return time.time() - written > FOREIGN_SECONDS
    return pid.isdecimal() and not is_alive(int(pid), written)


def _machine() -> str:
    return re.sub(r"[^\w-]", "_", platform.node())[:30] or "_"


def _write(path: Path, content: Content) -> None:
    with path.open("wb") as stream:
        if isinstance(content, bytes):
            stream.write(content)
        else:
            content(stream)
        stream.flush()
        os.fsync(stream.fileno())


def _why(path: Path, content: Content, error: OSError, written: int) -> str:
    needed = f"{len(content):,} bytes are needed" if isinstance(content, bytes) else f"{written:,} bytes were written"
    space = ""
    with suppress(OSError):
        space = f" ({needed}, {shutil.disk_usage(path.parent).free:,} are free)"
    reason = f"{os.strerror(error.errno)}{space}"
    return f"{display_path(path)} cannot be written: {reason}; what was there before is as it was"
