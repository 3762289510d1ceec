"""How good answers are: stated probabilities against accuracy, and right answers where labels are in doubt."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

BINS = 15  # as in Guo et al. 2017
# Test images whose label lacks a majority among five people asked by Northcutt, Athalye & Mueller 2021, Pervasive
# Label Errors in Test Sets (https://arxiv.org/abs/2103.14749, github.com/cleanlab/label-errors), and what most read.
DOUBTFUL_TEST_LABELS = {
    947: "9", 1621: "6", 1901: "4", 2462: "0", 2597: "3", 3558: "0", 5937: "3", 6651: "6", 6783: "6", 9729: "6",
    2654: "no digit", 3520: "no digit", 9679: "no digit", 2130: "4 or 9", 8527: "4 or 9",
}  # fmt: skip


@dataclass(frozen=True)
class Reliability:
    """Answers grouped by confidence, the least confident bin first, empty bins left out: all (B,), B ≤ 15."""

    counts: np.ndarray  # int64
    correct: np.ndarray  # int64
    confidence: np.ndarray  # mean, float64

    @property
    def accuracy(self) -> np.ndarray:
        """The share of right answers in each bin, float64."""
        return self.correct / self.counts


def reliability(
    probabilities: Tensor, targets: Tensor, strategy: Literal["uniform", "quantile"] = "uniform"
) -> Reliability:
    """Group answers, probabilities (N, 10) float32, by that of the predicted class; `targets` (N,) int64 are right.

    `uniform` cuts [0, 1] into bins of equal width, `quantile` puts equally many answers into each, as scikit-learn's
    `calibration_curve`, which does not return counts.
    """
    top, predictions = probabilities.max(1)
    confidence, right = top.double().numpy(), (predictions == targets).numpy()
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = inner if strategy == "uniform" else np.quantile(confidence, inner)
    index = np.digitize(confidence, edges, right=True)
    counts, correct = (np.bincount(some, minlength=BINS) for some in (index, index[right]))
    sums = np.bincount(index, weights=confidence, minlength=BINS)
    filled = counts > 0
    return Reliability(counts[filled], correct[filled], sums[filled] / counts[filled])


def expected_calibration_error(bins: Reliability) -> float:
    """Return the mean gap between accuracy and confidence, each bin weighted by its answers, as a share.

    ECE = Σ_b n_b / N · |accuracy_b − confidence_b| (Guo et al. 2017, On Calibration of Modern Neural Networks,
    equation 3, https://arxiv.org/abs/1706.04599).
    """
    return float(np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.counts))


def count_right(predictions: Tensor, targets: Tensor) -> dict[str, tuple[int, int]]:
    """Return right answers and digits counted of the test set's (10000,) int64: as labelled, then in two others."""
    right = predictions == targets
    undisputed = torch.ones_like(right)
    undisputed[list(DOUBTFUL_TEST_LABELS)] = False
    rest, rest_count = int(right[undisputed].sum()), int(undisputed.sum())
    readable = {index: reading for index, reading in DOUBTFUL_TEST_LABELS.items() if reading != "no digit"}
    agreed = sum(str(int(predictions[index])) in reading.split(" or ") for index, reading in readable.items())
    return {
        "as labelled": (int(right.sum()), len(targets)),
        "without the disputed digits": (rest, rest_count),
        "disputed digits as most people read them": (rest + agreed, rest_count + len(readable)),
    }
