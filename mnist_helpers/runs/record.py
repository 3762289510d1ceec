"""A finished run: its results and notebook on disk, the course's goals, which run a person means by "the last".

Published records and a person's own runs are two things: own runs go below `outputs/own`, which git ignores.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from mnist_helpers.files import write_atomically, write_text_atomically
from mnist_helpers.networks import PARAMETER_BUDGET, SHARED_FOLDER, WEIGHTS_FILE
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.places import NOTEBOOK, RESULTS_FILE, RUN_FIGURES
from mnist_helpers.training import EPOCH_BUDGET, EPOCH_HEADER, Results, format_epoch

RunResults = Results[RunConfig]

PUBLISHED = "outputs/published"
OWN = "outputs/own"
FIGURES = "outputs/figures"
RECORDS = "outputs"  # what commands measured, one file each
ACCURACY_GOAL = 0.994


def write_results(results: Results, folder: Path) -> Path:
    """Write `results.json` into `folder`, whole or not at all, and return its path."""
    path = folder / RESULTS_FILE
    write_text_atomically(path, results.model_dump_json(indent=1) + "\n")
    return path


def read_results(folder: str | Path = PUBLISHED) -> RunResults:
    """Read `results.json` from `folder`; a relative path is taken from the project's top folder.

    Raises FileNotFoundError: no run has finished there; ValueError: the file is not the results of a run.
    """
    path = resolve(folder) / RESULTS_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is not there; run: make train")
    try:
        return RunResults.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ValueError(f"{display_path(path)} is not the results of a run ({where} {problem['msg']})") from None


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


def file_product(product: Path) -> Path:
    """Move a notebook that papermill executed into the folder its parameters wrote to; return that folder."""
    import nbformat  # papermill's, and needed here only

    parameters = nbformat.read(product, as_version=4).metadata.papermill.parameters
    folder = make_config(**parameters).output_folder()
    shutil.move(product, folder / NOTEBOOK)
    return folder


def publish(folder: Path) -> list[Path]:
    """Make a run of one's own the published one, its notebook the course's; return the files that are new.

    Its weights go where `load("final")` finds them; `make models` makes anew what is made of them. Raises ValueError:
    it has other settings than the course's; FileNotFoundError: a part of it is missing.
    """
    if differences := read_results(folder).config.training_differences(RunConfig()):
        raise ValueError(f"only a run with the course's settings is published; here {'; '.join(differences)}")
    places = {name: resolve(PUBLISHED) for name in (RESULTS_FILE, NOTEBOOK)}
    places |= {WEIGHTS_FILE: resolve(SHARED_FOLDER) / "final"}
    places |= {name: resolve(FIGURES) for name in RUN_FIGURES}
    if missing := [name for name in places if not (folder / name).exists()]:
        raise FileNotFoundError(f"{display_path(folder)} has no {', '.join(missing)}")
    targets = [place / name for name, place in places.items()] + [resolve("notebooks") / NOTEBOOK]
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, partial(_copy, folder / target.name))
    return targets


def _copy(source: Path, stream: IO[bytes]) -> None:
    stream.write(source.read_bytes())
