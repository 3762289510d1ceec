"""The runs that are still to be done, and each one's record on disk when it ends: the core of every sweep."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import zip_longest

from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.engines import Engine, local_engine
from mnist_helpers.sweeps.plan import Configuration
from mnist_helpers.sweeps.progress import RunsBar
from mnist_helpers.sweeps.provenance import CodeVersion
from mnist_helpers.sweeps.records import FailedRun, RunRecord, is_done, run_key
from mnist_helpers.sweeps.store import RunStore
from mnist_helpers.training import TRAINING_IMAGES


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
    for of_one_turn in zip_longest(*(configuration.runs for configuration in configurations)):
        for config in filter(None, of_one_turn):
            if not is_done(store.find(config), code, again):
                # checkpoints of other code must not be continued: a run is of one code from first to last
                place = f"{folder}/{run_key(config)}_{code.sources}"
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
                bar.ended(_images(record.config), failed=isinstance(record, FailedRun))
                yield record
            bar.tick()


def _images(config: RunConfig) -> int:
    return config.epochs * (config.train_size or TRAINING_IMAGES - config.validation_size)
