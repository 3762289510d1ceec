"""When a network answers: from which confidence on, and up to which strangeness; chosen once, kept as data."""

import torch
from pydantic import BaseModel
from torch import Tensor

from mnist_helpers.networks import SHARED_FOLDER
from mnist_helpers.paths import resolve
from mnist_helpers.records import read_record
from mnist_helpers.runs import RunConfig

RECORD = f"{SHARED_FOLDER}/reading.json"
WANTED = 0.999  # of what is answered, right
KEPT = 0.997  # of digits, not refused as none: 99 % were to be, and the test's writers are others


class Answers(BaseModel, frozen=True):
    """What a network that may say "not sure" made of some digits."""

    digits: int
    answered: int
    wrong: int  # of those answered

    @property
    def coverage(self) -> float:
        """The share that was answered."""
        return self.answered / self.digits

    @property
    def accuracy(self) -> float:
        """The share of right ones among what was answered."""
        return 1 - self.wrong / max(1, self.answered)


class Threshold(BaseModel, frozen=True):
    """A network's least confidence, chosen on digits of writers that the run of `config` did not learn from."""

    config: RunConfig
    threshold: float
    held_out: Answers
    test: Answers  # by the network to take away, on the test set: reported, chosen by nothing


class Limit(BaseModel, frozen=True):
    """The refusal's limit, chosen on digits of the same writers; it learnt from so many of each kind."""

    config: RunConfig
    learnt: dict[str, int]
    kept: float  # the share of digits that is wanted
    limit: float
    digits: int  # held out, as they are in MNIST and prepared again
    digits_refused: int
    refused: dict[str, float]  # of other such things, drawn anew: the share refused


class Thresholds(BaseModel, frozen=True):
    """All that is known of when the reader answers: for each network by name, and for what is no digit."""

    wanted: float
    networks: dict[str, Threshold]
    refusal: Limit


def read_thresholds() -> Thresholds:
    """Read the record. Raises FileNotFoundError: it is not there; ValueError: it is another file."""
    return read_record(resolve(RECORD), Thresholds, "a record of thresholds", "run: make models")


def choose_threshold(confidence: Tensor, right: Tensor, wanted: float = WANTED) -> float:
    """Return the least confidence with which at least the share `wanted` of what is answered is right.

    `confidence` (N,) float32 and `right` (N,) bool of digits not learnt from; what is as confident as the threshold
    or more is answered. It lies in the middle between two of the digits. Raises ValueError: even the surest answers
    are wrong more often.
    """
    falling, order = confidence.double().sort(descending=True, stable=True)
    following = torch.cat([falling[1:], falling.new_zeros(1)])
    shares = right[order].double().cumsum(0) / torch.arange(1, len(order) + 1)
    # answers of one confidence are given or held back together
    enough = ((shares >= wanted) & (following < falling)).nonzero()
    if not len(enough):
        raise ValueError(f"no confidence makes {wanted:.1%} of {len(right):,} answers right")
    last = int(enough[-1])
    return float(falling[last] + following[last]) / 2


def count_answers(confidence: Tensor, right: Tensor, threshold: float) -> Answers:
    """Return what comes of a threshold for answers of `confidence` (N,), which are `right` (N,) or not."""
    answered = confidence.double() >= threshold
    return Answers(digits=len(right), answered=int(answered.sum()), wrong=int((answered & ~right).sum()))
