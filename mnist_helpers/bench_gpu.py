"""Trainings on a GPU, from a cold start and warm, beside a public one: `make bench-gpu` writes their record.

Counted is everything from images in the GPU's memory to final weights, augmentation included, evaluation not.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import psutil
import torch
from pydantic import BaseModel, ConfigDict

from mnist_helpers.bench_runs import FAST_RUN, PEER_RUN, WHOLE, Reached, reached, whole_training
from mnist_helpers.config import PUBLISHED_FOLDER, RunConfig
from mnist_helpers.data import load_split
from mnist_helpers.evaluation import evaluate
from mnist_helpers.files import write_text_atomically
from mnist_helpers.measure import Measured, Result, Taken, compare, take_turns, timed
from mnist_helpers.paths import resolve
from mnist_helpers.results import Environment, describe_environment
from mnist_helpers.study import format_spread

RECORD = f"{PUBLISHED_FOLDER}/benchmark_gpu.json"
STARTED = "cold: Python and imports"
UPLOADED = "cold: device opened, images uploaded"
FIRST = "cold: a process' first training, fast"
RUNS = (FAST_RUN, *(name for name in (*WHOLE, PEER_RUN) if name != FAST_RUN))
NAMES = (STARTED, UPLOADED, FIRST, *RUNS)
SEEDS = 10


class GpuBenchmark(BaseModel):
    """The record; every seed has a process of its own, in which each contestant is timed at its second training."""

    model_config = ConfigDict(frozen=True)

    environment: Environment
    measured: dict[str, Measured]
    """By `NAMES`, with ratios to the peer."""
    reached: dict[str, Reached]


def timed_on(device: torch.device, work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds until `device` has done all that `work()` asks of it, and what `work()` returns."""

    def finished() -> Result:
        result = work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return result

    return timed(finished)


def measure_device(device: torch.device, train_size: int | None, repeat: int) -> Iterator[Taken]:
    """Time a process from its start to a warm training of every contestant, with `repeat` as their seed."""
    yield Taken(STARTED, time.time() - psutil.Process().create_time())
    defaults = RunConfig()
    in_memory = load_split(defaults.data_dir, defaults.validation_size, train_size, repeat)
    seconds, split = timed_on(device, partial(in_memory.to, device))
    yield Taken(UPLOADED, seconds)
    for name in RUNS:
        training = whole_training(name, split.train, repeat)
        seconds, _ = timed_on(device, training)
        if name == FAST_RUN:
            yield Taken(FIRST, seconds)
        seconds, network = timed_on(device, training)
        yield Taken(name, seconds, evaluate(network, split.test).accuracy)


def main() -> int:
    """Measure, save and print; return 2 where there is no GPU."""
    if not torch.cuda.is_available():
        print("there is no GPU that torch can use here; make bench measures on the CPU", file=sys.stderr)
        return 2
    device = torch.device("cuda")
    found = take_turns(partial(measure_device, device, None), NAMES, SEEDS)
    benchmark = GpuBenchmark(
        environment=describe_environment(device), measured=compare(found, [PEER_RUN]), reached=reached(found)
    )
    write_text_atomically(resolve(RECORD), benchmark.model_dump_json(indent=1) + "\n")
    for name, measured in benchmark.measured.items():
        accuracy = format_spread(benchmark.reached[name].test_accuracy) if name in benchmark.reached else ""
        print(f"{name:40s} {measured.median_seconds:7.3f} s {measured.ratios[PEER_RUN]:7.2f}× {accuracy}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
