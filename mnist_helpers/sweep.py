"""Runs of many settings and seeds, one process a core, each kept as soon as it is done.

`python -m mnist_helpers.sweep NAME --set batch_size=64 --seeds 0 1 2` writes `outputs/studies/NAME.json`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import PurePath
from typing import Any

import torch
from tqdm import tqdm

from mnist_helpers.config import TRIAL_FOLDER, make_config
from mnist_helpers.data import load_split
from mnist_helpers.results import RESULTS_FILE, RunResults, read_results, write_results
from mnist_helpers.study import STUDIES, Study, format_studies, write_study
from mnist_helpers.training import train


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
                yield write_study(name, understood[name], finished[name])


def _understood(settings: Mapping[str, Any]) -> dict[str, Any]:
    config = make_config(**settings, output_dir=STUDIES)
    return {key: value for key, value in config.model_dump(mode="json").items() if key in settings}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a study from the command line and print its spreads."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.sweep", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--set", action="append", default=[], metavar="PARAMETER=VALUE", dest="settings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--processes", type=int, default=torch.get_num_threads())
    options = parser.parse_args(arguments)
    settings = dict(pair.split("=", maxsplit=1) for pair in options.settings)
    for study in run_studies({options.name: settings}, options.seeds, options.processes):
        print(format_studies([study]))


if __name__ == "__main__":
    main()
