"""The runs that are still to be done, and each one's record on disk when it ends: the core of every sweep."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing

from mnist_helpers.config import TRAINING_IMAGES, RunConfig
from mnist_helpers.engines import Engine, local_engine
from mnist_helpers.plan import Configuration
from mnist_helpers.progress import RunsBar
from mnist_helpers.provenance import CodeVersion
from mnist_helpers.records import FailedRun, FinishedRun, RunRecord, RunStore, is_of_other_code, run_key


def run_missing(
    configurations: Sequence[Configuration],
    store: RunStore,
    code: CodeVersion,
    engine: Engine | None,
    again: bool,
    folder: str,
) -> Iterator[RunRecord]:
    """Run what `store` lacks, seed by seed, and yield every record when it is on disk.

    Args:
        configurations: what to run.
        store: where records are looked up and kept.
        code: of today.
        engine: where to run; None: on this machine, one process a core.
        again: run what other code recorded, too.
        folder: for what a run leaves while it is not finished.
    """
    missing = {}
    # a sweep cut short has then run most configurations equally often
    for of_one_seed in zip(*(configuration.runs for configuration in configurations), strict=True):
        for config in of_one_seed:
            if not _is_done(store.find(config), code, again):
                # checkpoints of other code must not be continued: a run is of one code from first to last
                place = f"{folder}/running/{run_key(config)}_{code.sources}"
                missing[run_key(config)] = config.model_copy(update={"output_dir": place})
    if not missing:
        return
    start = engine or local_engine()
    with (
        RunsBar(len(missing), sum(map(_images, missing.values()))) as bar,
        closing(start(list(missing.values()), code)) as ended,
    ):
        for records in ended:
            for record in records:
                store.write(record)
                if isinstance(record, FinishedRun):
                    # its checkpoints have nothing left to continue
                    shutil.rmtree(missing[run_key(record.config)].output_folder(), ignore_errors=True)
                bar.ended(_images(record.config), failed=isinstance(record, FailedRun))
                yield record
            bar.tick()


def _is_done(record: RunRecord | None, code: CodeVersion, again: bool) -> bool:
    return isinstance(record, FinishedRun) and not (again and is_of_other_code(record, code))


def _images(config: RunConfig) -> int:
    return config.epochs * (config.train_size or TRAINING_IMAGES - config.validation_size)
