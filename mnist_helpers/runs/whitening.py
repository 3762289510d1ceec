"""A first convolution that starts from what the images look like instead of from random numbers."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import Images, normalise
from mnist_helpers.networks import Views
from mnist_helpers.training import Hook, Settings

SAMPLE = 1_000  # images: their patches' covariance hardly changes with more
PATCH_STRIDE = 3  # pixels
FLOOR = 5e-3  # added to each variance, so that directions in which patches hardly differ are not blown up


class Whitening(Hook):
    """Whitens the first convolutions before training."""

    def before_training(self, network: nn.Module, images: Images, settings: Settings, show: bool) -> None:
        for convolution in first_convolutions(network):
            whiten(convolution, normalise(images.pixels[:SAMPLE]))


def first_convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """Return the layer that sees the pixels, or one for each of several views; ValueError: there is none."""
    if isinstance(network, Views):
        return [convolution for member in network.members for convolution in first_convolutions(member)]
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return [module]
    raise ValueError(f"{type(network).__name__} has no convolution")


def check_can_be_whitened(convolution: nn.Conv2d) -> None:
    """Check that every filter can be one of the patches' components, with either sign; ValueError: it cannot."""
    channels, most = convolution.out_channels, 2 * math.prod(convolution.kernel_size)
    if convolution.in_channels != 1 or channels % 2 or channels > most:
        raise ValueError(
            f"its first convolution goes from {convolution.in_channels} to {channels} channels; allowed: from 1 to "
            f"an even number of at most {most}, twice the {most // 2} pixels of its window"
        )


@torch.no_grad()
def whiten(convolution: nn.Conv2d, inputs: Tensor) -> None:
    """Make the filters the principal components of the patches of `inputs`, scaled to unit variance; biases 0.

    Every component comes with both signs: the ReLU behind it keeps one half of each, and nothing is lost. As in
    Page 2019, How to train your ResNet, part 8, https://myrtle.ai/learn/how-to-train-your-resnet-8-bag-of-tricks.
    Of the inputs (N, 1, H, H) float32 the first 1,000 are used. Raises ValueError: see `check_can_be_whitened`.
    """
    check_can_be_whitened(convolution)
    components, size = convolution.out_channels // 2, convolution.kernel_size
    patches = F.unfold(inputs[:SAMPLE], size, stride=PATCH_STRIDE).transpose(1, 2).flatten(0, 1)
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    # eigh sorts them from the smallest variance to the largest
    filters = (directions / (variances + FLOOR).sqrt()).T.flip(0)[:components]
    convolution.weight.copy_(torch.cat([filters, -filters]).view_as(convolution.weight))
    if convolution.bias is not None:
        convolution.bias.zero_()
