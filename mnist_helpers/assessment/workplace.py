"""A submission's code runs elsewhere: in a process and a folder of its own, for a limited time, without test digits.

That stops accidents, not malice: whoever means to can still find the project, or the internet.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import psutil

from mnist_helpers.paths import PACKAGE, PROJECT_ROOT
from mnist_helpers.runs import ConfigError, RunConfig, own_file

TICK_SECONDS = 0.1
START = "from mnist_helpers.assessment.pupil import main; main()"
NEVER = Event()


class Refused(RuntimeError):
    """A submission that cannot be assessed; the message says why, in a line."""


@contextmanager
def workplace(model: str) -> Iterator[Path]:
    """Make for as long as the context lasts a project of the helpers, the training archives and `model`'s file."""
    with TemporaryDirectory() as name:
        folder, file = Path(name), own_file(model)
        shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(PROJECT_ROOT / "data", folder / "data", ignore=_all_but_training_archives)
        if file.is_relative_to(PROJECT_ROOT):
            there = folder / file.relative_to(PROJECT_ROOT)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, there)
        yield folder


def _all_but_training_archives(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("train-") and not (Path(folder) / name).is_dir()]


def check_held_out(config: RunConfig) -> None:
    """Raise ConfigError for held-out digits that a workplace cannot tell from others: those of a writers' fold."""
    if config.held_out == "writers":
        raise ConfigError(
            "held_out='writers' is not allowed in a submission, whose process has the training archives and no list "
            "of writers; allowed: 'drawn', 'last'"
        )


def ask(folder: Path, seconds: float, task: str, stop: Event = NEVER, **given: Any) -> dict[str, Any]:
    """Have a task of `pupil.py` done by a process in `folder` within so many seconds; return its answer.

    What the submission prints goes nowhere, and what comes back is JSON: nothing of its making runs here. Raises
    Refused: the task failed, took too long or was to `stop`, or its process ended without an answer.
    """
    end = time.monotonic() + seconds
    with TemporaryDirectory() as name:
        answer = Path(name) / "answer.json"
        request = json.dumps({"task": task, "answer": str(answer), **given})
        process = subprocess.Popen(
            [sys.executable, "-c", START, request],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,  # its end is ours: the process that waits for it dies with this one
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the one that waits
        )
        try:
            while process.poll() is None and time.monotonic() < end and not stop.is_set():
                time.sleep(TICK_SECONDS)
            ended = process.poll()
        finally:
            _kill(process)
        if answer.exists():
            found = json.loads(answer.read_text(encoding="utf-8"))
            if "error" in found:
                raise Refused(found["error"])
            return found
    if ended is None:
        raise Refused("interrupted" if stop.is_set() else f"stopped, its time of {format_time(seconds)} was over")
    raise Refused(f"its process ended without an answer (exit status {ended})")


def _kill(process: subprocess.Popen) -> None:
    """End a process and all it has started."""
    if process.poll() is None:  # afterwards its number may be another's
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(process.pid).children(recursive=True):
                each.kill()
        process.kill()
    process.stdin.close()
    process.wait()


def format_time(seconds: float) -> str:
    """Return seconds as one would say them, such as `40 seconds` or `3 minutes`."""
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
