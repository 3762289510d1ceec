"""The pictures: digits, augmentation, learning rate, training curves, confusion, errors. Each returns its figure."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay
from torch import Tensor

from mnist_helpers.results import EpochRecord

# Okabe & Ito 2008, https://jfly.uni-koeln.de/color: told apart with any colour vision
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#666666"
WIDTH = 9.0  # inches; at 100 dots an inch, the width of a page on GitHub
MOST_ERRORS = 100


def plot_digits(
    images: Tensor | Sequence[Tensor],
    titles: Sequence[str],
    columns: int,
    title: str,
    limits: tuple[float | None, float | None] = (None, None),
) -> Figure:
    """Draw N images (H, W), uint8 or float, in a grid, each with its own short title.

    `limits` are the values drawn white and black; without them each image uses its own lightest and darkest.
    """
    rows = math.ceil(len(images) / columns)
    side = WIDTH / columns
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, rows * (side + 0.22) + 0.4), layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, name in zip(axes.flat, images, titles, strict=False):
        axis.imshow(np.asarray(image), cmap="gray_r", interpolation="nearest", vmin=limits[0], vmax=limits[1])
        axis.set_title(name, fontsize=9)
    figure.suptitle(title)
    return figure


def plot_augmentation(originals: Tensor, augmented: Tensor) -> Figure:
    """Draw each original (K, 28, 28) in the first column and its variations (K, V, 28, 28) beside it."""
    variations = augmented.shape[1]
    # each image on its own scale from its darkest to its lightest pixel: raw and normalised pixels look alike
    pairs = [image for row, many in zip(originals, augmented, strict=True) for image in (row.float(), *many)]
    names = ["original", *[f"draw {i + 1}" for i in range(variations)]] + [""] * len(pairs)
    return plot_digits(
        pairs, names, variations + 1, "The same digits as the network sees them, drawn anew each epoch"
    )


def plot_schedule(learning_rates: Sequence[float], momenta: Sequence[float], steps_per_epoch: int) -> Figure:
    """Draw rate and momentum (one value a step) against epochs."""
    epochs = np.arange(len(learning_rates)) / steps_per_epoch
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3), layout="constrained")
    left.plot(epochs, learning_rates, color=BLUE)
    left.set(title="Learning rate", xlabel="epoch", ylabel="learning rate")
    right.plot(epochs, momenta, color=ORANGE)
    right.set(title="Momentum, against the rate", xlabel="epoch", ylabel="momentum")
    return figure


def plot_history(history: Sequence[EpochRecord]) -> Figure:
    """Draw loss and error of every epoch for training, validation and test images."""
    epochs = [record.epoch for record in history]
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.6), layout="constrained")
    for name, colour, style in (("train", GREY, ":"), ("validation", ORANGE, "--"), ("test", BLUE, "-")):
        losses = [getattr(record, f"{name}_loss") for record in history]
        errors = [100 * (1 - getattr(record, f"{name}_accuracy")) for record in history]
        left.plot(epochs, losses, style, color=colour, marker=".", label=name)
        right.plot(epochs, errors, style, color=colour, marker=".", label=name)
    left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    right.axhline(0.6, color=GREEN, linewidth=1)
    right.annotate("99.4 % right", (epochs[0], 0.6), xytext=(0, 3), textcoords="offset points", color=GREEN)
    # linear near 0: an epoch may have no validation error at all
    right.set_yscale("symlog", linthresh=0.5)
    right.set(title="Error", xlabel="epoch", ylabel="wrong (%)", ylim=(0, None))
    ticks = [0, 0.25, 0.5, 1, 2, 5, 10, 20, 50]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    right.set_ylim(0, max(2, *(100 * (1 - min(r.train_accuracy, r.test_accuracy)) for r in history)) * 1.2)
    left.legend()
    return figure


def plot_seeds(accuracies: Sequence[float], this: float, interval: tuple[float, float]) -> Figure:
    """Draw test accuracies (shares) of several seeds, their mean and deviation, and one run with its interval."""
    percent = 100 * np.array(accuracies)
    mean, std = percent.mean(), percent.std(ddof=1)
    figure, axis = plt.subplots(figsize=(WIDTH, 1.9), layout="constrained")
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


def plot_confusion(matrix: np.ndarray) -> Figure:
    """Draw a confusion matrix (10, 10) of counts, labels down, predictions across; the diagonal stays blank.

    Right answers outnumber each kind of error by hundreds: coloured together, no error would show.
    """
    errors = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    figure, axis = plt.subplots(figsize=(6, 5.4), layout="constrained")
    display = ConfusionMatrixDisplay(errors)
    display.plot(ax=axis, cmap="Blues", colorbar=False)
    for (row, column), text in np.ndenumerate(display.text_):
        text.set_text("·" if row == column else errors[row, column] or "")
    axis.set(
        title=f"The {errors.sum()} wrong answers among {matrix.sum():,} test digits",
        xlabel="predicted",
        ylabel="label",
    )
    return figure


def plot_errors(pixels: Tensor, targets: Tensor, probabilities: Tensor) -> Figure:
    """Draw misclassified digits, the most confident errors first, each as `label→prediction, probability`.

    Args:
        pixels: (N, 28, 28) uint8, all images.
        targets: (N,) int64.
        probabilities: (N, 10) float32.
    """
    confidence, predictions = probabilities.max(1)
    wrong = (predictions != targets).nonzero().squeeze(1)
    shown = wrong[confidence[wrong].argsort(descending=True)][:MOST_ERRORS]
    titles = [f"{targets[i]}→{predictions[i]}, {confidence[i]:.0%}" for i in shown]
    count = f"all {len(wrong)}" if len(shown) == len(wrong) else f"the {len(shown)} most confident of {len(wrong)}"
    return plot_digits(pixels[shown], titles, 10, f"Misclassified digits ({count}): label→prediction, probability")
