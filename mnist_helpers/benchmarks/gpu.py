"""Trainings on a GPU, from a cold start and warm, beside a public one: `make bench-gpu` writes their record.

Counted is everything from images in the GPU's memory to final weights, augmentation included, evaluation not.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

import psutil
import torch
from pydantic import BaseModel

from mnist_helpers.benchmarks.measure import Measured, Taken, compare, take_turns, timed, write_record
from mnist_helpers.benchmarks.trainings import FAST_RUN, PEER_RUN, SEEDS, WHOLE, Reached, reached, whole_training
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps import format_spread
from mnist_helpers.training import Environment, describe_environment, evaluate

STARTED = "cold: Python and imports"
UPLOADED = "cold: device opened, images uploaded"
FIRST = "cold: a process' first training, fast"
RUNS = (FAST_RUN, *(name for name in (*WHOLE, PEER_RUN) if name != FAST_RUN))


class GpuBenchmark(BaseModel, frozen=True):
    """The record; every seed has a process of its own, in which each contestant is timed at its second training."""

    environment: Environment
    measured: dict[str, Measured]
    """With ratios to the peer."""
    reached: dict[str, Reached]


def measure_device(device: torch.device, train_size: int | None, repeat: int) -> Iterator[Taken]:
    """Time a process from its start to a warm training of every contestant, with `repeat` as their seed."""
    yield Taken(STARTED, time.time() - psutil.Process().create_time())
    in_memory = RunConfig(train_size=train_size, seed=repeat).split()
    seconds, split = timed(partial(in_memory.to, device), device)
    yield Taken(UPLOADED, seconds)
    for name in RUNS:
        training = whole_training(name, split.train, repeat)
        seconds, _ = timed(training, device)
        if name == FAST_RUN:
            yield Taken(FIRST, seconds)
        seconds, network = timed(training, device)
        yield Taken(name, seconds, evaluate(network, split.test).accuracy)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and save; return 2 where there is no GPU."""
    argparse.ArgumentParser(prog="python -m mnist_helpers bench-gpu", description=__doc__).parse_args(arguments)
    if not torch.cuda.is_available():
        print("there is no GPU that torch can use here; make bench measures on the CPU", file=sys.stderr)
        return 2
    device = torch.device("cuda")
    found = take_turns(partial(measure_device, device, None), SEEDS)
    measured, accuracies = compare(found, [PEER_RUN]), reached(found)
    record = GpuBenchmark(environment=describe_environment(device), measured=measured, reached=accuracies)
    write_record(record, "benchmark_gpu")
    for name, one in measured.items():
        accuracy = format_spread(accuracies[name].test_accuracy) if name in accuracies else ""
        print(f"{name:40s} {one.median_seconds:7.3f} s {one.ratios[PEER_RUN]:7.2f}× {accuracy}")
    return 0
