"""How pictures look here, and those of digits and networks. Each function returns its figure."""

import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from mnist_helpers.data import CLASSES, Images
from mnist_helpers.networks import Layer

# Okabe & Ito 2008, https://jfly.uni-koeln.de/color: told apart with any colour vision
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", GREY)
STYLES = ("-", "--", ":", "-.", "-")
MARKERS = ("o", "s", "^", "D", "v")
Limits = tuple[float | None, float | None]
INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel puts into MPLBACKEND
WIDTH = 9.0  # inches; at 100 dots an inch, the width of a page on GitHub


def panels(height: float, *grid: int, width: float = WIDTH, **options: Any) -> tuple[Figure, Any]:
    """Return a figure, as wide as a page, `height` inches high, and its axis, or those of a grid (rows, columns)."""
    # in a notebook it is seen below its cell, whatever MPLBACKEND says; what %matplotlib has chosen there stays
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    chosen = os.environ.get("MPLBACKEND", "").lower()
    # where there is no screen, another than the named one is in use: agg
    if getattr(shell, "kernel", None) and matplotlib.get_backend().lower() in {chosen, "agg"} - {INLINE}:
        shell.enable_matplotlib("inline")
    return plt.subplots(*grid, figsize=(width, height), layout="constrained", **options)


def look(index: int) -> dict[str, Any]:
    """Return colour, style and marker of the line with this number: each alone tells it from the others."""
    return {"color": COLOURS[index], "linestyle": STYLES[index], "marker": MARKERS[index], "markersize": 4}


def curves(height: float, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> tuple[Figure, Axes]:
    """Return a figure as `panels` does, with a line through its x and y for each name, and its axis."""
    figure, axis = panels(height)
    for index, (name, (x, y)) in enumerate(lines.items()):
        axis.plot(x, y, label=name, **look(index))
    axis.legend()
    return figure, axis


def plot_digits(
    images: Tensor | Sequence[Tensor], titles: Sequence[str], columns: int, title: str, limits: Limits = (None, None)
) -> Figure:
    """Draw N images (H, W), uint8 or float; white and black are `limits`, or each one's own lightest and darkest."""
    rows = math.ceil(len(images) / columns)
    height = rows * (WIDTH / columns + 0.22) + 0.4
    figure, axes = panels(height, rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, name in zip(axes.flat, images, titles, strict=False):
        axis.imshow(np.asarray(image), cmap="gray_r", interpolation="nearest", vmin=limits[0], vmax=limits[1])
        axis.set_title(name, fontsize=9)
    figure.suptitle(title)
    return figure


def plot_augmentation(originals: Tensor, augmented: Tensor) -> Figure:
    """Draw each original (K, 28, 28) in the first column and its variations (K, V, 28, 28) beside it."""
    # each image on its own scale from its darkest to its lightest pixel: raw and normalised pixels look alike
    pairs = [image for row, many in zip(originals, augmented, strict=True) for image in (row.float(), *many)]
    names = ["original", *[f"draw {i + 1}" for i in range(augmented.shape[1])]]
    title = "The same digits as the network sees them, drawn anew each epoch"
    return plot_digits(pairs, names + [""] * len(pairs), len(names), title)


def plot_class_sizes(train: Images, test: Images) -> Figure:
    """Draw the share of each class among the training and the test images, in percent."""
    figure, axis = panels(2.8)
    for offset, colour, name, images in ((-0.2, BLUE, "training", train), (0.2, ORANGE, "test", test)):
        shares = (100 * images.targets.bincount() / len(images)).numpy()
        axis.bar([digit + offset for digit in range(CLASSES)], shares, 0.4, color=colour, label=name)
    axis.axhline(10, color=GREY, linewidth=1, linestyle=":")
    axis.set(title="Share of each digit", xlabel="digit", ylabel="images (%)", xticks=range(CLASSES), ylim=(0, 14))
    axis.legend(loc="upper right", ncols=2)
    return figure


def plot_distributions(values: Tensor, targets: Tensor, title: str, unit: str) -> Figure:
    """Draw the distribution of a measure (N,) for every class (targets (N,)) as violins with their medians."""
    figure, axis = panels(2.8)
    groups = [values[targets == digit].numpy() for digit in range(CLASSES)]
    parts = axis.violinplot(groups, positions=range(CLASSES), showmedians=True, showextrema=False, widths=0.85)
    for body in parts["bodies"]:
        body.set(facecolor=BLUE, alpha=0.5)
    parts["cmedians"].set(color=GREY)
    axis.set(title=title, xlabel="digit", ylabel=unit, xticks=range(CLASSES))
    return figure


def plot_readings(degrees: Sequence[float], shares: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw how often (%) a digit turned by each angle is read as each of the named classes."""
    figure, axis = curves(3, {name: (degrees, values) for name, values in shares.items()})
    axis.set(title=title, xlabel="rotation (degrees)", ylabel="read as (%)", ylim=(-3, 103))
    return figure


def plot_alikeness(apart: Sequence[int], alike: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw how alike images are against how many places apart they lie, one line for each set of images."""
    figure, axis = curves(3, {name: (apart, values) for name, values in alike.items()})
    axis.axhline(0, color=GREY, linewidth=1)
    axis.set(title=title, xlabel="places apart in the file", ylabel="correlation", xscale="log")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    return figure


def plot_shares(rows: Sequence[Layer], title: str) -> Figure:
    """Draw each layer's share of the parameters and of the multiply-adds, in percent, where it has parameters."""
    rows = [row for row in rows if row.parameters]
    names = [f"{row.name}\n{row.kind}" for row in rows]
    figure, axes = panels(0.42 * len(rows) + 1.2, 1, 2, sharey=True)
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
    # by number: the same convolution has another name beside a BatchNorm
    lines = {name: (range(1, len(by_layer) + 1), list(by_layer.values())) for name, by_layer in sizes.items()}
    figure, axis = curves(3.2, lines)
    axis.set(title="Signal after each convolution, before training", ylabel="difference between images", yscale="log")
    axis.set_xlabel("convolution")
    return figure


def plot_footprint(footprint: Tensor, receptive_field: int) -> Figure:
    """Draw which pixels reach the middle unit (H, W), beside the square that the formula gives."""
    figure, axes = panels(4, 1, 2)
    rows, columns = (footprint > 0).nonzero(as_tuple=True)
    corner = (columns.min().item() - 0.5, rows.min().item() - 0.5)
    pictures = (("Which pixels reach it", footprint > 0), ("How strongly, relative to the strongest", footprint))
    for axis, (title, picture) in zip(axes, pictures, strict=True):
        image = axis.imshow(picture / picture.max(), cmap="viridis")
        axis.add_patch(Rectangle(corner, receptive_field, receptive_field, fill=False, color=ORANGE, linewidth=2))
        axis.set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")
    figure.colorbar(image, ax=axes[1], shrink=0.8)
    return figure
