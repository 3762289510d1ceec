"""How a network takes damage by degrees: accuracy and stated confidence at every strength."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from mnist_helpers.data import Images
from mnist_helpers.evaluation import predict_logits


@dataclass(frozen=True)
class Damage:
    """One way to damage digits, and how far to go."""

    name: str
    unit: str
    apply: Callable[[Tensor, float], Tensor]
    """Of raw pixels (N, 28, 28) uint8 and a strength; `corruptions` has some."""
    strengths: tuple[float, ...]
    trained: tuple[float, float] | None = None
    """The strengths that training images were drawn from; None: it had none of this."""


@dataclass(frozen=True)
class Response:
    """What a network made of damaged digits: one value a strength, as shares."""

    accuracy: tuple[float, ...]
    confidence: tuple[float, ...]
    """Mean probability of the predicted class: equal to the accuracy if the network knew how well it does."""


def respond(network: nn.Module, images: Images, damage: Damage) -> Response:
    """Evaluate `network` on `images` at every strength of `damage`."""
    accuracies, confidences = [], []
    for strength in damage.strengths:
        top, predictions = predict_logits(network, damage.apply(images.pixels, strength)).softmax(1).max(1)
        accuracies.append((predictions == images.targets).double().mean().item())
        confidences.append(top.double().mean().item())
    return Response(tuple(accuracies), tuple(confidences))
