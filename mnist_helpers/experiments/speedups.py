"""Steps from the final network to the fast one, one change each, and what was tried; chosen by held-out images."""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from mnist_helpers.benchmarks import Measured, Record, Taken, compare, take_turns, timed
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.looking import BLUE, ORANGE, panels, plot_digits
from mnist_helpers.runs import FAST, GENTLE, NO_COLOUR_NO_BLANKING, RunConfig, make_config
from mnist_helpers.sweeps import format_spread, read_study
from mnist_helpers.training import describe_environment, fit

SHORT = 6  # a run of more epochs is timed over one and scaled
REPEATS = 3

# the final network's recipe in the words of `RunConfig`, so that the fast one's does not fill in
FINAL = {name: getattr(RunConfig(), name) for name in FAST}
GENTLER = {**FINAL, "augmentation": GENTLE | NO_COLOUR_NO_BLANKING}
SCHEDULE = ("epochs", "batch_size", "max_lr", "pct_start", "final_div_factor", "base_momentum", "max_momentum")
HURRIED = {**GENTLER, **{name: FAST[name] for name in SCHEDULE}, "epochs": 4}
SMOOTHED = {**HURRIED, "label_smoothing": FAST["label_smoothing"]}
WHITENED = {**SMOOTHED, "whitened": True}
FROZEN = {**WHITENED, "learning_epochs": (1, 3)}


def _step(name: str, change: str, seeds: Sequence[int] = range(10), **settings: Any) -> Experiment:
    return Experiment(f"speed_{name}", change, {"validation_size": 10_000, "model": "fast", **settings}, seeds)


STEPS = (
    _step("final", "the final network and recipe", range(3), **FINAL, model="final"),
    _step("strided", "a network strided at once", range(3), **FINAL),
    _step("gentler", "gentler augmentation, no colours", range(3), **GENTLER),
    _step("hurried", "4 epochs at five times the rate", **HURRIED),
    _step("smoothed", "+ label smoothing", **SMOOTHED),
    _step("whitened", "+ whitened first convolution", **WHITENED),
    _step("frozen", "+ blocks stop learning in turn", **FROZEN),
    _step("fast", "3 epochs: fast"),
)
TRIED = (
    _step("never_learns", "first block never learns", learning_epochs=(0, 2)),
    _step("batch_128", "batches of 128", batch_size=128),
    _step("batch_384", "batches of 384", batch_size=384),
    _step("bfloat16", "in bfloat16", precision="bfloat16"),
    _step("two_epochs", "2 epochs", epochs=2),
    _step("plain", "no augmentation", augmentation=None),
)


class Speedups(Record, frozen=True):
    """Seconds of every step's whole training on 50,000 images, evaluation excluded, the steps timed in turn."""

    NAME = "speedups"
    steps: dict[str, Measured]


read_speedups = Speedups.read


def time_steps(repeat: int) -> Iterator[Taken]:
    """Time the training of every step once; long runs by their first epoch."""
    for step in (*STEPS, *TRIED):
        config = make_config(**step.settings, seed=repeat, device="cpu")
        share = 1 if config.epochs <= SHORT else config.epochs
        shorter = config.but(epochs=config.epochs // share)
        yield Taken(step.name, share * timed(partial(fit, shorter.build, config.split().train, shorter))[0])


def format_speedups(speedups: Speedups, steps: Sequence[Experiment]) -> str:
    """Return one line a step: seconds, how many times the step before, held-out accuracy, seeds."""
    lines = [f"{'':34s} {'seconds':>8s} {'to the first':>13s} {'held-out accuracy':>18s}  seeds"]
    for step in steps:
        measured, accuracy = speedups.steps[step.name], read_study(step.name).validation_accuracy
        ratio = f"1/{1 / measured.ratios[STEPS[0].name]:.1f}"
        figures = f"{measured.median_seconds:8.1f} {ratio:>13s} {format_spread(accuracy):>18s}  {accuracy.n:5d}"
        lines.append(f"{step.change:34s} {figures}")
    return "\n".join(lines)


def plot_speedups(speedups: Speedups, steps: Sequence[Experiment], title: str) -> Figure:
    """Draw the seconds of every step's training, and beside them its seeds' errors on held-out images."""
    figure, (left, right) = panels(0.42 * len(steps) + 1.4, 1, 2, sharey=True)
    seconds = [speedups.steps[step.name].median_seconds for step in steps]
    bars = left.barh([step.change for step in steps], seconds, color=BLUE, height=0.6)
    left.bar_label(bars, [f" {value:,.1f} s" for value in seconds], fontsize=8)
    left.set(title="Whole training", xlabel="seconds (median)", xscale="log", xlim=(1, 5 * max(seconds)))
    for row, step in enumerate(steps):
        study = read_study(step.name)
        errors = [100 * (1 - run.history[-1].validation_accuracy) for run in study.runs]
        right.plot(errors, [row] * len(errors), "o", color=BLUE, alpha=0.5, markersize=4)
        mean = 100 * (1 - study.validation_accuracy.mean)
        right.plot([mean], [row], "|", color=ORANGE, markersize=16, markeredgewidth=3)
        right.annotate(f"{mean:.2f}", (mean, row), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8)
    right.set(title="Held-out error", xlabel="wrong (%); dots: seeds, bar: mean")
    left.set_ylim(len(steps) - 0.4, -0.8)
    figure.suptitle(title)
    return figure


def plot_filters(weights: Tensor, title: str) -> Figure:
    """Draw first-layer filters (C, 1, K, K), all on one scale: light takes away, dark adds."""
    most = float(weights.abs().max())
    return plot_digits(weights[:, 0], [str(n) for n in range(1, len(weights) + 1)], 8, title, limits=(-most, most))


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every step, save and print."""
    argparse.ArgumentParser(prog="python -m mnist_helpers time-speedups", description=__doc__).parse_args(arguments)
    found = take_turns(time_steps, REPEATS)
    speedups = Speedups(environment=describe_environment(torch.device("cpu")), steps=compare(found, [STEPS[0].name]))
    speedups.write()
    print(format_speedups(speedups, (*STEPS, *TRIED)))
    return 0
