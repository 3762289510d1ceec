"""The runs that are still to be done, each on record when it ends, and where: here, one process a core and run."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from itertools import zip_longest
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from mnist_helpers.paths import PACKAGE, display_path
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.plan import Configuration, config_key, run_key
from mnist_helpers.sweeps.store import RunStore
from mnist_helpers.sweeps.study import CodeVersion, FailedRun, FinishedRun, RunRecord
from mnist_helpers.training import TRAINING_IMAGES, Bar, CheckpointError, train

TICK_SECONDS = 1.0
UNGUARDED = 78  # exit status of a run's process that came upon the sweep itself
GUARD = """the process of every run reads the script once more, which must not start the sweep again; write there:

if __name__ == "__main__":
    run_sweep(...)"""

Ended = Generator[list[RunRecord], None, None]
Engine = Callable[[Sequence[RunConfig], CodeVersion], Ended]
"""Runs every configuration and gives, at least once a second, the records of those that ended since: often none."""


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


class UnguardedScript(RuntimeError):
    """A script starts a sweep whenever it is read; the message says what to write."""


def check_not_read_again() -> None:
    """End this process when it is one of a run that is only reading the script of the sweep (`UnguardedScript`)."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(UNGUARDED)


def attempt(config: RunConfig, code: CodeVersion, keep_checkpoints: bool = True) -> RunRecord:
    """Train one run with one thread and return its record, that of its error if it has one."""
    torch.set_num_threads(1)
    try:
        how = {"show": False, "keep_checkpoints": keep_checkpoints}
        try:
            results = train(config.build, config.split(), config, **how)[1]
        except CheckpointError:  # damaged, or of another machine: those are moved aside, and the run begins again
            anew = config.model_copy(update={"resume": False})
            results = train(config.build, config.split(), anew, **how)[1]
    except Exception as error:  # whatever it is, it is this run's: the others go on
        return FailedRun(code=code, config=config, error=_in_one_line(error))
    return FinishedRun(code=code, **dict(results))


def _in_one_line(error: Exception) -> str:
    """Return kind, message and the last place in the helpers, without the folders of this machine."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    place = f" ({Path(ours[-1].filename).relative_to(PACKAGE)}, line {ours[-1].lineno})" if ours else ""
    return " ".join(f"{type(error).__name__}: {error}{place}".split())


def local_engine(processes: int | None = None) -> Engine:
    """Return the engine of this machine, of so many runs at a time; None: one a core that torch may use."""
    return partial(_run_in_processes, processes=processes or torch.get_num_threads())


def _run_in_processes(configs: Sequence[RunConfig], code: CodeVersion, processes: int) -> Ended:
    context = multiprocessing.get_context("spawn")
    waiting = deque(configs)
    running: dict[Connection, tuple[SpawnProcess, RunConfig]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                config = waiting.popleft()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_attempt_in_process, args=(sender, config, code))
                process.start()
                sender.close()  # the run's process alone holds it now: its death is the end of the stream
                running[receiver] = process, config
            ended = wait(list(running), TICK_SECONDS)
            yield [_receive(receiver, *running.pop(receiver), code) for receiver in ended]
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.join()


def _receive(receiver: Connection, process: SpawnProcess, config: RunConfig, code: CodeVersion) -> RunRecord:
    try:
        return receiver.recv()
    except (EOFError, OSError):
        process.join()
        if process.exitcode == UNGUARDED:
            raise UnguardedScript(GUARD) from None
        how = f"exit status {process.exitcode}"
        if process.exitcode < 0:
            how = f"killed by {signal.Signals(-process.exitcode).name}; memory may have run out"
        return FailedRun(code=code, config=config, error=f"the run's process ended without a result ({how})")
    finally:
        process.join()
        receiver.close()


def _attempt_in_process(sender: Connection, config: RunConfig, code: CodeVersion) -> None:
    # Ctrl-C reaches every process of a terminal: the sweep, not each of its runs, answers it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sender.send(attempt(config, code))


def _end_with_parent() -> None:
    """End this process when the sweep's is killed: the next sweep would train the same run beside it."""
    multiprocessing.parent_process().join()
    os._exit(1)
