"""A finished run: its results and notebook on disk, the course's goals, which run a person means by "the last".

Published records and a person's own runs are two things: own runs go below `outputs/own`, which git ignores.
"""

from functools import partial
from pathlib import Path
from typing import IO

from torch import nn

from mnist_helpers.files import write_together
from mnist_helpers.networks import PARAMETER_BUDGET, PUBLISHED, SHARED_FOLDER, WEIGHTS_FILE, read_texts
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import RESULTS_FILE, check_mark, read_record, record_text, write_record
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.executed import notebook_mark
from mnist_helpers.runs.places import NOTEBOOK, RUN_FIGURES
from mnist_helpers.runs.weights import load_weights, weights_file
from mnist_helpers.training import EPOCH_BUDGET, EPOCH_HEADER, Results, format_epoch

RunResults = Results[RunConfig]

OWN = "outputs/own"
FIGURES = "outputs/figures"
ACCURACY_GOAL = 0.994


def write_results(results: Results, folder: Path) -> Path:
    """Write `results.json` into `folder`, whole or not at all, and return its path."""
    path = folder / RESULTS_FILE
    write_record(path, results)
    return path


def keep(network: nn.Module, results: RunResults, folder: Path) -> str:
    """Write results and weights of a run into `folder`, both or neither; return a line with their names and its mark.

    The mark is in both files, and in the notebook where the line is printed. Raises WriteError: the disk is full.
    """
    weights = weights_file(network, results.config, results.run)
    write_together({folder / RESULTS_FILE: record_text(results).encode(), folder / WEIGHTS_FILE: weights})
    return f"kept in {display_path(folder)}: {RESULTS_FILE}, {WEIGHTS_FILE} (run {results.run})"


def read_results(folder: str | Path = PUBLISHED) -> RunResults:
    """Read `results.json` from `folder`; a relative path is taken from the project's top folder.

    Raises FileNotFoundError: no run has finished there; ValueError: the file is not the results of a run, is damaged,
    or the weights beside it are of another run.
    """
    path = resolve(folder) / RESULTS_FILE
    results = read_record(path, RunResults, "the results of a run", "run: make train")
    weights = path.with_name(WEIGHTS_FILE)
    try:
        mark = read_texts(weights.read_bytes()).get("run")
    except (OSError, ValueError):
        return results  # who reads the weights says what is wrong with them
    check_mark(path, mark, weights)
    return results


def last_run() -> Path:
    """Return the folder of the newest of a person's own runs, or that of the published one."""
    own = resolve(OWN).glob(f"**/{RESULTS_FILE}")
    return max(own, key=lambda path: path.stat().st_mtime, default=resolve(PUBLISHED) / RESULTS_FILE).parent


def show(folder: Path) -> None:
    """Print a finished run: history, headline, and what it ran on. Raises as `read_results`."""
    results = read_results(folder)
    environment, accuracy = results.environment, results.final_test_accuracy
    print("\n".join([EPOCH_HEADER, *map(format_epoch, results.history)]))
    print(
        f"\n{display_path(folder)}: {results.config.model}, seed {results.config.seed}: "
        f"{'no test images' if accuracy is None else f'{accuracy:.2%} on the test set'} "
        f"after epoch {results.total_epochs}, {results.total_parameters:,} parameters, "
        f"{results.training_time_seconds / 60:.1f} minutes on {environment.device} ({environment.threads} threads), "
        f"torch {environment.torch}"
    )
    since = 1
    for stretch in results.earlier:
        one = stretch.environment
        print(
            f"epochs {since} to {stretch.last_epoch} on {one.device} ({one.threads} threads), torch {one.torch}, "
            f"code {one.sources}"
        )
        since = stretch.last_epoch + 1
    notebook = folder / NOTEBOOK
    if notebook.exists() and (mark := notebook_mark(notebook)) != results.run:
        print(f"{NOTEBOOK} there is of another run ({mark or 'no mark'}, the results {results.run or 'no mark'})")


def check_goals(accuracy: float, parameters: int, epochs: int) -> dict[str, bool]:
    """Return each goal with what was found, and whether it is reached; `accuracy` is a share, a mean over seeds."""
    return {
        f"test accuracy above {ACCURACY_GOAL:.1%}, mean over seeds: {accuracy:.2%}": accuracy > ACCURACY_GOAL,
        f"fewer than {PARAMETER_BUDGET:,} parameters: {parameters:,}": parameters < PARAMETER_BUDGET,
        f"fewer than {EPOCH_BUDGET} epochs: {epochs}": epochs < EPOCH_BUDGET,
    }


def format_goals(accuracy: float, parameters: int, epochs: int) -> str:
    """Return one line a goal, `yes` or `no`."""
    found = check_goals(accuracy, parameters, epochs)
    return "\n".join(f"{'yes' if reached else 'no':4s} {goal}" for goal, reached in found.items())


def publish(folder: Path) -> list[Path]:
    """Make a run of one's own the published one, its notebook the course's; return the files that are new.

    Its weights go where `load("final")` finds them; `make models` makes anew what is made of them. Nothing is
    published before all of it is written. Raises ValueError: it has other settings than the course's, or its files
    are of more than one run; FileNotFoundError: a part of it is missing; WriteError: the disk is full.
    """
    if differences := read_results(folder).config.training_differences(RunConfig()):
        raise ValueError(f"only a run with the course's settings is published; here {'; '.join(differences)}")
    places = {name: resolve(PUBLISHED) for name in (RESULTS_FILE, NOTEBOOK)}
    places |= {WEIGHTS_FILE: resolve(SHARED_FOLDER) / "final"}
    places |= {name: resolve(FIGURES) for name in RUN_FIGURES}
    if missing := [name for name in places if not (folder / name).exists()]:
        raise FileNotFoundError(f"{display_path(folder)} has no {', '.join(missing)}")
    load_weights(folder)
    check_mark(folder / RESULTS_FILE, notebook_mark(folder / NOTEBOOK), folder / NOTEBOOK)
    targets = [place / name for name, place in places.items()] + [resolve("notebooks") / NOTEBOOK]
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    write_together({target: partial(_copy, folder / target.name) for target in targets})
    return targets


def _copy(source: Path, stream: IO[bytes]) -> None:
    stream.write(source.read_bytes())
