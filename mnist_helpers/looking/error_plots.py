"""The pictures of a network's answers: wrong ones, how sure it is of them, and under damage."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from mnist_helpers.looking.answers import Reliability
from mnist_helpers.looking.corruptions import Damage, Response
from mnist_helpers.looking.plots import BLUE, GREEN, GREY, ORANGE, panels, plot_digits
from mnist_helpers.training import accuracy_interval

MOST_ERRORS = 100


def plot_confusion(matrix: np.ndarray) -> Figure:
    """Draw a confusion matrix (10, 10) of counts, labels down, predictions across; the diagonal stays blank."""
    from sklearn.metrics import ConfusionMatrixDisplay  # here: half a second, and only this figure needs it

    # coloured together with the many right answers, no error would show
    errors = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    figure, axis = panels(5.4, width=6)
    display = ConfusionMatrixDisplay(errors).plot(ax=axis, cmap="Blues", colorbar=False)
    for (row, column), text in np.ndenumerate(display.text_):
        text.set_text("·" if row == column else errors[row, column] or "")
    axis.set(title=f"The {errors.sum()} wrong answers among {matrix.sum():,} test digits")
    axis.set(xlabel="predicted", ylabel="label")
    return figure


def plot_errors(pixels: Tensor, targets: Tensor, probabilities: Tensor) -> Figure:
    """Draw misclassified digits, the most confident errors first, each as `label→prediction, probability`.

    Of all images: pixels (N, 28, 28) uint8, targets (N,) int64, probabilities (N, 10) float32.
    """
    confidence, predictions = probabilities.max(1)
    wrong = (predictions != targets).nonzero().squeeze(1)
    shown = wrong[confidence[wrong].argsort(descending=True)][:MOST_ERRORS]
    titles = [f"{targets[i]}→{predictions[i]}, {confidence[i]:.0%}" for i in shown]
    count = f"all {len(wrong)}" if len(shown) == len(wrong) else f"the {len(shown)} most confident of {len(wrong)}"
    return plot_digits(pixels[shown], titles, 10, f"Misclassified digits ({count}): label→prediction, probability")


def plot_class_errors(correct: Sequence[int], counts: Sequence[int]) -> Figure:
    """Draw the share of wrong answers of each class, from its right answers and size, with 95 % intervals."""
    correct, counts = np.array(correct), np.array(counts)
    wrong = 100 * (1 - correct / counts)
    overall = 100 * (1 - correct.sum() / counts.sum())
    figure, axis = panels(3.2)
    axis.errorbar(range(len(counts)), wrong, _spread(counts - correct, counts), fmt="o", color=BLUE, capsize=4)
    axis.axhline(overall, color=GREY, linestyle=":", label=f"all digits: {overall:.2f} %")
    axis.set(title="Wrong answers by class, with 95 % intervals", xlabel="label", ylabel="wrong (%)")
    axis.set(xticks=range(len(counts)), ylim=(0, None))
    axis.legend(loc="upper left")
    return figure


def plot_reliability(bins: Reliability) -> Figure:
    """Draw accuracy against confidence with 95 % intervals, and below it how many answers each point stands for."""
    figure, (upper, lower) = panels(6.4, 2, width=6, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], ":", color=GREY, label="calibrated")
    places, accuracy, spread = 100 * bins.confidence, 100 * bins.accuracy, _spread(bins.correct, bins.counts)
    upper.errorbar(places, accuracy, spread, fmt="o", color=BLUE, capsize=4, label="this network")
    upper.set(title="Reliability: how often answers of each confidence are right", ylabel="right (%)", ylim=(0, 103))
    upper.legend(loc="upper left")
    lower.plot(places, bins.counts, "o", color=BLUE)  # no bars: a logarithmic axis has no zero to begin at
    for x, count in zip(places, bins.counts, strict=True):
        lower.annotate(f"{count:,}", (x, count), (0, 5), textcoords="offset points", ha="center", fontsize=9)
    lower.set(xlabel="confidence: mean probability of the answer (%)", ylabel="answers", yscale="log")
    lower.set(xlim=(0, 107), ylim=(0.8, 10 * max(bins.counts)))
    return figure


def _spread(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return how far 95 % intervals reach below and above the shares hits / counts, in percent: (2, N)."""
    low, high = np.array([accuracy_interval(*pair) for pair in zip(hits, counts, strict=True)]).T
    # an interval of a share of 0 or 1 may miss the share by a rounding error
    return 100 * np.maximum([hits / counts - low, high - hits / counts], 0)


def plot_robustness(responses: Sequence[tuple[Damage, Response]]) -> Figure:
    """Draw accuracy and mean confidence against strength, one panel a damage, the strengths trained on shaded."""
    columns = 3
    height = -(-len(responses) // columns)
    figure, axes = panels(2.7 * height, height, columns, sharey=True, squeeze=False)
    for axis in axes.flat[len(responses) :]:
        axis.axis("off")
    for axis, (damage, response) in zip(axes.flat, responses, strict=False):
        if damage.trained:
            axis.axvspan(*damage.trained, color=GREEN, alpha=0.2, linewidth=0, label="drawn in training")
        right, sure = (100 * np.array(shares) for shares in (response.accuracy, response.confidence))
        axis.plot(damage.strengths, right, "-o", color=BLUE, markersize=4, label="right")
        axis.plot(damage.strengths, sure, "--", color=ORANGE, label="mean confidence")
        axis.set(title=damage.name, xlabel=damage.unit, ylim=(0, 104))
    for axis in axes[:, 0]:
        axis.set_ylabel("answers (%)")
    labelled = [pair for axis in axes.flat for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
    handles = {label: handle for handle, label in labelled}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    figure.suptitle("Accuracy and confidence on damaged digits")
    return figure
