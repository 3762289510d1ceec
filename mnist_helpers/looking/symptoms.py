"""The picture of a training that may be ill: its losses, one batch learnt by heart, the gradients of its layers."""

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mnist_helpers.looking.plots import BLUE, GREY, ORANGE, panels

TEN = 10  # steps whose losses are averaged: those of single batches jump
LAST = 63  # steps whose gradients are averaged: an epoch of 2,000 images in batches of 32
LOSSES, SIZES = (0.001, 0.01, 0.1, 1, 10), (0, 0.001, 0.01, 0.1, 1, 10, 100)
LARGEST = 300  # gradient that is drawn where it is


class Noticed(Protocol):
    """What was noticed at every step of a run."""

    losses: list[float]
    gradients: list[dict[str, float]]  # size for each layer


def plot_symptoms(runs: Mapping[str, tuple[Noticed, Noticed]]) -> Figure:
    """Draw up to three trainings: each a run on all images, and one on a single batch (by name)."""
    figure, (left, middle, right) = panels(3.1, 1, 3)
    for (name, (whole, batch)), colour, mark in zip(runs.items(), (GREY, ORANGE, BLUE), "osD", strict=False):
        looks = {"color": colour, "marker": mark, "markersize": 3}
        means = _means(whole.losses)
        left.plot(TEN * np.arange(1, len(means) + 1), means, label=name, **looks)
        middle.plot(range(1, len(batch.losses) + 1), batch.losses, markevery=10, **looks)
        sizes = {layer: np.mean([sizes[layer] for sizes in whole.gradients[-LAST:]]) for layer in whole.gradients[0]}
        heights = [min(size, LARGEST) for size in sizes.values()]
        right.plot(list(sizes), heights, mark, color=colour, markersize=8, alpha=0.7, clip_on=False)
    _frame_losses(left, "Loss, mean of ten steps")
    _frame_losses(middle, "Loss on one batch")
    right.set_yscale("symlog", linthresh=0.001)  # a gradient may be 0
    right.set(title="Gradients, last epoch", ylabel="size", ylim=(-0.0003, LARGEST), xlim=(-0.5, 3.5))
    right.set_yticks(SIZES, [f"{tick:g}" for tick in SIZES])
    left.legend(fontsize=8)
    return figure


def _means(losses: list[float]) -> np.ndarray:
    """Return the means of every `TEN` losses; those left over at the end are dropped."""
    whole = len(losses) // TEN * TEN
    return np.array(losses[:whole]).reshape(-1, TEN).mean(1)


def _frame_losses(axis: Axes, title: str) -> None:
    axis.axhline(math.log(10), color=GREY, linestyle=":")  # of a guess among ten classes
    axis.set(title=title, xlabel="step", ylabel="nats", yscale="log", ylim=(0.001, 20))
    axis.set_yticks(LOSSES, [f"{tick:g}" for tick in LOSSES])
