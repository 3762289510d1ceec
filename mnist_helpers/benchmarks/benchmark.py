"""The reference's recipe, a public one and ours timed side by side. Seconds are the machine's; read the ratios."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

import torch

from mnist_helpers.benchmarks.growth import WHOLE, Arithmetic, arithmetic, measure_growth, plot_growth
from mnist_helpers.benchmarks.measure import Measured, Record, compare, take_turns
from mnist_helpers.benchmarks.reference import PIL, REFERENCE, measure_epochs, plot_epochs
from mnist_helpers.benchmarks.trainings import (
    FAST_RUN,
    PEER_RUN,
    REFERENCE_RUN,
    RUNS,
    SPRINT_RUN,
    Reached,
    measure_device,
    measure_runs,
    plot_trainings,
    reached,
)
from mnist_helpers.sweeps import format_spread
from mnist_helpers.training import describe_environment

REPEATS, SEEDS = 3, 10
# highest allowed ratios to the reference's recipe; `make bench` finds less than half of each
QUICK_LIMITS = {FAST_RUN: 1 / 40, SPRINT_RUN: 1 / 120}
BATCHES = 100  # of training, timed where a run of fifteen epochs is not run whole


class Trainings(Record, frozen=True):
    """Whole trainings, evaluation excluded; the contestants took turns, each repeat in a process of its own."""

    NAME = "benchmark_gpu"
    runs: dict[str, Measured]
    reached: dict[str, Reached]


class Benchmark(Trainings, frozen=True):
    """The record of the CPU: also an epoch of the final network in all versions, and what the fast recipe takes."""

    NAME = "benchmark"
    epoch: dict[str, Measured]
    growth: dict[str, Measured]
    arithmetic: Arithmetic
    peak_memory_bytes: int  # of a process that loads MNIST and trains


read_benchmark = Benchmark.read


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure on the CPU, print and save."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check ratios of whole trainings only, save nothing")
    if parser.parse_args(arguments).quick:
        return quick()
    epochs = take_turns(partial(measure_epochs, BATCHES), REPEATS)
    runs = take_turns(partial(measure_runs, BATCHES, RUNS), SEEDS)
    growth = take_turns(measure_growth, REPEATS)
    found = Benchmark(
        environment=describe_environment(torch.device("cpu")),
        runs=compare(runs, [REFERENCE_RUN, PEER_RUN]),
        reached=reached(runs),
        epoch=compare(epochs, [REFERENCE, PIL]),
        growth=compare(growth, []),
        arithmetic=arithmetic(compare(growth, [])),
        peak_memory_bytes=max(taken.peak_memory_bytes for taken in growth[WHOLE]),
    )
    pictures = {"benchmark": plot_epochs(found.epoch), "benchmark_growth": plot_growth(found.growth)}
    pictures["benchmark_runs"] = plot_trainings(found.runs, found.reached)
    found.write(**pictures)
    for name, measured in (found.epoch | found.runs | found.growth).items():
        ratios = " ".join(f"{ratio:8.4f}×" for ratio in measured.ratios.values())
        print(f"{name:50s} {measured.median_seconds:9.2f} s {ratios}")
    print(f"arithmetic: {found.arithmetic.share:.0%} of the matrix product's rate")
    print(f"peak memory: {found.peak_memory_bytes / 1e9:.2f} GB")
    return 0


def quick(batches: int = 20) -> int:
    """Print the ratios of the fast trainings to the reference's recipe; return 1 when one is above its limit."""
    contestants = partial(measure_runs, batches, (REFERENCE_RUN, *QUICK_LIMITS))
    measured = compare(take_turns(contestants, 2), [REFERENCE_RUN])
    ratios = {name: measured[name].ratios[REFERENCE_RUN] for name in QUICK_LIMITS}
    for name, limit in QUICK_LIMITS.items():
        print(f"{name}: 1/{1 / ratios[name]:.0f} of the reference's time, limit 1/{1 / limit:.0f}")
    return int(any(ratios[name] > limit for name, limit in QUICK_LIMITS.items()))


def main_gpu(arguments: Sequence[str] | None = None) -> int:
    """Measure whole trainings on a GPU, print and save; return 2 where there is none."""
    argparse.ArgumentParser(prog="python -m mnist_helpers bench-gpu", description=__doc__).parse_args(arguments)
    if not torch.cuda.is_available():
        print("there is no GPU that torch can use here; make bench measures on the CPU", file=sys.stderr)
        return 2
    device = torch.device("cuda")
    found = take_turns(partial(measure_device, device, None), SEEDS)
    measured, accuracies = compare(found, [PEER_RUN]), reached(found)
    Trainings(environment=describe_environment(device), runs=measured, reached=accuracies).write()
    for name, one in measured.items():
        accuracy = format_spread(accuracies[name].test_accuracy) if name in accuracies else ""
        print(f"{name:40s} {one.median_seconds:7.3f} s {one.ratios[PEER_RUN]:7.2f}× {accuracy}")
    return 0
