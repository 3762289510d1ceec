"""How far stated probabilities can be trusted: confidence against accuracy, bin by bin, and the mean gap."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

GUO_BINS = 15  # as in Guo et al. 2017


@dataclass(frozen=True)
class Reliability:
    """Answers grouped by confidence, the least confident bin first; empty bins are left out. All (B,), B ≤ bins."""

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
    probabilities: Tensor,
    targets: Tensor,
    strategy: Literal["uniform", "quantile"] = "uniform",
    bins: int = GUO_BINS,
) -> Reliability:
    """Group answers by the probability of the predicted class.

    Args:
        probabilities: (N, 10) float32, rows summing to 1.
        targets: (N,) int64.
        strategy: `uniform` cuts [0, 1] into bins of equal width, `quantile` puts equally many answers into each; the
            names are those of scikit-learn's `calibration_curve`, which does not return counts.
        bins: how many.
    """
    top, predictions = probabilities.max(1)
    confidence, right = top.double().numpy(), (predictions == targets).numpy()
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = inner if strategy == "uniform" else np.quantile(confidence, inner)
    index = np.digitize(confidence, edges, right=True)
    counts = np.bincount(index, minlength=bins)
    filled = counts > 0
    sums = np.bincount(index, weights=confidence, minlength=bins)
    correct = np.bincount(index[right], minlength=bins)
    return Reliability(counts[filled], correct[filled], sums[filled] / counts[filled])


def expected_calibration_error(bins: Reliability) -> float:
    """Return the mean gap between accuracy and confidence, each bin weighted by its answers, as a share.

    ECE = Σ_b n_b / N · |accuracy_b − confidence_b| (Guo et al. 2017, On Calibration of Modern Neural Networks,
    equation 3, https://arxiv.org/abs/1706.04599).
    """
    return float(np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.counts))
