"""What is on record of a sweep: its studies, and single runs for as long as their study is not whole.

One sweep at a time writes to it.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from mnist_helpers.files import remove_partials, write_text_atomically
from mnist_helpers.paths import display_path
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.plan import Configuration
from mnist_helpers.sweeps.records import FailedRun, FinishedRun, RunRecord, configuration_key, run_key
from mnist_helpers.sweeps.study import Study, make_study

LOCK_FILE = ".lock"
NAME_LENGTH = 60  # of a study's file, which a file system may limit to 255 bytes


class RecordError(RuntimeError):
    """A folder of records that cannot be used; the message says why and what to do."""


class RunStore:
    """The studies in a folder, one file a configuration, and the records of single runs in another.

    Raises:
        RecordError: a file in a folder is not such a record.
    """

    def __init__(self, studies: Path, running: Path) -> None:
        self._folder, self._running = studies, running
        self._studies: dict[str, tuple[Path, Study]] = {}
        self._finished: dict[str, FinishedRun] = {}
        self._failed: dict[str, FailedRun] = {}
        self._singles: dict[str, Path] = {}
        for path in sorted(studies.glob("*.json")):
            study = _read(path, Study)
            self._studies.setdefault(configuration_key(study.runs[0].config), (path, study))
            self._finished.update({run_key(run.config): run for run in study.runs})
        # a record is known by what it says: its file keeps its name when a new field of RunConfig changes the key
        for path in sorted(running.glob("*.json")):
            self._take(_read(path, RunRecord), path)

    def find(self, config: RunConfig) -> RunRecord | None:
        """Return the record of this configuration and seed, if there is one; the failure of a repeat comes first."""
        key = run_key(config)
        return self._failed.get(key) or self._finished.get(key)

    def finished(self, config: RunConfig) -> list[FinishedRun]:
        """Return every seed that finished with this configuration, in order of seed."""
        key = configuration_key(config)
        found = [run for run in self._finished.values() if configuration_key(run.config) == key]
        return sorted(found, key=lambda run: run.config.seed)

    def write(self, record: RunRecord) -> None:
        """Keep the record of a run, whole or not at all, in place of an older one; a finished run's rest goes."""
        key = run_key(record.config)
        path = self._singles.get(key, self._running / f"{key}.json")
        write_text_atomically(path, record.model_dump_json(indent=1) + "\n")
        self._take(record, path)
        if isinstance(record, FinishedRun):
            for checkpoints in self._running.glob(f"{key}_*"):
                shutil.rmtree(checkpoints, ignore_errors=True)

    def _take(self, record: RunRecord, path: Path) -> None:
        key = run_key(record.config)
        self._singles[key] = path
        if isinstance(record, FailedRun):
            self._failed[key] = record
        else:
            self._finished[key] = record
            self._failed.pop(key, None)

    def settle(self, configuration: Configuration) -> None:
        """Write the study of all seeds that finished, and remove their single files; without such, do nothing.

        A configuration on record under another name stays under that one.
        """
        runs = self.finished(configuration.runs[0])
        singles = [key for key in map(run_key, (run.config for run in runs)) if key in self._singles]
        if not singles:
            return
        key = configuration_key(configuration.runs[0])
        if key in self._studies:
            path, older = self._studies[key]
            name, settings = older.name, older.settings
        else:
            path, name, settings = self._free_path(configuration.name), configuration.name, configuration.settings
        study = make_study(name, settings, runs)
        write_text_atomically(path, study.model_dump_json(indent=1) + "\n")
        self._studies[key] = path, study
        for single in singles:
            self._singles.pop(single).unlink()

    def _free_path(self, name: str) -> Path:
        """Return the file of a new study; an older one there, of other settings, is set aside under its key."""
        path = self._folder / f"{file_name(name)}.json"
        for key, (taken, study) in self._studies.items():
            if taken == path:
                self._studies[key] = path.rename(path.with_stem(f"{path.stem}_{key}")), study
                break
        return path


def file_name(name: str) -> str:
    """Return `name` as that of a file: itself where it can be, otherwise what can stay of it and a hash of it."""
    kept = re.sub(r"[^\w.,=+ -]", "_", name)[:NAME_LENGTH]
    return name if kept == name else f"{kept}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read(path: Path, kind: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        raise RecordError(
            f"{display_path(path)} is not a record of runs ({problem['msg']}); delete it to repeat them"
        ) from error


@contextmanager
def open_store(studies: Path, running: Path) -> Iterator[RunStore]:
    """Make the folders when they are not there, and keep other sweeps out for as long as the context lasts.

    The lock is the operating system's: it ends with the process that holds it, however that dies.

    Raises:
        RecordError: another sweep is at work here, a file is not a record, or a folder cannot be made.
    """
    try:
        for folder in (studies, running):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(running / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout:
        raise RecordError(
            f"another sweep is at work in {display_path(running)}; wait for it, or give this one another name"
        ) from None
    except OSError as error:
        raise RecordError(f"{display_path(running)} cannot be used for records ({error.strerror})") from None
    try:
        remove_partials(studies)
        remove_partials(running)
        yield RunStore(studies, running)
    finally:
        lock.release()
