"""The pictures of runs: their epochs, their seeds, and several settings side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from mnist_helpers.looking.plots import BLUE, GREEN, GREY, ORANGE, look, panels
from mnist_helpers.sweeps import Study
from mnist_helpers.training import EpochRecord


def plot_history(history: Sequence[EpochRecord]) -> Figure:
    """Draw loss and error of every epoch for training, validation and, where the run had them, test images."""
    epochs = [record.epoch for record in history]
    figure, (left, right) = panels(3.6, 1, 2)
    highest = 2.0
    for name, colour, style in (("train", GREY, ":"), ("validation", ORANGE, "--"), ("test", BLUE, "-")):
        losses = [getattr(record, f"{name}_loss") for record in history]
        if None in losses:
            continue
        errors = [100 * (1 - getattr(record, f"{name}_accuracy")) for record in history]
        highest = max(highest, *errors)
        left.plot(epochs, losses, style, color=colour, marker=".", label=name)
        right.plot(epochs, errors, style, color=colour, marker=".", label=name)
    left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    right.axhline(0.6, color=GREEN, linewidth=1)
    right.annotate("99.4 % right", (epochs[0], 0.6), xytext=(0, 3), textcoords="offset points", color=GREEN)
    # linear near 0: an epoch may have no validation error at all
    right.set_yscale("symlog", linthresh=0.5)
    ticks = [0, 0.25, 0.5, 1, 2, 5, 10, 20, 50]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    right.set(title="Error", xlabel="epoch", ylabel="wrong (%)", ylim=(0, 1.2 * highest))
    left.legend()
    return figure


def plot_seeds(accuracies: Sequence[float], this: float, interval: tuple[float, float]) -> Figure:
    """Draw test accuracies (shares) of several seeds, their mean and deviation, and one run with its interval."""
    percent = 100 * np.array(accuracies)
    mean, std = percent.mean(), percent.std(ddof=1)
    figure, axis = panels(1.9)
    axis.axvspan(mean - std, mean + std, color=BLUE, alpha=0.15)
    axis.axvline(mean, color=BLUE)
    axis.axvline(99.4, color=GREEN, linestyle="--")
    axis.annotate("99.4 %", (99.4, 1.2), xytext=(-4, 0), textcoords="offset points", ha="right", color=GREEN)
    axis.plot(percent, np.ones(len(percent)), "o", color=BLUE)
    low, high = (100 * bound for bound in interval)
    axis.errorbar(100 * this, 0, xerr=[[100 * this - low], [high - 100 * this]], fmt="D", color=ORANGE, capsize=4)
    axis.set_yticks([0, 1], ["this run and its\n95 % interval", f"{len(percent)} seeds"])
    axis.set(title=f"Mean {mean:.2f} % ± {std:.2f} % over seeds", xlabel="test accuracy (%)", ylim=(-0.6, 1.6))
    return figure


def plot_runs(histories: Mapping[str, Sequence[EpochRecord]], title: str) -> Figure:
    """Draw training loss and validation error of several runs, epoch by epoch."""
    figure, (left, right) = panels(3.4, 1, 2)
    for index, (name, history) in enumerate(histories.items()):
        epochs = [record.epoch for record in history]
        left.plot(epochs, [record.train_loss for record in history], label=name, **look(index))
        right.plot(epochs, [100 * (1 - record.validation_accuracy) for record in history], **look(index))
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    right.set(title="Validation error", xlabel="epoch", ylabel="wrong (%)", yscale="log")
    for axis in (left, right):
        label_plainly(axis.yaxis)
        axis.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=8)
    figure.suptitle(title)
    return figure


def plot_studies(studies: Sequence[Study], title: str, names: Sequence[str] | None = None) -> Figure:
    """Draw the test accuracy of every seed and its mean, one row a study."""
    figure, axis = panels(0.45 * len(studies) + 1.3)
    draw_studies(axis, studies, names or [study.name for study in studies])
    axis.set_title(title)
    return figure


def draw_studies(axis: Axes, studies: Sequence[Study], names: Sequence[str]) -> None:
    """Draw each study's seeds as dots and its mean as a bar, on an axis of errors that is logarithmic."""
    for row, study in enumerate(studies):
        errors = [100 * (1 - run.final_test_accuracy) for run in study.runs]
        mean = 100 * (1 - study.test_accuracy.mean)
        axis.plot(errors, [row] * len(errors), "o", color=BLUE, alpha=0.6)
        axis.plot([mean], [row], "|", color=ORANGE, markersize=18, markeredgewidth=3)
        axis.annotate(f"{100 - mean:.2f} %", (mean, row), (0, 9), textcoords="offset points", ha="center", fontsize=8)
    axis.axvline(0.6, color=GREEN, linestyle="--", linewidth=1)
    axis.set_yticks(range(len(studies)), list(names))
    axis.set(xlabel="wrong on the test set (%); dots: seeds, bar: mean, dashed: 99.4 % right", xscale="log")
    axis.set_ylim(len(studies) - 0.5, -0.7)
    axis.invert_xaxis()
    label_plainly(axis.xaxis)


def label_plainly(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, as densely as its range leaves room for."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_formatter("{x:g}")
    if high / low > 10:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_minor_formatter("{x:g}")
        axis.set_tick_params(which="minor", labelsize=8)
