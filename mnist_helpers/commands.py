"""Small commands about one network or one run: does it keep the rules, reach the goals, what did it reach."""

import argparse
import os
import shlex
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path

from torch import nn

from mnist_helpers import runs
from mnist_helpers.networks import WEIGHTS_FILE, build_model, report_parameters, report_rules, seal_weights
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import seal_file
from mnist_helpers.training import OWN_FOLDER, Interrupted

INTERRUPTED = 130  # exit status, as shells have it
Command = Callable[[Sequence[str] | None], int]


def _says_what_is_wrong(command: Command) -> Command:
    """Return a command that tells of a missing or foreign file in one line, with exit status 1."""

    @wraps(command)
    def telling(arguments: Sequence[str] | None = None) -> int:
        try:
            return command(arguments)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1

    return telling


def _parser(command: Command) -> argparse.ArgumentParser:
    name = command.__name__.replace("_", "-")
    return argparse.ArgumentParser(prog=f"python -m mnist_helpers {name}", description=command.__doc__)


@_says_what_is_wrong
def check_goal(arguments: Sequence[str] | None = None) -> int:
    """Print the goals for the mean over finished runs; return 1 if one is missed."""
    parser = _parser(check_goal)
    parser.add_argument("folders", nargs="*", default=[runs.PUBLISHED], help="of runs with other seeds alike")
    found = [runs.read_results(folder) for folder in parser.parse_args(arguments).folders]
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


@_says_what_is_wrong
def check_model(arguments: Sequence[str] | None = None) -> int:
    """Print whether a network keeps the rules; return 1 if it does not."""
    return report_rules(*_network(check_model, arguments))


@_says_what_is_wrong
def check_params(arguments: Sequence[str] | None = None) -> int:
    """Print a network's layers and check its parameter budget; return 1 if it is above it."""
    return report_parameters(*_network(check_params, arguments))


def _network(command: Command, arguments: Sequence[str] | None) -> tuple[nn.Module, str]:
    parser = _parser(command)
    parser.add_argument("model", nargs="?", default="final", help="a name, or path/to/file.py:ClassName")
    name = runs.known_network(parser.parse_args(arguments).model)
    return runs.load_own(name)[0]() if runs.is_own(name) else build_model(name), name


@_says_what_is_wrong
def view_results(arguments: Sequence[str] | None = None) -> int:
    """Print a finished run: the one in a folder, or the newest of one's own, or the published one."""
    parser = _parser(view_results)
    parser.add_argument("folder", nargs="?", type=resolve)
    runs.show(parser.parse_args(arguments).folder or runs.last_run())
    return 0


@_says_what_is_wrong
def train(arguments: Sequence[str] | None = None) -> int:
    """Run the final notebook through papermill, whose options follow (-p seed 1); file it beside its results."""
    _, options = _parser(train).parse_known_args(arguments)
    product, notebooks = resolve(runs.OWN) / f"running.{os.getpid()}.ipynb", resolve("notebooks")
    product.parent.mkdir(parents=True, exist_ok=True)
    runs.clear_products(product.parent)
    # a person at a terminal sees the live bar; a log gets one line per epoch
    log = ["--no-progress-bar"] if sys.stderr.isatty() else ["--log-output", "--no-progress-bar"]
    files = [str(notebooks / runs.NOTEBOOK), str(product), "-k", "python3", "--cwd", str(notebooks)]
    command = [sys.executable, "-m", "papermill", *files, *log, *options]
    # figures whatever the caller draws with, and the environment's own kernel whatever another installation put first
    kernel = {"MPLBACKEND": "", "JUPYTER_PATH": "", "JUPYTER_PREFER_ENV_PATH": "1"}
    try:
        if status := runs.execute(command, os.environ | kernel, product):
            print(f"the notebook, as far as it ran: {display_path(product)}", file=sys.stderr)
            return status
    except Interrupted as stopped:
        again = shlex.join([*options, "-p", "resume", "True"])
        print(f'{stopped}: make train PARAMETERS="{again}"', file=sys.stderr)
        return INTERRUPTED
    runs.show(runs.file_product(product))
    return 0


@_says_what_is_wrong
def publish(arguments: Sequence[str] | None = None) -> int:
    """Make a run of one's own the published one; print which files are new."""
    parser = _parser(publish)
    parser.add_argument("folder", nargs="?", type=resolve, default=OWN_FOLDER)
    for path in runs.publish(parser.parse_args(arguments).folder):
        print(f"published {display_path(path)}")
    return 0


def seal(arguments: Sequence[str] | None = None) -> int:
    """Give records and weights a digest where they have none; return 1 if one is not what its digest says."""
    parser = _parser(seal)
    parser.add_argument("files", nargs="*", type=resolve, help="default: all published ones")
    status = 0
    for path in parser.parse_args(arguments).files or _published():
        try:
            if (seal_weights if path.suffix == ".safetensors" else seal_file)(path):
                print(f"sealed {display_path(path)}")
        except (OSError, ValueError) as error:
            print(f"{display_path(path)}: {error}", file=sys.stderr)
            status = 1
    return status


def _published() -> list[Path]:
    records = resolve(runs.RECORDS)
    found = [*records.rglob("*.json"), *records.rglob(WEIGHTS_FILE)]
    return sorted(path for path in found if not path.is_relative_to(resolve(runs.OWN)))
