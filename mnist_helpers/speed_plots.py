"""The pictures of notebook 09: what every step saved and kept, and filters before they learn."""

from collections.abc import Sequence

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from mnist_helpers.plots import BLUE, ORANGE, WIDTH, plot_digits
from mnist_helpers.speedups import Speedups, Step
from mnist_helpers.study import read_study


def plot_speedups(speedups: Speedups, steps: Sequence[Step], title: str) -> Figure:
    """Draw the seconds of every step's training, and beside them its seeds' errors on held-out images."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(WIDTH, 0.42 * len(steps) + 1.4), layout="constrained", sharey=True
    )
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
    names = [f"{number}" for number in range(1, len(weights) + 1)]
    return plot_digits(weights[:, 0], names, 8, title, limits=(-most, most))
