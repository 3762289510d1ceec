"""What is on record of a sweep: its studies, and single runs for as long as their study is not whole."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mnist_helpers.files import remove_partials
from mnist_helpers.paths import display_path
from mnist_helpers.records import DamagedError, read_record, write_record
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.plan import Configuration, config_key, run_key
from mnist_helpers.sweeps.study import REPEAT, CodeVersion, FailedRun, FinishedRun, RunRecord, Study, make_study

LOCK_FILE = ".lock"
NAME_LENGTH = 60  # of a study's file, which a file system may limit to 255 bytes


class RecordError(RuntimeError):
    """A folder of records that cannot be used; the message says why and what to do."""


class RunStore:
    """The studies in a folder, one file a configuration, and the records of single runs in another.

    `code` is today's; `again` wants what other code recorded to be repeated. RecordError for a file that is neither.
    """

    def __init__(self, studies: Path, running: Path, code: CodeVersion, again: bool = False) -> None:
        self.running, self.code = running, code
        self._folder, self._again = studies, again
        self._studies: dict[str, tuple[Path, Study]] = {}
        self._finished: dict[str, FinishedRun] = {}
        self._failed: dict[str, FailedRun] = {}
        self._singles: dict[str, Path] = {}
        for path in sorted(studies.glob("*.json")):
            study = _read(path, Study)
            self._studies[config_key(study.runs[0].config)] = path, study
            self._finished.update({run_key(run.config): run for run in study.runs})
        # a record is known by what it says: its file keeps its name when a new field of RunConfig changes the key
        for path in sorted(running.glob("*.json")):
            self._take(_read(path, RunRecord), path)

    def find(self, config: RunConfig) -> RunRecord | None:
        """Return the record of this configuration and seed, if there is one; the failure of a repeat comes first."""
        key = run_key(config)
        return self._failed.get(key) or self._finished.get(key)

    def is_done(self, config: RunConfig) -> bool:
        """Say whether a run need not be run: it finished, by today's code where others' are to be repeated."""
        record = self.find(config)
        return isinstance(record, FinishedRun) and not (self._again and self.is_of_other_code(record))

    def is_of_other_code(self, record: RunRecord) -> bool:
        """Say whether other sources made the record; one without a code version counts as such."""
        return record.code is None or record.code.sources != self.code.sources

    def finished(self, config: RunConfig) -> list[FinishedRun]:
        """Return every seed that finished with this configuration."""
        key = config_key(config)
        return [run for name, run in self._finished.items() if name.startswith(f"{key}_")]

    def write(self, record: RunRecord) -> None:
        """Keep the record of a run, whole or not at all, in place of an older one; a finished run's rest goes."""
        key = run_key(record.config)
        path = self._singles.get(key, self.running / f"{key}.json")
        write_record(path, record)
        self._take(record, path)
        if isinstance(record, FinishedRun):
            for checkpoints in self.running.glob(f"{key}_*"):
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
        """Where all its runs are done, write the configuration's study, earlier seeds too, and remove their files.

        What is on record under another name stays under that one; RecordError where the name is that of others.
        """
        key = config_key(configuration.runs[0])
        path, name = self._folder / f"{file_name(configuration.name)}.json", configuration.name
        settings = configuration.settings
        if key in self._studies:
            path, older = self._studies[key]
            name, settings = older.name, older.settings
        elif path.exists():
            raise RecordError(f"{display_path(path)} holds other settings; delete it, or give these another name")
        runs = self.finished(configuration.runs[0])
        singles = {run_key(run.config) for run in runs} & self._singles.keys() - self._failed.keys()
        if not singles or not all(map(self.is_done, configuration.runs)):
            return
        study = make_study(name, settings, runs)
        write_record(path, study)
        self._studies[key] = path, study
        for single in singles:
            self._singles.pop(single).unlink()


def file_name(name: str) -> str:
    """Return `name` as that of a file: itself where it can be, otherwise what can stay of it and a hash of it."""
    kept = re.sub(r"[^\w.,=+ -]", "_", name)[:NAME_LENGTH]
    return name if kept == name else f"{kept}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read(path: Path, kind: Any) -> Any:
    try:
        return read_record(path, kind, "a record of runs", REPEAT)
    except DamagedError as error:
        raise RecordError(str(error)) from None


@contextmanager
def open_store(studies: Path, running: Path, code: CodeVersion, again: bool = False) -> Iterator[RunStore]:
    """Make the folders when they are not there, and keep other sweeps out for as long as the context lasts.

    The lock is the operating system's: it ends with the process that holds it, however that dies. RecordError where
    another sweep is at work, a file is not a record, or a folder cannot be made.
    """
    here = display_path(running)
    try:
        for folder in (studies, running):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(running / LOCK_FILE).acquire(timeout=0)
    except Timeout:
        raise RecordError(f"another sweep is at work in {here}; wait for it, or give this one another name") from None
    except OSError as error:
        raise RecordError(f"{here} cannot be used for records ({error.strerror})") from None
    with lock:
        for folder in (studies, running):
            remove_partials(folder)
        yield RunStore(studies, running, code, again)
