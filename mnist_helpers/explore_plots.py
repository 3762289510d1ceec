"""The pictures of the data: class sizes, distributions, rotated digits as they are read, neighbours in the file."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from mnist_helpers.data import Images
from mnist_helpers.models import CLASSES
from mnist_helpers.plots import BLUE, GREY, ORANGE, WIDTH


def plot_class_sizes(train: Images, test: Images) -> Figure:
    """Draw the share of each class among the training and the test images, in percent."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.8), layout="constrained")
    for offset, colour, name, images in ((-0.2, BLUE, "training", train), (0.2, ORANGE, "test", test)):
        shares = 100 * images.targets.bincount() / len(images)
        axis.bar([digit + offset for digit in range(CLASSES)], shares, 0.4, color=colour, label=name)
    axis.axhline(10, color=GREY, linewidth=1, linestyle=":")
    axis.set(title="Share of each digit", xlabel="digit", ylabel="images (%)", xticks=range(CLASSES), ylim=(0, 14))
    axis.legend(loc="upper right", ncols=2)
    return figure


def plot_distributions(values: Tensor, targets: Tensor, title: str, unit: str) -> Figure:
    """Draw the distribution of a measure (N,) for every class (targets (N,)) as violins with their medians."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.8), layout="constrained")
    groups = [values[targets == digit].numpy() for digit in range(CLASSES)]
    parts = axis.violinplot(groups, positions=range(CLASSES), showmedians=True, showextrema=False, widths=0.85)
    for body in parts["bodies"]:
        body.set(facecolor=BLUE, alpha=0.5)
    parts["cmedians"].set(color=GREY)
    axis.set(title=title, xlabel="digit", ylabel=unit, xticks=range(CLASSES))
    return figure


def plot_readings(degrees: Sequence[float], shares: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw how often (%) a digit turned by each angle is read as each of the named classes."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3), layout="constrained")
    for (name, values), colour, style in zip(shares.items(), (BLUE, ORANGE, GREY), ("-", "--", ":"), strict=False):
        axis.plot(degrees, values, style, color=colour, marker=".", label=name)
    axis.set(title=title, xlabel="rotation (degrees)", ylabel="read as (%)", ylim=(-3, 103))
    axis.legend()
    return figure


def plot_alikeness(apart: Sequence[int], alike: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw how alike images are against how many places apart they lie, one line for each set of images."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3), layout="constrained")
    for (name, values), colour, marker in zip(alike.items(), (BLUE, ORANGE), ("o", "s"), strict=False):
        axis.plot(apart, values, "-", marker=marker, markersize=4, color=colour, label=name)
    axis.axhline(0, color=GREY, linewidth=1)
    axis.set(title=title, xlabel="places apart in the file", ylabel="correlation", xscale="log")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.legend()
    return figure
