"""Digits in MNIST's form read by a network, or not answered: "not sure" or "no digit"."""

from dataclasses import dataclass

from torch import Tensor, nn

from mnist_helpers.handwriting.refusal import Refusal, load_refusal
from mnist_helpers.handwriting.thresholds import read_thresholds
from mnist_helpers.networks import load
from mnist_helpers.training import predict_logits

NOT_SURE, NO_DIGIT = "not sure", "no digit"


@dataclass(frozen=True)
class Reading:
    """What a picture was read as: a digit, or None and why; `confidence` is the network's, from 0 to 1."""

    digit: int | None
    confidence: float
    why: str = ""


@dataclass(frozen=True)
class Reader:
    """A network, from which confidence on it answers, and what it is not asked about."""

    network: nn.Module
    refusal: Refusal
    threshold: float = 0

    def read(self, pixels: Tensor) -> list[Reading]:
        """Read raw pixels (N, 28, 28) uint8 in MNIST's form."""
        if not len(pixels):
            return []
        confidences, digits = predict_logits(self.network, pixels).softmax(1).max(1)
        found = zip(digits.tolist(), confidences.tolist(), self.refusal.refuses(pixels).tolist(), strict=True)
        return [self._reading(*one) for one in found]

    def _reading(self, digit: int, confidence: float, refused: bool) -> Reading:
        if refused:
            return Reading(None, confidence, NO_DIGIT)
        return Reading(digit, confidence) if confidence >= self.threshold else Reading(None, confidence, NOT_SURE)


def load_reader(name: str = "final") -> Reader:
    """Return the reader with one of the networks to take away.

    Raises FileNotFoundError, ValueError: a file of it is not there, or another; the message says what to do.
    """
    network, thresholds = load(name), read_thresholds().networks
    if name not in thresholds:
        raise ValueError(f"there is no threshold for {name}; run: make models")
    return Reader(network, load_refusal(), thresholds[name].threshold)
