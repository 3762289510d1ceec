"""Time the reference's recipe, a public one and ours side by side: `make bench` writes `outputs/benchmark.json`.

Seconds are the machine's; read the ratios. `--quick` measures little and checks the ratios with a wide margin.
"""

import argparse
from collections.abc import Sequence
from functools import partial

import torch
from pydantic import BaseModel

from mnist_helpers.benchmarks.epoch import PIL, REFERENCE, measure_epochs, plot_epochs
from mnist_helpers.benchmarks.growth import WHOLE, Arithmetic, arithmetic, measure_growth, plot_growth
from mnist_helpers.benchmarks.measure import Measured, compare, read_record, take_turns, write_record
from mnist_helpers.benchmarks.trainings import (
    FAST_RUN,
    PEER_RUN,
    REFERENCE_RUN,
    RUNS,
    SEEDS,
    SPRINT_RUN,
    Reached,
    measure_runs,
    plot_trainings,
    reached,
)
from mnist_helpers.training import Environment, describe_environment

BATCHES, QUICK_BATCHES = 100, 20
"""Training batches timed where a run of fifteen epochs is not run whole."""
REPEATS = 3
QUICK_LIMITS = {FAST_RUN: 1 / 40, SPRINT_RUN: 1 / 120}
"""Highest allowed ratio to the reference's recipe; `make bench` finds less than half of each."""


class Benchmark(BaseModel, frozen=True):
    """The record; in every group the contestants took turns, each repeat in a process of its own."""

    environment: Environment
    epoch: dict[str, Measured]
    """One epoch of the final network, evaluation included."""
    runs: dict[str, Measured]
    """Whole trainings, evaluation excluded."""
    reached: dict[str, Reached]
    growth: dict[str, Measured]
    """The fast recipe with one thing changed."""
    arithmetic: Arithmetic
    peak_memory_bytes: int
    """Of a process that loads MNIST and trains by the fast recipe."""


def read_benchmark() -> Benchmark:
    """Read `outputs/benchmark.json`; raises FileNotFoundError where `make bench` has not been run."""
    return read_record(Benchmark, "benchmark")


def run_benchmark() -> Benchmark:
    """Measure everything, which takes hours."""
    epochs = take_turns(partial(measure_epochs, BATCHES), REPEATS)
    runs = take_turns(partial(measure_runs, BATCHES, RUNS), SEEDS)
    growth = take_turns(measure_growth, REPEATS)
    grown = compare(growth, [])
    return Benchmark(
        environment=describe_environment(torch.device("cpu")),
        epoch=compare(epochs, [REFERENCE, PIL]),
        runs=compare(runs, [REFERENCE_RUN, PEER_RUN]),
        reached=reached(runs),
        growth=grown,
        arithmetic=arithmetic(grown),
        peak_memory_bytes=max(taken.peak_memory_bytes for taken in growth[WHOLE]),
    )


def quick_failures() -> list[str]:
    """Run the reference's recipe and those with a limit twice; return the names of those above it."""
    found = take_turns(partial(measure_runs, QUICK_BATCHES, (REFERENCE_RUN, *QUICK_LIMITS)), repeats=2)
    ratios = {name: one.ratios[REFERENCE_RUN] for name, one in compare(found, [REFERENCE_RUN]).items()}
    for name, limit in QUICK_LIMITS.items():
        print(f"{name}: 1/{1 / ratios[name]:.0f} of the reference's time, limit 1/{1 / limit:.0f}")
    return [name for name, limit in QUICK_LIMITS.items() if ratios[name] > limit]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and save; with `--quick` save nothing, and return 1 when a ratio is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the ratios of whole trainings, save nothing")
    if parser.parse_args(arguments).quick:
        return 1 if quick_failures() else 0
    found = run_benchmark()
    write_record(
        found,
        "benchmark",
        benchmark=plot_epochs(found.epoch),
        benchmark_runs=plot_trainings(found.runs, found.reached),
        benchmark_growth=plot_growth(found.growth),
    )
    for name, measured in (found.epoch | found.runs | found.growth).items():
        ratios = " ".join(f"{ratio:8.4f}×" for ratio in measured.ratios.values())
        print(f"{name:50s} {measured.median_seconds:9.2f} s {ratios}")
    print(f"arithmetic: {found.arithmetic.share:.0%} of the matrix product's rate")
    print(f"peak memory: {found.peak_memory_bytes / 1e9:.2f} GB")
    return 0
