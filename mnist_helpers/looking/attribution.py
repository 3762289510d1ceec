"""What a network looks at: each pixel's part in a logit, each region's vote, and how alike two such pictures are."""

import warnings
from types import ModuleType

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from tqdm import TqdmWarning

from mnist_helpers.data import normalise
from mnist_helpers.networks import FinalNet

PATCH, STRIDE = 5, 2  # pixels; wider than any stroke, so that erasing a patch cuts it
PATCHES_AT_ONCE = 32


def occlusion(network: nn.Module, pixels: Tensor, classes: Tensor) -> Tensor:
    """Return how far the logit of each image's class falls when ink is erased: (N, 28, 28) float32 in its units.

    A 5×5 patch of blank paper slides over images (N, 28, 28) uint8 in steps of 2; a pixel gets the mean fall over the
    patches that cover it: positive where ink speaks for the class, 0, but for rounding, where no patch reaches ink
    (Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks, https://arxiv.org/abs/1311.2901).
    `classes` are (N,) int64, the network is in evaluation mode.
    """
    device = next(network.parameters()).device
    patch, stride = (1, PATCH, PATCH), (1, STRIDE, STRIDE)
    paper = float(normalise(torch.zeros(1, 1, 1, dtype=torch.uint8)))
    attribute = _methods().Occlusion(network).attribute
    falls = attribute(
        normalise(pixels.to(device)), patch, stride, paper, classes.to(device), perturbations_per_eval=PATCHES_AT_ONCE
    )
    return falls.squeeze(1).float()


def class_maps(network: FinalNet, pixels: Tensor) -> Tensor:
    """Return every region's vote for every class, (N, 10, 7, 7) float32 in units of the logit.

    The last convolution has one map a class, and the logit is the map's mean: these are class activation maps
    (Zhou et al. 2016, Learning Deep Features for Discriminative Localization, https://arxiv.org/abs/1512.04150), here
    a part of the network itself and exact.
    """
    last_convolution = [layer for layer in network.output_block if isinstance(layer, nn.Conv2d)][-1]
    inputs = normalise(pixels.to(last_convolution.weight.device))
    with torch.no_grad():
        return _methods().LayerActivation(network, last_convolution).attribute(inputs)


def rank_agreement(first: Tensor, second: Tensor, where: Tensor) -> float:
    """Return the mean over images of Spearman's rank correlation of two attributions (N, H, W) at chosen pixels.

    `where` (N, H, W) bool chooses at least two of each image. Adebayo et al. 2018, Sanity Checks for Saliency Maps,
    https://arxiv.org/abs/1810.03292, hold a trained network's attributions against those of random weights this way.
    """
    images = zip(first, second, where, strict=True)
    return float(np.mean([spearmanr(a[chosen], b[chosen]).statistic for a, b, chosen in images]))


def _methods() -> ModuleType:
    """Return captum's attribution methods, imported only where they are asked for."""
    with warnings.catch_warnings():
        # it imports a progress bar that wants ipywidgets; none is shown here
        warnings.simplefilter("ignore", TqdmWarning)
        import captum.attr
    return captum.attr
