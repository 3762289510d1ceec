"""The runs that are still to be done, and each one's record on disk when it ends: the core of every sweep."""

from collections.abc import Sequence
from contextlib import closing
from itertools import zip_longest

from mnist_helpers.paths import display_path
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.engines import Engine
from mnist_helpers.sweeps.plan import Configuration
from mnist_helpers.sweeps.store import RunStore
from mnist_helpers.sweeps.study import FailedRun, RunRecord, config_key, run_key
from mnist_helpers.training import TRAINING_IMAGES, Bar


def run_missing(configurations: Sequence[Configuration], store: RunStore, engine: Engine) -> None:
    """Run what `store` lacks, seed by seed; every record is on disk before the next run ends, then every study."""
    missing = {}
    # a sweep cut short has then run most configurations equally often
    for of_one_turn in zip_longest(*(each.runs for each in configurations)):
        for config in filter(None, of_one_turn):
            if not store.is_done(config):
                # checkpoints of other code must not be continued: a run is of one code from first to last
                place = f"{display_path(store.running)}/{run_key(config)}_{store.code.sources}"
                missing[run_key(config)] = config.model_copy(update={"output_dir": place})
    if not missing:
        return
    wanted = {config_key(each.runs[0]): each for each in reversed(configurations)}
    configs, done = list(missing.values()), []
    with RunsBar(configs) as bar, closing(engine(configs, store.code)) as ended:
        for records in ended:
            for record in records:
                store.write(record)
                store.settle(wanted[config_key(record.config)])
            done += records
            bar.show(done)


class RunsBar(Bar):
    """A bar over many runs, with the time left: by the images they train on together, since runs differ in length."""

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        self._runs = len(configs)
        # the mean since the start: runs end in bunches, of which the last says little
        options = {"smoothing": 0, "bar_format": "{desc} |{bar:24}| {percentage:3.0f} % [{elapsed}<{remaining}]"}
        super().__init__(f"{self._runs:,} runs", show=True, total=sum(map(_images, configs)), **options)
        self.show([])

    def show(self, done: Sequence[RunRecord]) -> None:
        """Show these runs as done, and the time gone by."""
        failed = sum(isinstance(record, FailedRun) for record in done)
        self._tqdm.n = sum(_images(record.config) for record in done)
        self._tqdm.set_description_str(f"{len(done)}/{self._runs} runs" + (f", {failed} failed" if failed else ""))


def _images(config: RunConfig) -> int:
    """How many images a run trains on, each counted once an epoch."""
    return config.epochs * (config.train_size or TRAINING_IMAGES - config.validation_size)
