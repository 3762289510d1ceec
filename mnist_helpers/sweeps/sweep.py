"""Runs of many configurations and seeds, each a record on disk as soon as it ends; the same call again continues.

`make sweep SWEEP="--name rate --grid max_lr=0.05,0.1 --seeds 0 1 2"` keeps them in `outputs/own/sweeps/rate`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_helpers.paths import resolve
from mnist_helpers.runs import OWN, ConfigError
from mnist_helpers.sweeps.cluster import ClusterError, cluster_engine
from mnist_helpers.sweeps.engines import Engine, check_not_read_again, local_engine, run_missing
from mnist_helpers.sweeps.plan import SweepPlan, check_configurations, make_plan, parse_value, parse_values, read_plan
from mnist_helpers.sweeps.store import RecordError, open_store
from mnist_helpers.sweeps.study import STUDIES, FailedRun, Study, code_version, format_studies, make_study
from mnist_helpers.training import PLACES, stopping

SWEEPS = f"{OWN}/sweeps"


@dataclass(frozen=True)
class SweepReport:
    """What is on record of a sweep, each study with all seeds that finished; how many by other code than today's."""

    studies: list[Study]
    failures: list[FailedRun]
    other_code: int


def run_sweep(
    plan: SweepPlan, engine: Engine | None = None, again: bool = False, folder: str = SWEEPS
) -> SweepReport:
    """Run what is not yet on record in `folder/NAME` and report on everything in the plan.

    A run that fails is recorded with its error and stops no other; the next call tries it again. A killed sweep goes
    on where it stopped, on one machine even within a run, after its last whole epoch. When all seeds of a
    configuration have finished they are kept as its study, with those of earlier calls. Without an engine, runs go to
    this machine, one process a core; those that other code recorded are kept but when they are wanted `again`.
    ConfigError for a setting that is not allowed, before any run; RecordError where another sweep of this name is at
    work or a record is damaged or of other settings; ClusterError; UnguardedScript in a script without a guard.
    """
    settings = plan.configurations()
    return run_studies(settings, dict.fromkeys(settings, plan.seeds), engine, again, f"{folder}/{plan.name}")


def run_studies(
    settings: Mapping[str, Mapping[str, Any]],
    seeds: Mapping[str, Sequence[int]],
    engine: Engine | None = None,
    again: bool = False,
    folder: str | None = None,
) -> SweepReport:
    """Run every named setting with its seeds as `run_sweep` does; studies go to `folder`, or to `outputs/studies`."""
    check_not_read_again()
    configurations = check_configurations(settings, seeds)
    running = f"{folder or f'{SWEEPS}/studies'}/running"
    with open_store(resolve(folder or STUDIES), resolve(running), code_version(), again) as store:
        for each in configurations:
            store.settle(each)
        run_missing(configurations, store, engine or local_engine())
        found = [store.find(config) for each in configurations for config in each.runs]
        finished = [(each, store.finished(each.runs[0])) for each in configurations]
        return SweepReport(
            studies=[make_study(each.name, each.settings, runs) for each, runs in finished if runs],
            failures=[record for record in found if isinstance(record, FailedRun)],
            other_code=sum(map(store.is_of_other_code, found)),
        )


def format_report(report: SweepReport) -> str:
    """Return a table of the studies, a line on runs by other code and one for each failure."""
    lines = [format_studies(report.studies)] if report.studies else []
    if report.other_code:
        lines.append(f"{report.other_code} runs were recorded by other code and kept; --again repeats them")
    for failure in report.failures:
        chosen = failure.config.model_dump(mode="json", exclude=PLACES | {"seed"}, exclude_defaults=True)
        settings = " ".join(f"{name}={value}" for name, value in chosen.items())
        lines.append(f"FAILED {settings} seed={failure.config.seed}: {failure.error}")
    return "\n".join(lines)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how `run_from_options` runs."""
    parser.add_argument("--processes", type=int, help="runs at a time here (default: one a core that torch may use)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="run on the Ray cluster there, such as 10.0.0.1:6379")
    parser.add_argument("--again", action="store_true", help="repeat the runs recorded by other code")


def run_from_options(options: argparse.Namespace, run: Callable[..., SweepReport]) -> int:
    """Call `run` with the engine of the options, print its report; return the exit status.

    0: everything is on record; 1: a run failed; 2: nothing could be started; 130: interrupted.
    """
    try:
        engine = cluster_engine(options.cluster) if options.cluster else local_engine(options.processes)
        with stopping():
            report = run(engine=engine, again=options.again)
    except (ConfigError, RecordError, ClusterError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what has ended is on record, the same command continues", file=sys.stderr)
        return 130
    print(format_report(report))
    return int(bool(report.failures))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan of a file or of the command line."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers sweep", description=__doc__)
    parser.add_argument("plan", nargs="?", metavar="FILE", help="a plan in TOML or JSON, instead of the next four")
    parser.add_argument("--name")
    several = {"type": _pair, "action": "append", "default": []}
    parser.add_argument("--set", **several, metavar="PARAMETER=VALUE", help="in every run")
    parser.add_argument("--grid", **several, metavar="PARAMETER=VALUE,VALUE", help="every one with every other")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--folder", default=SWEEPS, help="where all sweeps are (default: %(default)s)")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    chosen = {
        "name": options.name,
        "settings": {name: parse_value(text) for name, text in options.set},
        "grid": {name: parse_values(text) for name, text in options.grid},
        "seeds": options.seeds,
    }
    chosen = {field: value for field, value in chosen.items() if value}
    if bool(options.plan) == bool(chosen):
        parser.error("give either a FILE or --name with --set, --grid and --seeds")

    def run(**how: Any) -> SweepReport:
        plan = read_plan(options.plan) if options.plan else make_plan(**chosen)
        return run_sweep(plan, folder=options.folder, **how)

    return run_from_options(options, run)


def _pair(text: str) -> list[str]:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not PARAMETER=VALUE")
    return text.split("=", maxsplit=1)
