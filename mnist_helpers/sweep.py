"""Runs of many configurations and seeds, each a record on disk as soon as it ends; the same call again continues.

`make sweep SWEEP="--name rate --grid max_lr=0.05,0.1 --seeds 0 1 2"` keeps them in `outputs/sweeps/rate`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mnist_helpers.cluster import ClusterError, cluster_engine
from mnist_helpers.config import ConfigError
from mnist_helpers.engines import Engine, local_engine
from mnist_helpers.paths import resolve
from mnist_helpers.plan import (
    SWEEPS,
    Configuration,
    SweepPlan,
    check_configurations,
    make_plan,
    parse_value,
    parse_values,
    read_plan,
)
from mnist_helpers.provenance import code_version
from mnist_helpers.records import FinishedRun, RecordError, RunStore, open_store
from mnist_helpers.runner import run_missing
from mnist_helpers.study import make_study, read_studies, write_study
from mnist_helpers.sweep_report import SweepReport, format_report, make_report

STUDIES_SWEEP = "studies"


def run_sweep(
    plan: SweepPlan, engine: Engine | None = None, again: bool = False, folder: str = SWEEPS
) -> SweepReport:
    """Run what is not yet on record in `folder/NAME` and report on everything in the plan.

    A run that fails is recorded with its error and stops no other; the next call tries it again. A killed sweep goes
    on where it stopped, on one machine even within a run, after its last whole epoch.

    Args:
        plan: configurations and seeds.
        engine: where to run; None: on this machine, one process a core.
        again: repeat the runs that other code recorded, which are kept otherwise.
        folder: of all sweeps.

    Raises:
        ConfigError: a setting is not allowed; no run has started then.
        RecordError: another sweep of this name is at work, or a record is damaged.
        ClusterError: the engine's cluster cannot be used.
    """
    configurations = check_configurations(plan.configurations(), plan.seeds)
    with open_store(resolve(folder) / plan.name) as store:
        code = code_version()
        for _ in run_missing(configurations, store, code, engine, again, f"{folder}/{plan.name}"):
            pass
        return make_report(configurations, store, code)


def run_studies(
    settings: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    engine: Engine | None = None,
    again: bool = False,
    folder: str = SWEEPS,
) -> SweepReport:
    """Run every named setting with every seed as `run_sweep` does; write a study when the last of its seeds is done.

    A study holds all its seeds that are on record; runs in the studies' own records count as done.

    Raises:
        As `run_sweep`.
    """
    configurations = check_configurations(settings, seeds)
    recorded = [run for study in read_studies() for run in study.runs]
    with open_store(resolve(folder) / STUDIES_SWEEP, recorded) as store:
        code = code_version()
        _write_complete(configurations, store)
        for _ in run_missing(configurations, store, code, engine, again, f"{folder}/{STUDIES_SWEEP}"):
            _write_complete(configurations, store)
        return make_report(configurations, store, code)


def _write_complete(configurations: Sequence[Configuration], store: RunStore) -> None:
    for configuration in configurations:
        found = [store.find(config) for config in configuration.runs]
        if all(isinstance(record, FinishedRun) for record in found):
            runs = store.finished(configuration.runs[0])
            write_study(make_study(configuration.name, configuration.settings, runs))


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how `run_from_options` runs."""
    parser.add_argument(
        "--processes", type=int, help="runs at a time on this machine (default: one a core that torch may use)"
    )
    parser.add_argument("--threads", type=int, default=1, help="of each run (default: 1)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="run on the Ray cluster there, such as 10.0.0.1:6379")
    parser.add_argument("--again", action="store_true", help="repeat the runs recorded by other code")
    parser.add_argument("--folder", default=SWEEPS, help="where the records of all sweeps are (default: %(default)s)")


def run_from_options(options: argparse.Namespace, run: Callable[..., SweepReport]) -> int:
    """Call `run` with the engine and the folder of the options, print its report; return the exit status.

    0: everything is on record; 1: a run failed; 2: nothing could be started; 130: interrupted.
    """
    try:
        if options.cluster:
            engine = cluster_engine(options.cluster, options.threads)
        else:
            engine = local_engine(options.processes, options.threads)
        report = run(engine=engine, again=options.again, folder=options.folder)
    except (ConfigError, RecordError, ClusterError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what has ended is on record, the same command continues", file=sys.stderr)
        return 130
    print(format_report(report))
    return int(bool(report.failures))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan of a file or of the command line."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.sweep", description=__doc__)
    parser.add_argument("plan", nargs="?", metavar="FILE", help="a plan in TOML or JSON, instead of the next four")
    parser.add_argument("--name")
    several = {"type": _pair, "action": "append"}
    parser.add_argument("--set", **several, metavar="PARAMETER=VALUE", help="in every run")
    parser.add_argument("--grid", **several, metavar="PARAMETER=VALUE,VALUE", help="every one with every other")
    parser.add_argument("--seeds", type=int, nargs="+")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    chosen = {"name": options.name, "settings": options.set, "grid": options.grid, "seeds": options.seeds}
    chosen = {field: value for field, value in chosen.items() if value}
    if bool(options.plan) == bool(chosen):
        parser.error("give either a FILE or --name with --set, --grid and --seeds")
    return run_from_options(options, lambda **how: run_sweep(_plan(options.plan, chosen), **how))


def _plan(file: str | None, chosen: dict[str, Any]) -> SweepPlan:
    if file:
        return read_plan(resolve(file))
    settings = {name: parse_value(text) for name, text in chosen.pop("settings", [])}
    grid = {name: parse_values(text) for name, text in chosen.pop("grid", [])}
    return make_plan(**chosen, settings=settings, grid=grid)


def _pair(text: str) -> list[str]:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not PARAMETER=VALUE")
    return text.split("=", maxsplit=1)


if __name__ == "__main__":
    sys.exit(main())
