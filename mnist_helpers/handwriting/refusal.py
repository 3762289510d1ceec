"""What tells a digit from anything else, whichever network reads it: a small network that has seen both."""

from dataclasses import dataclass
from functools import cache

from torch import Tensor, nn

from mnist_helpers.handwriting.thresholds import read_thresholds
from mnist_helpers.networks import SHARED_FOLDER, WEIGHTS_FILE, build_model, fill, read_tensors
from mnist_helpers.paths import resolve
from mnist_helpers.training import predict_logits

FOLDER = f"{SHARED_FOLDER}/refusal"
PLAN = "tiny"  # 3,898 numbers, 16 kB
DIGIT, NO_DIGIT = 0, 1  # its classes; of the ten outputs that all of the course's networks have it uses two


@dataclass(frozen=True)
class Refusal:
    """A network and the strangeness from which on it refuses."""

    network: nn.Module
    limit: float

    def refuses(self, pixels: Tensor) -> Tensor:
        """Return (N,) bool: which of the raw pixels (N, 28, 28) uint8 in MNIST's form show no digit."""
        return (strangeness(self.network, pixels) > self.limit) | (pixels.flatten(1).amax(1) == 0)


def strangeness(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return (N,) float32, the log-odds of "no digit": the second logit less the first."""
    logits = predict_logits(network, pixels)
    return logits[:, NO_DIGIT] - logits[:, DIGIT]


@cache
def load_refusal() -> Refusal:
    """Return the refusal that `make models` made. Raises FileNotFoundError, ValueError: its files are not there."""
    path = resolve(FOLDER) / WEIGHTS_FILE
    network = fill(build_model(PLAN), read_tensors(path, "make models")[0], path)
    return Refusal(network, read_thresholds().refusal.limit)
