"""Finished and failed runs as files, one each, in a folder that only one sweep at a time writes to."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mnist_helpers.config import RunConfig
from mnist_helpers.files import remove_partials, write_text_atomically
from mnist_helpers.paths import display_path
from mnist_helpers.provenance import CodeVersion
from mnist_helpers.results import RunResults

PLACES = frozenset({"data_dir", "output_dir", "resume", "device"})
"""Fields of `RunConfig` that say where a run happens, not what it trains."""
LOCK_FILE = ".lock"


class RecordError(RuntimeError):
    """A folder of records that cannot be used; the message says why and what to do."""


class FinishedRun(BaseModel):
    """A run that reached its last epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: CodeVersion | None
    """None: recorded before code versions were kept."""
    results: RunResults

    @property
    def config(self) -> RunConfig:
        """The configuration, seed included."""
        return self.results.config


class FailedRun(BaseModel):
    """A run that ended with an error, in one line; it is tried again by the next sweep that asks for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: CodeVersion
    config: RunConfig
    error: str


RunRecord = FinishedRun | FailedRun


def is_of_other_code(record: FinishedRun, code: CodeVersion) -> bool:
    """Say whether other sources made the record; one without a code version counts as such."""
    return record.code is None or record.code.sources != code.sources


def configuration_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, whatever the seed and wherever it happens."""
    settings = config.model_dump(mode="json", exclude=PLACES | {"seed"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def run_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, such as `1f6c5a3be02d_seed_0`."""
    return f"{configuration_key(config)}_seed_{config.seed}"


class RunStore:
    """The records in a folder; `adopted` are runs recorded elsewhere, which count as done and are not copied.

    Raises:
        RecordError: a file in the folder is not a record.
    """

    def __init__(self, folder: Path, adopted: Iterable[RunResults] = ()) -> None:
        self.folder = folder
        self._records: dict[str, RunRecord] = {
            run_key(results.config): FinishedRun(code=None, results=results) for results in adopted
        }
        # a record is known by what it says: its file keeps its name when a new field of RunConfig changes the key
        self._paths: dict[str, Path] = {}
        for path in sorted(folder.glob("*.json")):
            record = _read_record(path)
            self._records[run_key(record.config)] = record
            self._paths[run_key(record.config)] = path

    def find(self, config: RunConfig) -> RunRecord | None:
        """Return the record of this configuration and seed, if there is one."""
        return self._records.get(run_key(config))

    def write(self, record: RunRecord) -> None:
        """Keep a record, whole or not at all; it takes the place of an older one of the same run."""
        key = run_key(record.config)
        path = self._paths.setdefault(key, self.folder / f"{key}.json")
        write_text_atomically(path, record.model_dump_json(indent=1) + "\n")
        self._records[key] = record

    def finished(self, config: RunConfig) -> list[RunResults]:
        """Return the results of every seed that finished with this configuration, in order of seed."""
        key = configuration_key(config)
        found = [record.results for record in self._records.values() if isinstance(record, FinishedRun)]
        return sorted(
            (results for results in found if configuration_key(results.config) == key),
            key=lambda results: results.config.seed,
        )


def _read_record(path: Path) -> RunRecord:
    try:
        return TypeAdapter(RunRecord).validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        raise RecordError(
            f"{display_path(path)} is not the record of a run ({problem['msg']}); delete it to repeat that run"
        ) from error


@contextmanager
def open_store(folder: Path, adopted: Iterable[RunResults] = ()) -> Iterator[RunStore]:
    """Make the folder when it is not there, and keep other sweeps out of it for as long as the context lasts.

    The lock is the operating system's: it ends with the process that holds it, however that dies.

    Raises:
        RecordError: another sweep is at work in this folder, or a file in it is not a record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            remove_partials(folder)
            yield RunStore(folder, adopted)
    except Timeout:
        raise RecordError(
            f"another sweep is at work in {display_path(folder)}; wait for it, or give this one another name"
        ) from None
