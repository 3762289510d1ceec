"""Runs on record, each with the code that made it; several seeds of one setting are a study: no lucky run."""

import hashlib
import json
import statistics
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from mnist_helpers.paths import resolve
from mnist_helpers.runs import RECORDS, RunConfig, RunResults
from mnist_helpers.sweeps.provenance import CodeVersion
from mnist_helpers.training import PLACES

STUDIES = f"{RECORDS}/studies"


class FinishedRun(RunResults, frozen=True):
    """The results of a run that reached its last epoch."""

    code: CodeVersion | None
    """None: recorded before code versions were kept."""


class FailedRun(BaseModel, frozen=True, extra="forbid"):
    """A run that ended with an error, in one line; it is tried again by the next sweep that asks for it."""

    code: CodeVersion
    config: RunConfig
    error: str


RunRecord = FinishedRun | FailedRun


class Spread(BaseModel, frozen=True):
    """A figure over n runs; `std` is the sample's (n − 1), 0 for one run."""

    mean: float
    std: float
    minimum: float
    maximum: float
    n: int


class Study(BaseModel, frozen=True):
    """All runs of one setting, in order of seed, and the spread of their last epochs."""

    name: str
    settings: dict[str, Any]
    """What was chosen; everything else is as the network's recipe says."""
    test_accuracy: Spread
    test_loss: Spread
    validation_accuracy: Spread
    validation_loss: Spread
    runs: list[FinishedRun]

    @property
    def parameters(self) -> int:
        """How many its network has."""
        return self.runs[0].total_parameters


def config_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, whatever the seed and wherever it happens."""
    settings = config.model_dump(mode="json", exclude=PLACES | {"seed"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def run_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, such as `1f6c5a3be02d_seed_0`."""
    return f"{config_key(config)}_seed_{config.seed}"


def spread(values: Sequence[float]) -> Spread:
    """Return mean, sample standard deviation, minimum and maximum."""
    return Spread(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else 0.0,
        minimum=min(values),
        maximum=max(values),
        n=len(values),
    )


def make_study(name: str, settings: dict[str, Any], runs: Sequence[FinishedRun]) -> Study:
    """Return the study of these finished runs, of which there is at least one."""
    runs = sorted(runs, key=lambda run: run.config.seed)
    figures = ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss")
    spreads = {figure: spread([getattr(run.history[-1], figure) for run in runs]) for figure in figures}
    return Study(name=name, settings=settings, **spreads, runs=runs)


def read_study(name: str) -> Study:
    """Read the record of a study; FileNotFoundError where it has not been run."""
    return Study.model_validate_json((resolve(STUDIES) / f"{name}.json").read_bytes())


def find_study(config: RunConfig) -> Study | None:
    """Return the recorded study of just these settings over several seeds, if there is one."""
    studies = (read_study(path.stem) for path in sorted(resolve(STUDIES).glob("*.json")))
    wanted = config_key(config)
    return next((study for study in studies if config_key(study.runs[0].config) == wanted), None)


def format_spread(found: Spread) -> str:
    """Return mean and deviation in percent, such as `99.49 ± 0.05 %`."""
    return f"{100 * found.mean:.2f} ± {100 * found.std:.2f} %"


def format_studies(studies: Sequence[Study]) -> str:
    """Return one line a study: accuracy on validation and test images after the last epoch, and the seeds."""
    width = max([22, *(len(study.name) for study in studies)])
    lines = [f"{'':{width}s} {'validation':>15s} {'test':>15s} {'test from':>10s} {'to':>8s}  seeds"]
    for study in studies:
        test = study.test_accuracy
        lines.append(
            f"{study.name:{width}s} {format_spread(study.validation_accuracy):>15s} {format_spread(test):>15s} "
            f"{test.minimum:10.2%} {test.maximum:8.2%}  {test.n:5d}"
        )
    return "\n".join(lines)
