"""Small trainings in processes of their own, which may be killed, and whether they leave what they should."""

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import RLock

import torch
from tqdm import tqdm

from mnist_helpers.files import PARTIAL_SUFFIX
from mnist_helpers.runs import RunResults, keep, load_weights, make_config, read_results
from mnist_helpers.training import EPOCH_HEADER, Interrupted, train

TINY = {"model": "compact_574", "epochs": 4, "batch_size": 50, "train_size": 1_000, "validation_size": 100}
LOG = "said.txt"
SECONDS = 300  # after which a run has hung
STOPPED = 130  # exit status of a run that Ctrl-C has stopped
STARTED = EPOCH_HEADER


def start(
    folder: Path,
    resume: bool = False,
    seed: int = 0,
    before: Callable[[], None] | None = None,
    checked: Callable[[], None] | None = None,
) -> BaseProcess:
    """Start a training that keeps its results in `folder`; what it says goes to a file beside the folder.

    In its process `before` is called first, and `checked` once the settings are checked.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("forkserver")  # imports once, and forks a clean process for each run
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(folder, resume, seed, before, checked), daemon=True)
    process.start()
    return process


def _run(
    folder: Path, resume: bool, seed: int, before: Callable[[], None] | None, checked: Callable[[], None] | None
) -> None:
    log = os.open(folder.parent / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    # whoever starts it in the background may have had these ignored (nohup, a shell's &)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    tqdm.set_lock(RLock())  # not one between processes, which a killed one would leave behind
    torch.set_num_threads(1)
    if before:
        before()
    config = make_config(**TINY, seed=seed, output_dir=str(folder), resume=resume, device="cpu")
    if checked:
        checked()
    try:
        network, results = train(config.build, config.split(with_test=False), config)
    except Interrupted as stopped:  # multiprocessing would show a traceback of it, a script does not
        print(stopped, file=sys.stderr, flush=True)
        os._exit(STOPPED)
    keep(network, results, folder)


def said(folder: Path) -> str:
    """Return what all runs in `folder` said so far."""
    with suppress(OSError):
        return (folder.parent / LOG).read_text(encoding="utf-8", errors="replace")
    return ""


def finish(process: BaseProcess) -> int | None:
    """Wait for a run; return its exit status, negative the signal that ended it, None where it hung."""
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def wait_for(condition: Callable[[], object], process: BaseProcess) -> bool:
    """Wait until `condition()` holds; return whether it does, since the process may have ended before."""
    end = time.monotonic() + SECONDS
    while process.is_alive() and time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return bool(condition())


def training_has_begun(folder: Path) -> Callable[[], bool]:
    """Return what says whether the training of the newest run in `folder` has begun."""
    before = said(folder).count(STARTED)
    return lambda: said(folder).count(STARTED) > before


def after_a_while(random: random.Random, process: BaseProcess, seconds: float) -> None:
    """Let a run go on for up to so many seconds."""
    process.join(random.uniform(0, seconds))


class Reference:
    """Uninterrupted runs of each seed, made once, against which others are held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seconds: dict[int, float] = {}

    def folder(self, seed: int = 0) -> Path:
        """Return where the run of a seed is, which is made when it is not there."""
        folder = self._folder / f"seed_{seed}" / "run"
        if seed not in self.seconds:
            process = start(folder, seed=seed)
            wait_for(training_has_begun(folder), process)
            began = time.monotonic()
            if finish(process):
                raise RuntimeError(f"an uninterrupted run failed: {said(folder)}")
            self.seconds[seed] = time.monotonic() - began
        return folder

    def difference(self, folder: Path, seed: int = 0) -> str:
        """Return in what a finished run differs from the uninterrupted one, nothing where it is the same."""
        expected = self.folder(seed)
        try:
            (network, _), results = load_weights(folder), read_results(folder)
        except (OSError, ValueError) as error:
            return f"not to be read: {error}"
        for name, value in load_weights(expected)[0].state_dict().items():
            if not torch.equal(value, network.state_dict()[name]):
                return f"other weights in {name}"
        if _figures(results) != _figures(read_results(expected)):
            return "other results"
        left = [path.name for path in folder.rglob(f"*{PARTIAL_SUFFIX}")]
        return f"left behind: {', '.join(left)}" if left else ""


def _figures(results: RunResults) -> object:
    kept = results.model_dump(exclude={"run", "config", "training_time_seconds", "history"})
    return kept, [record.model_dump(exclude={"seconds"}) for record in results.history]
