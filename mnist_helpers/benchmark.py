"""Time the reference's recipe, a public one and ours side by side: `make bench` writes `outputs/benchmark.json`.

Seconds are the machine's; read the ratios. `--quick` measures little and checks the ratios with a wide margin.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

import torch
from pydantic import BaseModel, ConfigDict

from mnist_helpers import bench_epoch, bench_growth, bench_runs
from mnist_helpers.config import PUBLISHED_FOLDER
from mnist_helpers.files import write_text_atomically
from mnist_helpers.measure import Measured, compare, take_turns
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.results import Environment, describe_environment

BENCHMARK = f"{PUBLISHED_FOLDER}/benchmark.json"
QUICK_LIMITS = {bench_runs.FAST_RUN: 1 / 40, bench_runs.SPRINT_RUN: 1 / 120}
"""Highest allowed ratio to the reference's recipe; `make bench` finds less than half of each."""


class Benchmark(BaseModel):
    """The record; in every group the contestants took turns, each repeat in a process of its own."""

    model_config = ConfigDict(frozen=True)

    environment: Environment
    batches_timed: int
    """Training batches timed where a run of fifteen epochs is not run whole."""
    epoch: dict[str, Measured]
    """One epoch of the final network, evaluation included."""
    runs: dict[str, Measured]
    """Whole trainings, evaluation excluded."""
    reached: dict[str, bench_runs.Reached]
    growth: dict[str, Measured]
    """The fast recipe with one thing changed."""
    arithmetic: bench_growth.Arithmetic
    peak_memory_bytes: int
    """Of a process that loads MNIST and trains by the fast recipe."""


def read_benchmark() -> Benchmark:
    """Read `outputs/benchmark.json`.

    Raises:
        FileNotFoundError: `make bench` has not been run.
    """
    return Benchmark.model_validate_json((PROJECT_ROOT / BENCHMARK).read_text(encoding="utf-8"))


def run_benchmark(batches: int, repeats: int, seeds: int) -> Benchmark:
    """Measure everything: epochs and growth `repeats` times, whole trainings with `seeds` seeds."""
    epochs = take_turns(partial(bench_epoch.measure_epochs, batches), bench_epoch.VERSIONS, repeats)
    runs = take_turns(partial(bench_runs.measure_runs, batches, bench_runs.RUNS), bench_runs.RUNS, seeds)
    growth = take_turns(bench_growth.measure_growth, bench_growth.names(), repeats)
    grown = compare(growth, [])
    return Benchmark(
        environment=describe_environment(torch.device("cpu")),
        batches_timed=batches,
        epoch=compare(epochs, [bench_epoch.REFERENCE, bench_epoch.PIL]),
        runs=compare(runs, [bench_runs.REFERENCE_RUN, bench_runs.PEER_RUN]),
        reached=bench_runs.reached(runs),
        growth=grown,
        arithmetic=bench_growth.arithmetic(grown),
        peak_memory_bytes=max(taken.peak_memory_bytes for taken in growth[bench_growth.WHOLE]),
    )


def quick_failures(batches: int) -> list[str]:
    """Run the reference's recipe and those with a limit twice; return the names of those above it."""
    names = (bench_runs.REFERENCE_RUN, *QUICK_LIMITS)
    found = take_turns(partial(bench_runs.measure_runs, batches, names), names, repeats=2)
    measured = compare(found, [bench_runs.REFERENCE_RUN])
    failures = []
    for name, limit in QUICK_LIMITS.items():
        ratio = measured[name].ratios[bench_runs.REFERENCE_RUN]
        print(f"{name}: 1/{1 / ratio:.0f} of the reference's time, limit 1/{1 / limit:.0f}")
        if ratio > limit:
            failures.append(name)
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and save; with `--quick` save nothing, and return 1 when a ratio is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the ratios of whole trainings, save nothing")
    parser.add_argument("--batches", type=int, help="training batches timed each time (100; quick: 20)")
    parser.add_argument("--repeats", type=int, default=3, help="of epochs and growth")
    parser.add_argument("--seeds", type=int, default=10, help="whole trainings of each contestant")
    parser.add_argument("--output-dir", default=PUBLISHED_FOLDER)
    options = parser.parse_args(arguments)
    if options.quick:
        return 1 if quick_failures(options.batches or 20) else 0
    benchmark = run_benchmark(options.batches or 100, options.repeats, options.seeds)
    folder = resolve(options.output_dir)
    write_text_atomically(folder / "benchmark.json", benchmark.model_dump_json(indent=1) + "\n")
    pictures = {
        "benchmark": bench_epoch.plot_epochs(benchmark.epoch),
        "benchmark_runs": bench_runs.plot_runs(benchmark.runs, benchmark.reached),
        "benchmark_growth": bench_growth.plot_growth(benchmark.growth),
    }
    for name, figure in pictures.items():
        figure.savefig(folder / f"{name}.png", dpi=100)
    for name, measured in (benchmark.epoch | benchmark.runs | benchmark.growth).items():
        ratios = " ".join(f"{ratio:8.4f}×" for ratio in measured.ratios.values())
        print(f"{name:50s} {measured.median_seconds:9.2f} s {ratios}")
    print(f"arithmetic: {benchmark.arithmetic.share:.0%} of the matrix product's rate")
    print(f"peak memory: {benchmark.peak_memory_bytes / 1e9:.2f} GB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
