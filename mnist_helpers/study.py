"""One setting over several seeds: mean and spread instead of a lucky run.

`python -m mnist_helpers.study NAME --set batch_size=64 --seeds 0 1 2` writes `outputs/studies/NAME.json`.
"""

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import PurePath
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from mnist_helpers.config import TRIAL_FOLDER, RunConfig, make_config
from mnist_helpers.data import load_split
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.results import RESULTS_FILE, RunResults, read_results, write_results
from mnist_helpers.training import train

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
    """What differs from the defaults of `RunConfig`."""
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


def run_one(name: str, settings: dict[str, Any], seed: int) -> RunResults:
    """Train one seed on one thread, or read its results if it is done; an interrupted run continues."""
    torch.set_num_threads(1)
    folder = PurePath(TRIAL_FOLDER) / name / f"seed_{seed}"
    config = make_config(**settings, seed=seed, output_dir=str(folder), resume=True)
    if (config.output_folder() / RESULTS_FILE).exists():
        done = read_results(config.output_folder())
        if not config.training_differences(done.config):
            return done
    split = load_split(config.data_dir, config.validation_size, config.train_size, config.seed)
    results = train(config, split, show=False)[1]
    write_results(results, config.output_folder())
    return results


def run_studies(settings: Mapping[str, Mapping[str, Any]], seeds: Sequence[int], processes: int) -> Iterator[Study]:
    """Train every named setting with every seed, `processes` runs at a time with one thread each.

    A study's record is written when its last seed is done. Small networks gain little from a second thread, so one
    process a core does more in the same time.

    Raises:
        ConfigError: a setting is not allowed; no run has started then.
    """
    # the record shows values as they were understood
    understood = {name: _understood(chosen) for name, chosen in settings.items()}
    with (
        ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool,
        tqdm(total=len(settings) * len(seeds), unit="run") as bar,
    ):
        futures = {
            pool.submit(run_one, name, chosen, seed): name for name, chosen in understood.items() for seed in seeds
        }
        finished: dict[str, list[RunResults]] = {name: [] for name in settings}
        for future in as_completed(futures):
            name = futures[future]
            finished[name].append(future.result())
            bar.update()
            if len(finished[name]) == len(seeds):
                yield _write_study(name, understood[name], finished[name])


def _understood(settings: Mapping[str, Any]) -> dict[str, Any]:
    config = make_config(**settings, output_dir=STUDIES)
    return {key: value for key, value in config.model_dump(mode="json").items() if key in settings}


def _write_study(name: str, settings: dict[str, Any], runs: list[RunResults]) -> Study:
    runs = sorted(runs, key=lambda results: results.config.seed)
    last = [results.history[-1] for results in runs]
    study = Study(
        name=name,
        settings=settings,
        **{
            figure: spread([getattr(record, figure) for record in last])
            for figure in ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss")
        },
        runs=runs,
    )
    write_text_atomically(resolve(STUDIES) / f"{name}.json", study.model_dump_json(indent=1) + "\n")
    return study


def read_study(name: str) -> Study:
    """Read the record of a study.

    Raises:
        FileNotFoundError: it has not been run; the module's first lines say how.
    """
    return Study.model_validate_json((PROJECT_ROOT / STUDIES / f"{name}.json").read_text(encoding="utf-8"))


def find_study(config: RunConfig) -> Study | None:
    """Return the recorded study of just these settings over several seeds, if there is one."""
    for path in sorted((PROJECT_ROOT / STUDIES).glob("*.json")):
        study = read_study(path.stem)
        if not config.model_copy(update={"seed": study.runs[0].config.seed}).training_differences(
            study.runs[0].config
        ):
            return study
    return None


def print_study(study: Study) -> None:
    """Print the spread of a study's accuracies."""
    for figure in ("test_accuracy", "validation_accuracy"):
        found = getattr(study, figure)
        print(
            f"{study.name} {figure.replace('_', ' ')}: {found.mean:.3%} ± {found.std:.3%} (n = {found.n}, "
            f"{found.minimum:.2%} to {found.maximum:.2%})"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a study from the command line and print its spreads."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.study", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE", dest="settings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--processes", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    settings = dict(pair.split("=", maxsplit=1) for pair in options.settings)
    for study in run_studies({options.name: settings}, options.seeds, options.processes):
        print_study(study)


if __name__ == "__main__":
    main()
