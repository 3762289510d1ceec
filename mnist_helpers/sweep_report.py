"""What a sweep found: its configurations as studies, its failures, and which records other code made."""

from collections.abc import Sequence
from dataclasses import dataclass

from mnist_helpers.plan import Configuration
from mnist_helpers.provenance import CodeVersion
from mnist_helpers.records import PLACES, FailedRun, FinishedRun, RunStore, is_of_other_code
from mnist_helpers.study import Study, format_studies, make_study


@dataclass(frozen=True)
class SweepReport:
    """What is on record for the configurations of a sweep, each a `Study` of all its seeds that finished."""

    studies: list[Study]
    failures: list[FailedRun]
    other_code: int
    """Runs that other code than today's recorded."""


def make_report(configurations: Sequence[Configuration], store: RunStore, code: CodeVersion) -> SweepReport:
    """Return what `store` holds of these configurations."""
    finished = {each.name: store.finished(each.runs[0]) for each in configurations}
    found = [store.find(config) for each in configurations for config in each.runs]
    return SweepReport(
        studies=[make_study(c.name, c.settings, finished[c.name]) for c in configurations if finished[c.name]],
        failures=[record for record in found if isinstance(record, FailedRun)],
        other_code=sum(isinstance(record, FinishedRun) and is_of_other_code(record, code) for record in found),
    )


def format_report(report: SweepReport) -> str:
    """Return the table of `format_studies`, a line on runs by other code and one for each failure."""
    lines = [format_studies(report.studies)] if report.studies else []
    if report.other_code:
        lines.append(f"{report.other_code} runs were recorded by other code and kept; --again repeats them")
    for failure in report.failures:
        chosen = failure.config.model_dump(mode="json", exclude=PLACES | {"seed"}, exclude_defaults=True)
        settings = " ".join(f"{name}={value}" for name, value in chosen.items())
        lines.append(f"FAILED {settings} seed={failure.config.seed}: {failure.error}")
    return "\n".join(lines)
