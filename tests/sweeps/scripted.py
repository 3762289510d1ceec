"""What the tests of sweeps share: runs that were never trained, engines that pretend, waiting for processes."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mnist_helpers.networks import build_model
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps import study
from mnist_helpers.sweeps.plan import SweepPlan
from mnist_helpers.sweeps.study import CodeVersion, FailedRun, FinishedRun, Study
from mnist_helpers.training import EpochRecord, Results, describe_environment
from mnist_helpers.training.results import summarise

TODAY = CodeVersion(commit=None, dirty=None, sources="today")
BEFORE = TODAY.model_copy(update={"sources": "before"})
PLAN = SweepPlan(name="rates", seeds=(0, 1, 2), settings={"epochs": 1}, grid={"max_lr": [0.1, 0.2]})
FIGURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy")


def finished(config: RunConfig, code: CodeVersion | None = TODAY, accuracy: float = 0.5) -> FinishedRun:
    figures = {"learning_rate": 0.1, "seconds": 1, **dict.fromkeys(FIGURES, accuracy)}
    history = [EpochRecord(epoch=epoch, **figures) for epoch in range(1, config.epochs + 1)]
    results = summarise(config, build_model("tiny"), history, describe_environment(config.torch_device()))
    return FinishedRun(code=code, **dict(results))


def with_last(run: Results, epochs: int = 1, /, **figures: float) -> dict[str, object]:
    """Return the fields of a run that differ when it has only its last epochs, the very last with other figures."""
    kept = run.history[-epochs:]
    history = [record.model_copy(update={"epoch": number}) for number, record in enumerate(kept, start=1)]
    history[-1] = last = history[-1].model_copy(update=figures)
    return {
        "history": history,
        "total_epochs": len(history),
        "final_test_accuracy": last.test_accuracy,
        "final_test_loss": last.test_loss,
        "best_validation_accuracy": max(record.validation_accuracy for record in history),
        "training_time_seconds": sum(record.seconds for record in history),
    }


class Scripted:
    """An engine that trains nothing: it remembers what it was given, fails some of it, is killed in the middle."""

    def __init__(self, fails: Callable[[RunConfig], bool] = lambda config: False, survives: int = 1_000) -> None:
        self.ran: list[RunConfig] = []
        self._fails, self._survives = fails, survives

    def __call__(self, configs: Sequence[RunConfig], code: CodeVersion) -> Iterator[list]:
        yield []
        for config in configs:
            if len(self.ran) == self._survives:
                raise KeyboardInterrupt
            self.ran.append(config)
            yield [
                FailedRun(code=code, config=config, error="E: no") if self._fails(config) else finished(config, code)
            ]


def read_studies() -> list[Study]:
    return [study.read_study(path.stem) for path in sorted(resolve(study.STUDIES).glob("*.json"))]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


def start(*arguments: str, cwd: Path = PROJECT_ROOT) -> subprocess.Popen:
    return subprocess.Popen(arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
