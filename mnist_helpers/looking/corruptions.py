"""Damage by degrees, digits turned, shifted, noisy, blurred, thinner or thicker, and how a network takes it.

Each kind takes raw pixels (N, 28, 28) uint8 and a strength, and returns the same shape and type; strength 0 changes
nothing. The same seed at each call makes curves over strength differ by strength only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from mnist_helpers.data import Draws, Images, move
from mnist_helpers.training import predict_logits

SEED = 0
FINE = 4  # sub-pixels along a pixel's side: strokes are two to four pixels thick, whole pixels would be too coarse


def rotate(pixels: Tensor, degrees: float) -> Tensor:
    """Turn each image by `degrees`, left or right at random."""
    return _moved(pixels, angle=torch.where(_coins(len(pixels)), -float(degrees), float(degrees)))


def shift(pixels: Tensor, distance: int) -> Tensor:
    """Move each image by `distance` whole pixels left, right, up or down at random; what leaves the image is lost."""
    signed = torch.where(_coins(len(pixels)), -float(distance), float(distance))
    along_x = _coins(len(pixels), SEED + 1)
    return _moved(pixels, shift_x=signed * along_x, shift_y=signed * ~along_x)


def add_noise(pixels: Tensor, deviation: float) -> Tensor:
    """Add normal noise of this standard deviation, in units of full ink, to every pixel, cut to 0 … 255."""
    noise = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(SEED))
    return _to_bytes(pixels.float() + 255 * deviation * noise)


def blur(pixels: Tensor, sigma: float) -> Tensor:
    """Blur with a Gaussian of standard deviation `sigma` pixels; beyond the border is paper."""
    blurred = ndimage.gaussian_filter(pixels.float().numpy(), (0, sigma, sigma), mode="constant")
    return _to_bytes(torch.from_numpy(blurred))


def change_width(pixels: Tensor, change: float) -> Tensor:
    """Widen strokes by about `change` pixels, or narrow them when it is negative.

    Grey-scale dilation or erosion (Serra 1982, Image Analysis and Mathematical Morphology) with a square, each pixel
    cut into 4 × 4: half its side moves either edge of a stroke. Steps are of 0.5 pixels.
    """
    side = 2 * round(abs(change) / 2 * FINE) + 1
    extreme = ndimage.maximum_filter if change > 0 else ndimage.minimum_filter
    fine = extreme(np.kron(pixels.numpy(), np.ones((1, FINE, FINE), np.uint8)), size=(1, side, side))
    return _to_bytes(avg_pool2d(torch.from_numpy(fine).float().unsqueeze(1), FINE).squeeze(1))


@dataclass(frozen=True)
class Damage:
    """One way to damage digits, how far to go, and the strengths that training images were drawn from, if any."""

    name: str
    unit: str
    apply: Callable[[Tensor, float], Tensor]
    strengths: tuple[float, ...]
    trained: tuple[float, float] | None = None


@dataclass(frozen=True)
class Response:
    """Shares right at each strength, and mean probabilities of the predicted class: the same for one that knows."""

    accuracy: tuple[float, ...]
    confidence: tuple[float, ...]


def respond(network: nn.Module, images: Images, damage: Damage) -> Response:
    """Evaluate `network` on `images` at every strength of `damage`."""
    accuracies, confidences = [], []
    for strength in damage.strengths:
        top, predictions = predict_logits(network, damage.apply(images.pixels, strength)).softmax(1).max(1)
        accuracies.append((predictions == images.targets.to(predictions.device)).double().mean().item())
        confidences.append(top.double().mean().item())
    return Response(tuple(accuracies), tuple(confidences))


def _moved(pixels: Tensor, **changes: Tensor) -> Tensor:
    still = dict.fromkeys(["angle", "shift_x", "shift_y", "shear"], torch.zeros(len(pixels)))
    draws = Draws(**(still | {"scale": torch.ones(len(pixels))} | changes))
    return _to_bytes(255 * move(pixels.unsqueeze(1).float() / 255, draws).squeeze(1))


def _to_bytes(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


def _coins(count: int, seed: int = SEED) -> Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)) < 0.5
