"""Several seeds of one setting as a record: mean and spread, not a lucky run, and one setting against another."""

import statistics
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from mnist_helpers.config import RunConfig
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.results import RunResults

STUDIES = "outputs/studies"


class Spread(BaseModel):
    """A figure over n runs; `std` is the sample's (n − 1), 0 for one run."""

    model_config = ConfigDict(frozen=True)

    mean: float
    std: float
    minimum: float
    maximum: float
    n: int


class Study(BaseModel):
    """All runs of one setting, in order of seed, and the spread of their last epochs."""

    model_config = ConfigDict(frozen=True)

    name: str
    settings: dict[str, Any]
    """What was chosen; everything else is as the network's recipe says."""
    test_accuracy: Spread
    test_loss: Spread
    validation_accuracy: Spread
    validation_loss: Spread
    runs: list[RunResults]


def spread(values: Sequence[float]) -> Spread:
    """Return mean, sample standard deviation, minimum and maximum."""
    return Spread(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else 0.0,
        minimum=min(values),
        maximum=max(values),
        n=len(values),
    )


def make_study(name: str, settings: dict[str, Any], runs: Sequence[RunResults]) -> Study:
    """Return the study of these finished runs, of which there is at least one."""
    runs = sorted(runs, key=lambda results: results.config.seed)
    last = [results.history[-1] for results in runs]
    return Study(
        name=name,
        settings=settings,
        **{
            figure: spread([getattr(record, figure) for record in last])
            for figure in ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss")
        },
        runs=runs,
    )


def write_study(study: Study) -> None:
    """Write the record of a study, whole or not at all; one that says the same already is left as it is."""
    path = resolve(STUDIES) / f"{study.name}.json"
    if not path.exists() or read_study(study.name) != study:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, study.model_dump_json(indent=1) + "\n")


def read_studies() -> list[Study]:
    """Read the records of all studies, in order of name."""
    return [read_study(path.stem) for path in sorted((PROJECT_ROOT / STUDIES).glob("*.json"))]


def read_study(name: str) -> Study:
    """Read the record of a study.

    Raises:
        FileNotFoundError: it has not been run.
    """
    return Study.model_validate_json((PROJECT_ROOT / STUDIES / f"{name}.json").read_text(encoding="utf-8"))


def find_study(config: RunConfig) -> Study | None:
    """Return the recorded study of just these settings over several seeds, if there is one."""
    for study in read_studies():
        if not config.model_copy(update={"seed": study.runs[0].config.seed}).training_differences(
            study.runs[0].config
        ):
            return study
    return None


def difference(study: Study, other: Study) -> Spread:
    """Return the spread of the `differences` in test accuracy."""
    return spread(differences(study, other))


def differences(study: Study, other: Study, figure: str = "test_accuracy") -> list[float]:
    """Return how much higher a figure of the last epoch is in `study` than in `other`, for each seed both have.

    Pairs share the split and the order of images, so that they differ less than any two runs.

    Raises:
        ValueError: they have no seed in common.
    """
    mine, theirs = ({run.config.seed: getattr(run.history[-1], figure) for run in one.runs} for one in (study, other))
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        raise ValueError(f"{study.name} has seeds {sorted(mine)}, {other.name} has {sorted(theirs)}: none in common")
    return [mine[seed] - theirs[seed] for seed in shared]


def format_spread(found: Spread) -> str:
    """Return mean and deviation in percent, such as `99.49 ± 0.05 %`."""
    return f"{100 * found.mean:.2f} ± {100 * found.std:.2f} %"


def format_difference(found: Spread) -> str:
    """Return a `difference` in points, such as `+0.12 points, seed by seed from +0.05 to +0.20`."""
    points = (100 * value for value in (found.mean, found.minimum, found.maximum))
    return "{:+.2f} points, seed by seed from {:+.2f} to {:+.2f}".format(*points)


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
