"""The pictures of notebooks 02 to 06: where parameters sit, signals, footprints, rates, and settings side by side."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from mnist_helpers.layer_table import Layer
from mnist_helpers.models import CLASSES
from mnist_helpers.plots import BLUE, GREEN, GREY, ORANGE, WIDTH
from mnist_helpers.results import EpochRecord
from mnist_helpers.study import Study

COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", GREY)
STYLES = ("-", "--", ":", "-.", "-")
MARKERS = ("o", "s", "^", "D", "v")


def plot_shares(rows: Sequence[Layer], title: str) -> Figure:
    """Draw each layer's share of the parameters and of the multiply-adds, in percent, where it has parameters."""
    rows = [row for row in rows if row.parameters]
    names = [f"{row.name}\n{row.kind}" for row in rows]
    figure, axes = plt.subplots(
        1, 2, figsize=(WIDTH, 0.42 * len(rows) + 1.2), layout="constrained", sharey=True, squeeze=True
    )
    for axis, figure_name, colour in zip(axes, ("parameters", "multiply_adds"), (BLUE, ORANGE), strict=True):
        values = np.array([getattr(row, figure_name) for row in rows])
        bars = axis.barh(names, 100 * values / values.sum(), color=colour)
        axis.bar_label(bars, [f" {value:,}" for value in values], fontsize=8)
        axis.set(title=figure_name.replace("_", "-"), xlabel="share (%)", xlim=(0, 118))
    axes[0].invert_yaxis()
    axes[0].tick_params("y", labelsize=8)
    figure.suptitle(title)
    return figure


def plot_signals(sizes: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the size of the signal after each layer (values by layer), one line for each name."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
    for (name, by_layer), colour, marker in zip(sizes.items(), COLOURS, MARKERS, strict=False):
        # by number: the same convolution has another name beside a BatchNorm
        axis.plot(range(1, len(by_layer) + 1), list(by_layer.values()), "-", marker=marker, color=colour, label=name)
    axis.set(title="Signal after each convolution, before training", ylabel="difference between images", yscale="log")
    axis.set_xlabel("convolution")
    axis.legend()
    return figure


def plot_footprint(footprint: Tensor, receptive_field: int) -> Figure:
    """Draw which pixels reach the middle unit (H, W), beside the square that the formula gives."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 4), layout="constrained")
    rows, columns = (footprint > 0).nonzero(as_tuple=True)
    corner = (columns.min().item() - 0.5, rows.min().item() - 0.5)
    pictures = (("Which pixels reach it", footprint > 0), ("How strongly, relative to the strongest", footprint))
    for axis, (title, picture) in zip(axes, pictures, strict=True):
        image = axis.imshow(picture / picture.max(), cmap="viridis")
        axis.add_patch(Rectangle(corner, receptive_field, receptive_field, fill=False, color=ORANGE, linewidth=2))
        axis.set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")
    figure.colorbar(image, ax=axes[1], shrink=0.8)
    return figure


def plot_runs(histories: Mapping[str, Sequence[EpochRecord]], title: str) -> Figure:
    """Draw training loss and validation error of several runs, epoch by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), layout="constrained")
    for index, (name, history) in enumerate(histories.items()):
        look = {"color": COLOURS[index], "linestyle": STYLES[index], "marker": MARKERS[index], "markersize": 4}
        epochs = [record.epoch for record in history]
        left.plot(epochs, [record.train_loss for record in history], label=name, **look)
        right.plot(epochs, [100 * (1 - record.validation_accuracy) for record in history], **look)
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    right.set(title="Validation error", xlabel="epoch", ylabel="wrong (%)", yscale="log")
    right.yaxis.set_major_formatter("{x:g}")
    for axis in (left, right):
        axis.xaxis.get_major_locator().set_params(integer=True)
    left.legend(fontsize=8)
    figure.suptitle(title)
    return figure


def plot_rates(reached: Mapping[str, Mapping[float, float]], title: str) -> Figure:
    """Draw the training loss reached at each constant learning rate, one line for each network."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3), layout="constrained")
    for index, (name, by_rate) in enumerate(reached.items()):
        look = {"color": COLOURS[index], "linestyle": STYLES[index], "marker": MARKERS[index]}
        axis.plot(list(by_rate), list(by_rate.values()), label=name, **look)
    axis.axhline(math.log(CLASSES), color=GREY, linewidth=1, linestyle=":")
    axis.annotate("nothing learnt", (min(by_rate), math.log(CLASSES)), xytext=(0, 3), textcoords="offset points")
    axis.set(title=title, xlabel="learning rate", ylabel="cross-entropy (nats)", xscale="log", ylim=(0, 3))
    axis.set_xticks(list(by_rate), [f"{rate:g}" for rate in by_rate])
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return figure


def plot_range_test(tests: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw the loss against the rising learning rate: every step faint, a running mean over ten steps strong."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    for index, (name, (rates, losses)) in enumerate(tests.items()):
        axis.plot(rates, losses, color=COLOURS[index], alpha=0.25)
        kept = min(10, len(losses))
        smooth = np.convolve(losses, np.ones(kept) / kept, mode="valid")
        axis.plot(rates[kept - 1 :], smooth, color=COLOURS[index], linestyle=STYLES[index], label=name)
    axis.set(title="Loss while the learning rate rises", xlabel="learning rate", ylabel="cross-entropy (nats)")
    axis.set(xscale="log", ylim=(0, 4))
    axis.legend()
    return figure


def plot_studies(studies: Sequence[Study], title: str, names: Sequence[str] | None = None) -> Figure:
    """Draw the test accuracy of every seed and its mean, one row a study."""
    figure, axis = plt.subplots(figsize=(WIDTH, 0.45 * len(studies) + 1.3), layout="constrained")
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
        axis.annotate(
            f"{100 - mean:.2f} %", (mean, row), xytext=(0, 9), textcoords="offset points", ha="center", fontsize=8
        )
    axis.axvline(0.6, color=GREEN, linestyle="--", linewidth=1)
    axis.set_yticks(range(len(studies)), list(names))
    axis.set(xlabel="wrong on the test set (%); dots: seeds, bar: mean, dashed: 99.4 % right", xscale="log")
    axis.set_ylim(len(studies) - 0.5, -0.7)
    axis.invert_xaxis()
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    axis.tick_params("x", which="minor", labelsize=8)
