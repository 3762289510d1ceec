"""The pictures of notebook 08: error by class, reliability, attributions over digits, accuracy under damage."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from mnist_helpers.calibration import Reliability
from mnist_helpers.evaluation import accuracy_interval
from mnist_helpers.plots import BLUE, GREEN, GREY, ORANGE, WIDTH
from mnist_helpers.robustness import Damage, Response

AGAINST_FOR = LinearSegmentedColormap.from_list("against_for", [BLUE, "white", ORANGE])


def plot_class_errors(correct: Sequence[int], counts: Sequence[int]) -> Figure:
    """Draw the share of wrong answers of each class, from its right answers and size, with 95 % intervals."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
    for digit, (right, count) in enumerate(zip(correct, counts, strict=True)):
        wrong = 100 * (1 - right / count)
        least, most = (100 * (1 - bound) for bound in reversed(accuracy_interval(right, count)))
        axis.errorbar(digit, wrong, [[wrong - least], [most - wrong]], fmt="o", color=BLUE, capsize=4)
    overall = 100 * (1 - sum(correct) / sum(counts))
    axis.axhline(overall, color=GREY, linestyle=":", label=f"all digits: {overall:.2f} %")
    axis.set(title="Wrong answers by class, with 95 % intervals", xlabel="label", ylabel="wrong (%)")
    axis.set(xticks=range(len(counts)), ylim=(0, None))
    axis.legend(loc="upper left")
    return figure


def plot_reliability(bins: Reliability) -> Figure:
    """Draw accuracy against confidence with 95 % intervals, and below it how many answers each point stands for."""
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(6, 6.4), layout="constrained", sharex=True, height_ratios=(3, 1)
    )
    accuracy = 100 * bins.accuracy
    low, high = 100 * np.array([accuracy_interval(*pair) for pair in zip(bins.correct, bins.counts, strict=True)]).T
    upper.plot([0, 100], [0, 100], ":", color=GREY, label="calibrated")
    # an interval of a share of 0 or 1 may miss the share by a rounding error
    spread = np.maximum([accuracy - low, high - accuracy], 0)
    upper.errorbar(100 * bins.confidence, accuracy, spread, fmt="o", color=BLUE, capsize=4, label="this network")
    upper.set(title="Reliability: how often answers of each confidence are right", ylabel="right (%)", ylim=(0, 103))
    upper.legend(loc="upper left")
    lower.bar(100 * bins.confidence, bins.counts, width=3, color=BLUE)
    for x, count in zip(100 * bins.confidence, bins.counts, strict=True):
        lower.annotate(f"{count:,}", (x, count), (0, 2), textcoords="offset points", ha="center", fontsize=9)
    lower.set(xlabel="confidence: mean probability of the answer (%)", ylabel="answers", yscale="log")
    lower.set(xlim=(0, 107), ylim=(0.8, 10 * max(bins.counts)))
    return figure


def plot_attributions(pixels: Tensor, titles: Sequence[str], rows: Mapping[str, Tensor], title: str) -> Figure:
    """Draw digits and below each what speaks for (orange) and against (blue) an answer.

    Args:
        pixels: (N, 28, 28) uint8.
        titles: one a digit.
        rows: attributions (N, h, w) in units of the logit by the row's name; rows of one size share one scale.
        title: of the figure.
    """
    count, sides = len(pixels), pixels.shape[-1]
    side = (WIDTH - 1.6) / count
    figure, axes = plt.subplots(
        1 + len(rows), count, figsize=(WIDTH, (1 + len(rows)) * side + 0.9), layout="constrained", squeeze=False
    )
    extent = (-0.5, sides - 0.5, sides - 0.5, -0.5)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    for axis, image, name in zip(axes[0], pixels, titles, strict=True):
        axis.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(name, fontsize=9)
    axes[0, 0].set_ylabel("digit")
    sizes = {maps.shape[1:] for maps in rows.values()}
    for size in sorted(sizes, reverse=True):
        places = [place for place, maps in enumerate(rows.values(), 1) if maps.shape[1:] == size]
        # a single pixel must not fade all the others
        values = np.concatenate([maps.abs().flatten() for maps in rows.values() if maps.shape[1:] == size])
        limit = float(np.quantile(values[values > 0], 0.99))
        for place in places:
            name, maps = list(rows.items())[place - 1]
            axes[place, 0].set_ylabel(name)
            for axis, image, attribution in zip(axes[place], pixels, maps, strict=True):
                shown = axis.imshow(attribution.numpy(), cmap=AGAINST_FOR, vmin=-limit, vmax=limit, extent=extent)
                axis.contour(image.numpy(), levels=[127], colors=GREY, linewidths=0.8)
        figure.colorbar(shown, ax=axes[places].ravel().tolist(), label="logit", shrink=0.9, extend="both")
    figure.suptitle(title)
    return figure


def plot_robustness(responses: Sequence[tuple[Damage, Response]]) -> Figure:
    """Draw accuracy and mean confidence against strength, one panel a damage, the strengths trained on shaded."""
    columns = 3
    height = -(-len(responses) // columns)
    figure, axes = plt.subplots(
        height, columns, figsize=(WIDTH, 2.7 * height), layout="constrained", sharey=True, squeeze=False
    )
    for axis in axes.flat[len(responses) :]:
        axis.axis("off")
    for axis, (damage, response) in zip(axes.flat, responses, strict=False):
        if damage.trained:
            axis.axvspan(*damage.trained, color=GREEN, alpha=0.2, linewidth=0, label="drawn in training")
        percent = [100 * np.array(shares) for shares in (response.accuracy, response.confidence)]
        axis.plot(damage.strengths, percent[0], "-o", color=BLUE, markersize=4, label="right")
        axis.plot(damage.strengths, percent[1], "--", color=ORANGE, label="mean confidence")
        axis.set(title=damage.name, xlabel=damage.unit, ylim=(0, 104))
    for axis in axes[:, 0]:
        axis.set_ylabel("answers (%)")
    handles = {
        label: handle for axis in axes.flat for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    figure.suptitle("Accuracy and confidence on damaged digits")
    return figure
