"""Runs on record, each with the code that made it; several seeds of one setting are a study: no lucky run."""

import math
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, model_validator

from mnist_helpers.paths import PACKAGE, display_path, resolve
from mnist_helpers.records import DamagedError, read_record
from mnist_helpers.runs import RECORDS, RunConfig, RunResults
from mnist_helpers.sweeps.plan import config_key
from mnist_helpers.training import source_hash

STUDIES = f"{RECORDS}/studies"
REPEAT = "delete it to repeat its runs"
FIGURES = ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss")
ROUNDING = 1e-12


class CodeVersion(BaseModel, frozen=True):
    """The code of a run: the project's commit, None outside git, and whether the helpers held changes since.

    `sources`, the `source_hash`, alone says whether two runs were made by the same code.
    """

    commit: str | None
    dirty: bool | None
    sources: str


class FinishedRun(RunResults, frozen=True):
    """The results of a run that reached its last epoch, and its code, None from before that was kept."""

    code: CodeVersion | None


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

    @model_validator(mode="after")
    def _check(self) -> Self:
        # a mean of equal numbers may be rounded to just beside them
        low, high = self.minimum - ROUNDING, self.maximum + ROUNDING
        if self.n < 1 or not self.std >= 0 or not low <= self.mean <= high:
            raise ValueError(f"no mean, deviation and extremes of {self.n} figures")
        return self


class Study(BaseModel, frozen=True):
    """All runs of one setting (what differs from the recipe), by seed, and the spread of their last epochs."""

    name: str
    settings: dict[str, Any]
    test_accuracy: Spread
    test_loss: Spread
    validation_accuracy: Spread
    validation_loss: Spread
    runs: list[FinishedRun]

    @property
    def parameters(self) -> int:
        """How many its network has."""
        return self.runs[0].total_parameters

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.runs:
            raise ValueError("it has no runs")
        keys, seeds = {config_key(run.config) for run in self.runs}, [run.config.seed for run in self.runs]
        if len(keys) > 1 or len(set(seeds)) < len(seeds):
            raise ValueError("its runs differ in more than the seed, or have one seed twice")
        for figure, found in spreads(self.runs).items():
            for name, value in found.model_dump().items():
                if not math.isclose(value, getattr(getattr(self, figure), name), rel_tol=1e-9, abs_tol=ROUNDING):
                    raise ValueError(f"{figure}.{name} is not that of its runs")
        return self


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
    return Study(name=name, settings=settings, **spreads(runs), runs=runs)


def spreads(runs: Sequence[FinishedRun]) -> dict[str, Spread]:
    """Return the spread of each figure of a study over the last epochs of its runs."""
    return {figure: spread([getattr(run.history[-1], figure) for run in runs]) for figure in FIGURES}


def read_study(name: str) -> Study:
    """Read the record of a study; FileNotFoundError: it was not run; DamagedError: it is not as it was written."""
    path = resolve(STUDIES) / f"{name}.json"
    study = read_record(path, Study, "a study", REPEAT)
    if study.name != name:
        raise DamagedError(f"{display_path(path)} holds the study {study.name}; restore it, or {REPEAT}")
    return study


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


def code_version() -> CodeVersion:
    """Return the version of the helpers as they are on disk now."""
    commit = dirty = None
    checkout = _git("rev-parse", "--show-toplevel", "HEAD").splitlines()
    # a project unpacked inside someone else's repository has no commit of its own
    if checkout and Path(checkout[0]).resolve() == PACKAGE.parent:
        commit, dirty = checkout[1], bool(_git("status", "--porcelain", "--", PACKAGE.name))
    return CodeVersion(commit=commit, dirty=dirty, sources=source_hash())


def _git(*arguments: str) -> str:
    """Return what git says, nothing where it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
