"""What a network looks at: each pixel's part in a logit, each region's vote, and how alike two such pictures are."""

import warnings

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from tqdm import TqdmWarning

from mnist_helpers.augment import normalise
from mnist_helpers.models import FinalNet

with warnings.catch_warnings():
    # captum imports a progress bar that wants ipywidgets; none is shown here
    warnings.simplefilter("ignore", TqdmWarning)
    from captum.attr import LayerActivation, Occlusion

PATCH, STRIDE = 5, 2  # pixels; wider than any stroke, so that erasing a patch cuts it
PATCHES_AT_ONCE = 32


def occlusion(network: nn.Module, pixels: Tensor, classes: Tensor) -> Tensor:
    """Return how far each image's logit of one class falls when ink is erased.

    A 5×5 patch of blank paper slides over the image in steps of 2; a pixel gets the mean fall over the patches that
    cover it (Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks,
    https://arxiv.org/abs/1311.2901).

    Args:
        network: in evaluation mode.
        pixels: (N, 28, 28) uint8.
        classes: (N,) int64, the class asked about for each image.

    Returns:
        (N, 28, 28) float32 in units of the logit, positive where the ink speaks for the class; 0, but for rounding,
        where no patch reaches ink.
    """
    paper = float(normalise(torch.zeros(1, 1, 1, dtype=torch.uint8)))
    falls = Occlusion(network).attribute(
        normalise(pixels),
        (1, PATCH, PATCH),
        (1, STRIDE, STRIDE),
        paper,
        classes,
        perturbations_per_eval=PATCHES_AT_ONCE,
    )
    return falls.squeeze(1).float()


def class_maps(network: FinalNet, pixels: Tensor) -> Tensor:
    """Return every region's vote for every class, (N, 10, 7, 7) float32 in units of the logit.

    The last convolution has one map a class, and the logit is the map's mean: these are class activation maps
    (Zhou et al. 2016, Learning Deep Features for Discriminative Localization, https://arxiv.org/abs/1512.04150), here
    a part of the network itself and exact.
    """
    last_convolution = [layer for layer in network.output_block if isinstance(layer, nn.Conv2d)][-1]
    with torch.no_grad():
        return LayerActivation(network, last_convolution).attribute(normalise(pixels))


def rank_agreement(first: Tensor, second: Tensor, where: Tensor) -> float:
    """Return the mean over images of Spearman's rank correlation of two attributions at the chosen pixels.

    Adebayo et al. 2018, Sanity Checks for Saliency Maps, https://arxiv.org/abs/1810.03292, hold a trained network's
    attributions against those of random weights this way, with and without their signs.

    Args:
        first: (N, H, W) float32.
        second: (N, H, W) float32.
        where: (N, H, W) bool, at least two pixels of each image.
    """
    images = zip(first, second, where, strict=True)
    return float(np.mean([spearmanr(a[chosen], b[chosen]).statistic for a, b, chosen in images]))
