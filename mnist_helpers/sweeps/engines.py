"""Where runs happen: on this machine, every run in a process of its own, as many at a time as there are cores."""

import math
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch

from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.provenance import PACKAGE, CodeVersion
from mnist_helpers.sweeps.study import FailedRun, FinishedRun, RunRecord
from mnist_helpers.training import Results, TrainingDiverged, train

TICK_SECONDS = 1.0
UNGUARDED = 78  # exit status of a run's process that came upon the sweep itself
GUARD = """the process of every run reads the script once more, which must not start the sweep again; write there:

if __name__ == "__main__":
    run_sweep(...)"""

Ended = Generator[list[RunRecord], None, None]
Engine = Callable[[Sequence[RunConfig], CodeVersion], Ended]
"""Runs every configuration and gives, at least once a second, the records of those that ended since: often none."""


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
        results = train(config.build, config.split(), config, show=False, keep_checkpoints=keep_checkpoints)[1]
        _check_figures(results)
    except Exception as error:  # whatever it is, it is this run's: the others go on
        return FailedRun(code=code, config=config, error=_in_one_line(error))
    return FinishedRun(code=code, **dict(results))


def _check_figures(results: Results) -> None:
    """Raise TrainingDiverged when an epoch was not measured in numbers, which no mean over seeds survives."""
    for record in results.history:
        for name, value in record.model_dump().items():
            if not math.isfinite(value):
                raise TrainingDiverged(f"{name} is {value} after epoch {record.epoch}; try a smaller max_lr")


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
