"""How good a network is on a set of images: loss, accuracy, its interval, and what it said for each image."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import Images, normalise

EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, and the share of images classified as labelled."""

    loss: float
    accuracy: float


@torch.inference_mode()
def predict_logits(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return the logits (N, 10) float32 of raw pixels (N, 28, 28) uint8, without dropout or augmentation.

    The images are moved to the network's device in batches; the network is left in the mode it came in.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    logits = torch.cat([network(normalise(batch.to(device))) for batch in pixels.split(EVALUATION_BATCH)])
    network.train(was_training)
    return logits


def evaluate(network: nn.Module, images: Images) -> Metrics:
    """Return loss and accuracy of `network` on `images`."""
    return metrics(logits := predict_logits(network, images.pixels), images.targets.to(logits.device))


def metrics(logits: Tensor, targets: Tensor) -> Metrics:
    """Return loss and accuracy of logits (N, 10) against targets (N,)."""
    return Metrics(F.cross_entropy(logits, targets).item(), (logits.argmax(1) == targets).float().mean().item())


def find_mistakes(network: nn.Module, images: Images) -> list[int]:
    """Return the positions of the images that `network` does not classify as labelled, rising."""
    predicted = predict_logits(network, images.pixels).argmax(1)
    return (predicted != images.targets.to(predicted.device)).nonzero().flatten().tolist()


def accuracy_interval(correct: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of an accuracy (Wilson 1927), which holds up near 100 % where ± does not."""
    from scipy.stats import binomtest  # here: half a second, which most commands need not wait for

    interval = binomtest(correct, count).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
