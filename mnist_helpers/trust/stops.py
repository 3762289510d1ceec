"""Runs killed, stopped, or started in a folder that another run holds: nothing is lost, and whoever stops is told."""

import os
import random
import signal
from pathlib import Path

from mnist_helpers.trust.runs import Reference, after_a_while, finish, said, start, training_has_begun, wait_for
from mnist_helpers.trust.trial import Kind, Trial

MOST_KILLS = 3


def stops(reference: Reference) -> list[Kind]:
    """Return the kinds of trials with signals and with two runs."""

    def kill(random: random.Random, folder: Path) -> Trial:
        """SIGKILL at any moment, also while resuming, then resumed to the end."""
        run = folder / "run"
        for number in range(random.randint(1, MOST_KILLS)):
            process = start(run, resume=number > 0)
            if random.random() < 0.9:
                wait_for(training_has_begun(run), process)
            after_a_while(random, process, reference.seconds[0])
            process.kill()
            process.join()
        return _resumed(run)

    def _resumed(run: Path) -> Trial:
        status = finish(start(run, resume=True))
        if status != 0:
            return Trial(lost=f"cannot be resumed (status {status}): {_last(run)}")
        return Trial(lost=reference.difference(run))

    def stop(name: str, random: random.Random, folder: Path) -> Trial:
        run = folder / "run"
        process = start(run)
        wait_for(training_has_begun(run), process)
        after_a_while(random, process, reference.seconds[0] / 2)
        os.kill(process.pid, getattr(signal, name))
        status, line = finish(process), _last(run)
        if status == 0:
            return Trial(skipped=f"{name} came after the end")
        if "stopped by" not in line or "Traceback" in said(run):
            return Trial(unnamed=f"{name}: {line}")
        return _resumed(run)

    def two(random: random.Random, folder: Path) -> Trial:
        """The same seed or another, at once or a little later."""
        run, seeds = folder / "run", (0, random.randint(0, 1))
        first = start(run, seed=seeds[0])
        after_a_while(random, first, 1.0)
        second = start(run, seed=seeds[1])
        states = [finish(process) for process in (first, second)]
        told = said(run).count("another run is at work in")
        if sorted(state != 0 for state in states) == [False, False]:
            # one after the other: the second began when the first had ended
            return Trial(lost=reference.difference(run, seeds[1]) and reference.difference(run, seeds[0]))
        if told != 1 or states.count(0) != 1:
            return Trial(silent=f"two runs ended with {states}, {told} was told: {_last(run)}")
        return Trial(lost=reference.difference(run, seeds[states.index(0)]))

    kinds = [Kind("SIGKILL of a training, resumed to the end", kill, 100)]
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        kinds.append(Kind(f"{name} of a training, resumed", lambda r, f, name=name: stop(name, r, f), 15))
    return [*kinds, Kind("two runs in one output folder", two, 30)]


def _last(run: Path) -> str:
    return (said(run).strip().splitlines() or ["nothing was said"])[-1]
