"""One folder, one run: whoever comes second is told who holds it, since when, and what to do."""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_helpers.files import WriteError, remove_partials
from mnist_helpers.paths import display_path

LOCK_FILE = ".lock"
HOLDER_FILE = ".holder"


class FolderInUseError(RuntimeError):
    """Another run is at work in the folder; the message says which process, since when, and what to do."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Make `folder`, keep other runs out of it for as long as the context lasts, and clear what dead ones left.

    The lock is the operating system's: it ends with the process that holds it, however that dies. Raises
    FolderInUseError; WriteError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_FILE).acquire(timeout=0)
    except Timeout:
        raise FolderInUseError(_told(folder)) from None
    except OSError as error:
        raise WriteError(error.errno, f"{display_path(folder)} cannot be written to ({error.strerror})") from error
    with lock:
        remove_partials(folder)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        holder = {"process": os.getpid(), "machine": platform.node(), "since": since}
        (folder / HOLDER_FILE).write_text(json.dumps(holder), encoding="utf-8")
        try:
            yield
        finally:
            with suppress(OSError):
                (folder / HOLDER_FILE).unlink()


def _told(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER_FILE).read_text(encoding="utf-8"))
        who = f"process {holder['process']} on {holder['machine']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = "which has only just begun"
    return (
        f"another run is at work in {display_path(folder)} ({who}); its files were left alone. Wait until it has "
        "ended, end it, or give this run another output_dir"
    )
