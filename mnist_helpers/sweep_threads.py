"""One process a core against one process on all cores: the same runs both ways, in turn (`make compare-threads`).

Writes `outputs/sweep_threads.json`. Seconds are the machine's; read the ratios.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence

import torch
from tqdm import tqdm

from mnist_helpers.config import PUBLISHED_FOLDER, RunConfig, make_config
from mnist_helpers.engines import local_engine
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import resolve
from mnist_helpers.provenance import code_version
from mnist_helpers.records import FinishedRun
from mnist_helpers.results import RunResults, describe_environment

RECORD = "sweep_threads.json"


def train_all(configs: Sequence[RunConfig], processes: int, threads: int) -> list[RunResults]:
    """Return the results of all runs.

    Raises:
        RuntimeError: a run failed.
    """
    records = [record for ended in local_engine(processes, threads)(configs, code_version()) for record in ended]
    for record in records:
        if not isinstance(record, FinishedRun):
            raise RuntimeError(record.error)
    return [record.results for record in records]


def compare(config: RunConfig, cores: int, repeats: int, bar: tqdm) -> dict[str, float | list[float]]:
    """Train one run a core side by side with one thread each, then one after the other on all cores.

    Seconds are those of the epochs: a process takes as long to start either way. Side by side the longest run counts,
    one after the other their sum. Every repeat begins with the other way than the one before.
    """
    seconds: dict[str, list[float]] = {"process_a_core": [], "all_cores": []}
    for repeat in range(repeats):
        for way in sorted(seconds, reverse=repeat % 2 == 0):
            with tempfile.TemporaryDirectory() as folder:
                configs = [
                    config.model_copy(update={"seed": seed, "output_dir": f"{folder}/{seed}"})
                    for seed in range(cores)
                ]
                side_by_side = way == "process_a_core"
                runs = train_all(configs, *((cores, 1) if side_by_side else (1, cores)))
            took = [run.training_time_seconds for run in runs]
            seconds[way].append(max(took) if side_by_side else sum(took))
            bar.update()
    ratios = [side / whole for side, whole in zip(seconds["process_a_core"], seconds["all_cores"], strict=True)]
    return {
        **{f"seconds_{way}": [round(value, 3) for value in values] for way, values in seconds.items()},
        "ratio": round(statistics.median(ratios), 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.sweep_threads", description=__doc__)
    parser.add_argument("--models", nargs="+", default=["final", "baseline", "fast"])
    parser.add_argument("--train-size", type=int, default=10_000, help="images of the one epoch that is timed")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output-dir", default=PUBLISHED_FOLDER)
    options = parser.parse_args(arguments)
    cores = torch.get_num_threads()
    if cores == 1:
        parser.error("there is one core (or OMP_NUM_THREADS=1): both ways are the same")
    common = {"epochs": 1, "train_size": options.train_size, "device": "cpu", "output_dir": options.output_dir}
    configs = {model: make_config(model=model, **common) for model in options.models}
    with tqdm(total=2 * options.repeats * len(configs), unit="measurement") as bar:
        models = {model: compare(config, cores, options.repeats, bar) for model, config in configs.items()}
    record = {
        "what": "seconds of as many runs as there are cores; ratio: one process a core to one process on all cores",
        "train_size": options.train_size,
        "cores": cores,
        "environment": describe_environment(torch.device("cpu")).model_dump(),
        "models": models,
    }
    write_text_atomically(resolve(options.output_dir) / RECORD, json.dumps(record, indent=1) + "\n")
    for model, entry in models.items():
        print(f"{model:12s} one process a core takes {entry['ratio']:.2f} of the time of one process on all cores")


if __name__ == "__main__":
    main()
