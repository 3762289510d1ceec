"""Small commands about one network or one run: does it keep the rules, reach the goals, what did it reach."""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn

from mnist_helpers import runs
from mnist_helpers.networks import build_model, report_parameters, report_rules
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.training import OWN_FOLDER


def check_goal(arguments: Sequence[str] | None = None) -> int:
    """Print the goals for the mean over finished runs; return 1 if one is missed."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers check-goal")
    parser.add_argument("folders", nargs="*", default=[runs.PUBLISHED], help="of runs with other seeds alike")
    try:
        found = [runs.read_results(folder) for folder in parser.parse_args(arguments).folders]
    except (FileNotFoundError, ValueError) as error:
        return _complain(error)
    first = found[0].config
    if any(run.config.training_differences(first.model_copy(update={"seed": run.config.seed})) for run in found):
        parser.error("the runs differ in more than the seed; their mean would say nothing")
    if any(run.final_test_accuracy is None for run in found):
        parser.error("a run had no test images; there is nothing to judge")
    figures = (
        statistics.fmean(run.final_test_accuracy for run in found),
        max(run.total_parameters for run in found),
        max(run.total_epochs for run in found),
    )
    print(f"runs: {len(found)}, seeds {', '.join(str(run.config.seed) for run in found)}")
    print(runs.format_goals(*figures))
    return 0 if all(runs.check_goals(*figures).values()) else 1


def check_model(arguments: Sequence[str] | None = None) -> int:
    """Print whether a network keeps the rules; return 1 if it does not."""
    return _report("check-model", report_rules, arguments)


def check_params(arguments: Sequence[str] | None = None) -> int:
    """Print a network's layers and check its parameter budget; return 1 if it is above it."""
    return _report("check-params", report_parameters, arguments)


def _report(command: str, report: Callable[[nn.Module, str], int], arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m mnist_helpers {command}")
    parser.add_argument("model", nargs="?", default="final", help="a name, or path/to/file.py:ClassName")
    name = parser.parse_args(arguments).model
    try:
        runs.known_network(name)
        return report(runs.load_own(name)[0]() if runs.is_own(name) else build_model(name), name)
    except ValueError as error:
        return _complain(error)


def view_results(arguments: Sequence[str] | None = None) -> int:
    """Print a finished run: the one in a folder, or the newest of one's own, or the published one."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers view-results")
    parser.add_argument("folder", nargs="?")
    folder = parser.parse_args(arguments).folder
    try:
        runs.show(resolve(folder) if folder else runs.last_run())
    except (FileNotFoundError, ValueError) as error:
        return _complain(error)
    return 0


def file_product(arguments: Sequence[str] | None = None) -> int:
    """Move what papermill executed beside the results of its run, and print them."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers file-product")
    parser.add_argument("notebook", help="what papermill wrote")
    runs.show(runs.file_product(resolve(parser.parse_args(arguments).notebook)))
    return 0


def publish(arguments: Sequence[str] | None = None) -> int:
    """Make a run of one's own the published one; print which files are new."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers publish")
    parser.add_argument("folder", nargs="?", default=OWN_FOLDER)
    try:
        written: list[Path] = runs.publish(resolve(parser.parse_args(arguments).folder))
    except (FileNotFoundError, ValueError) as error:
        return _complain(error)
    print("\n".join(f"published {display_path(path)}" for path in written))
    return 0


def _complain(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 1
