"""How far stated probabilities can be trusted: confidence against accuracy, bin by bin, and the mean gap."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

BINS = 15  # as in Guo et al. 2017


@dataclass(frozen=True)
class Reliability:
    """Answers grouped by confidence, the least confident bin first, empty bins left out: all (B,), B ≤ 15."""

    counts: np.ndarray
    """Answers in the bin, int64."""
    correct: np.ndarray
    """How many of them are right, int64."""
    confidence: np.ndarray
    """Their mean confidence, float64."""

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
