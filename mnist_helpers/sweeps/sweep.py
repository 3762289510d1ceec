"""Runs of many configurations and seeds, each a record on disk as soon as it ends; the same call again continues.

`make sweep SWEEP="--name rate --grid max_lr=0.05,0.1 --seeds 0 1 2"` keeps them in `outputs/own/sweeps/rate`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mnist_helpers.paths import resolve
from mnist_helpers.runs import OWN, ConfigError
from mnist_helpers.sweeps.cluster import ClusterError, cluster_engine
from mnist_helpers.sweeps.engines import Engine, check_not_read_again, local_engine
from mnist_helpers.sweeps.plan import SweepPlan, check_configurations, make_plan, parse_value, parse_values, read_plan
from mnist_helpers.sweeps.provenance import code_version
from mnist_helpers.sweeps.records import configuration_key, is_done
from mnist_helpers.sweeps.report import SweepReport, format_report, make_report
from mnist_helpers.sweeps.runner import run_missing
from mnist_helpers.sweeps.store import RecordError, open_store
from mnist_helpers.sweeps.study import STUDIES, Study, format_studies

SWEEPS = f"{OWN}/sweeps"
RUNNING = "running"
"""Folder for single runs, inside the sweep's."""


def run_sweep(
    plan: SweepPlan, engine: Engine | None = None, again: bool = False, folder: str = SWEEPS
) -> SweepReport:
    """Run what is not yet on record in `folder/NAME` and report on everything in the plan.

    A run that fails is recorded with its error and stops no other; the next call tries it again. A killed sweep goes
    on where it stopped, on one machine even within a run, after its last whole epoch. When all seeds of a
    configuration have finished they are kept as its study, with those of earlier calls.

    Args:
        plan: configurations and seeds.
        engine: where to run; None: on this machine, one process a core.
        again: repeat the runs that other code recorded, which are kept otherwise.
        folder: of all sweeps.

    Raises:
        ConfigError: a setting is not allowed; no run has started then.
        RecordError: another sweep of this name is at work, or a record is damaged.
        ClusterError: the engine's cluster cannot be used.
        UnguardedScript: called by a script whenever it is read.
    """
    settings, place = plan.configurations(), f"{folder}/{plan.name}"
    return _run(settings, dict.fromkeys(settings, plan.seeds), engine, again, place, f"{place}/{RUNNING}")


def run_studies(
    settings: Mapping[str, Mapping[str, Any]],
    seeds: Mapping[str, Sequence[int]],
    engine: Engine | None = None,
    again: bool = False,
) -> SweepReport:
    """Run every named setting with its seeds as `run_sweep` does; studies are kept in `outputs/studies`.

    Raises:
        As `run_sweep`.
    """
    return _run(settings, seeds, engine, again, STUDIES, f"{SWEEPS}/studies/{RUNNING}")


def _run(
    settings: Mapping[str, Mapping[str, Any]],
    seeds: Mapping[str, Sequence[int]],
    engine: Engine | None,
    again: bool,
    studies: str,
    running: str,
) -> SweepReport:
    check_not_read_again()
    configurations = check_configurations(settings, seeds)
    by_key = {configuration_key(each.runs[0]): each for each in reversed(configurations)}
    with open_store(resolve(studies), resolve(running)) as store:
        code = code_version()

        def settle(key: str) -> None:
            if all(is_done(store.find(config), code, again) for config in by_key[key].runs):
                store.settle(by_key[key])

        for key in by_key:
            settle(key)
        for record in run_missing(configurations, store, code, engine, again, running):
            settle(configuration_key(record.config))
        return make_report(configurations, store, code)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how `run_from_options` runs."""
    parser.add_argument(
        "--processes", type=int, help="runs at a time on this machine (default: one a core that torch may use)"
    )
    parser.add_argument("--threads", type=int, default=1, help="of each run (default: 1)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="run on the Ray cluster there, such as 10.0.0.1:6379")
    parser.add_argument("--again", action="store_true", help="repeat the runs recorded by other code")


def run_from_options(
    options: argparse.Namespace,
    run: Callable[..., SweepReport],
    table: Callable[[Sequence[Study]], str] = format_studies,
) -> int:
    """Call `run` with the engine of the options, print its report with this table; return the exit status.

    0: everything is on record; 1: a run failed; 2: nothing could be started; 130: interrupted.
    """
    try:
        if options.cluster:
            engine = cluster_engine(options.cluster, options.threads)
        else:
            engine = local_engine(options.processes, options.threads)
        report = run(engine=engine, again=options.again)
    except (ConfigError, RecordError, ClusterError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what has ended is on record, the same command continues", file=sys.stderr)
        return 130
    print(format_report(report, table))
    return int(bool(report.failures))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plan of a file or of the command line."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers sweep", description=__doc__)
    parser.add_argument("plan", nargs="?", metavar="FILE", help="a plan in TOML or JSON, instead of the next four")
    parser.add_argument("--name")
    several = {"type": _pair, "action": "append"}
    parser.add_argument("--set", **several, metavar="PARAMETER=VALUE", help="in every run")
    parser.add_argument("--grid", **several, metavar="PARAMETER=VALUE,VALUE", help="every one with every other")
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--folder", default=SWEEPS, help="where all sweeps are (default: %(default)s)")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    chosen = {"name": options.name, "settings": options.set, "grid": options.grid, "seeds": options.seeds}
    chosen = {field: value for field, value in chosen.items() if value}
    if bool(options.plan) == bool(chosen):
        parser.error("give either a FILE or --name with --set, --grid and --seeds")
    return run_from_options(
        options, lambda **how: run_sweep(_plan(options.plan, chosen), folder=options.folder, **how)
    )


def _plan(file: str | None, chosen: dict[str, Any]) -> SweepPlan:
    if file:
        return read_plan(file)
    settings = {name: parse_value(text) for name, text in chosen.pop("settings", [])}
    grid = {name: parse_values(text) for name, text in chosen.pop("grid", [])}
    return make_plan(**chosen, settings=settings, grid=grid)


def _pair(text: str) -> list[str]:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not PARAMETER=VALUE")
    return text.split("=", maxsplit=1)
