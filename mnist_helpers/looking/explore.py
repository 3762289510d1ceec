"""What the digits are like: class means, unusual ones, stroke thickness, slant, and likeness."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mnist_helpers.data import CLASSES, Images

NEIGHBOUR_BATCH = 500


def class_means(images: Images) -> Tensor:
    """Return the mean image of each class: (10, 28, 28) float32 in [0, 1]."""
    return torch.stack([images.pixels[images.targets == digit].float().mean(0) / 255 for digit in range(CLASSES)])


def most_unusual(images: Images, per_class: int) -> Tensor:
    """Return the indices (10, per_class) of each class's images farthest from the class mean, the farthest first."""
    chosen = []
    for digit, mean in enumerate(class_means(images)):
        members = (images.targets == digit).nonzero().squeeze(1)
        distance = (images.pixels[members].float() / 255 - mean).flatten(1).norm(dim=1)
        chosen.append(members[distance.topk(per_class).indices])
    return torch.stack(chosen)


def stroke_thickness(pixels: Tensor) -> Tensor:
    """Return the mean stroke width in pixels (N,) of images (N, H, W) uint8.

    A stroke of width w and length l ≫ w has area w·l and outline 2·l, so w = 2 · area / outline: the sum of the grey
    values, and their total variation, the length of all level lines (coarea formula; Federer 1959, Curvature
    measures), with the gradient by central differences.
    """
    grey = torch.nn.functional.pad(pixels.float() / 255, (1, 1, 1, 1))
    vertical, horizontal = torch.gradient(grey, dim=(1, 2))
    outline = (vertical.square() + horizontal.square()).sqrt().sum((1, 2))
    return 2 * grey.sum((1, 2)) / outline.clamp(min=1e-6)


def slant(pixels: Tensor) -> Tensor:
    """Return how far digits lean to the right, in degrees (N,), from second moments: tan = −μ₁₁ / μ₀₂.

    With y growing downwards a stroke leaning right has its ink's x fall as y rises (image moments: Hu 1962, Visual
    pattern recognition by moment invariants).
    """
    grey = pixels.float()
    mass = grey.sum((1, 2)).clamp(min=1e-6)
    y, x = (torch.arange(side).float() for side in pixels.shape[1:])
    dx, dy = x - (grey.sum(1) @ x / mass)[:, None], y - (grey.sum(2) @ y / mass)[:, None]
    covariance = torch.einsum("nhw,nh,nw->n", grey, dy, dx) / mass
    variance = torch.einsum("nhw,nh->n", grey, dy.square()) / mass
    return torch.rad2deg(torch.atan2(-covariance, variance.clamp(min=1e-6)))


def alikeness(values: Tensor, targets: Tensor, apart: Sequence[int]) -> list[float]:
    """Return how alike images are that lie so many places apart, from −1 to 1: the autocorrelation of their `values`.

    These are (N,) float32, some measure of each image in the order of the file. Each class's mean and deviation is
    taken out first (`targets` (N,) int64), so that it is not the digits that are alike.
    """
    standard = torch.empty_like(values)
    for digit in targets.unique():
        members = targets == digit
        standard[members] = (values[members] - values[members].mean()) / values[members].std()
    return [float((standard[:-places] * standard[places:]).mean()) for places in apart]


def nearest(queries: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """Find the nearest of `images` (N, H, W) uint8 to each of `queries` (Q, H, W) uint8 in pixel space.

    Returns Euclidean distances (Q,) float32, one pixel of black against white being 1, and indices (Q,) int64.
    """
    queries, images = (pixels.flatten(1).float() / 255 for pixels in (queries, images))
    found = [torch.cdist(batch, images).min(1) for batch in queries.split(NEIGHBOUR_BATCH)]
    return torch.cat([best.values for best in found]), torch.cat([best.indices for best in found])
