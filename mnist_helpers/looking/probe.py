"""What passes through a network and what it looks at: signals, footprints, each pixel's part in a logit."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import TqdmWarning

from mnist_helpers.data import normalise
from mnist_helpers.looking.plots import BLUE, GREY, ORANGE, WIDTH, panels
from mnist_helpers.networks import trace

FOOTPRINT_IMAGES = 64
PATCH, STRIDE = 5, 2  # pixels; wider than any stroke, so that erasing a patch cuts it
PATCHES_AT_ONCE = 32
AGAINST_FOR = LinearSegmentedColormap.from_list("against_for", [BLUE, "white", ORANGE])


def signal_sizes(model: nn.Module, inputs: Tensor) -> dict[str, float]:
    """Return how much every convolution's and dense layer's output differs from image to image, by layer, in order.

    The standard deviation over a batch (N, 1, 28, 28) float32 at each place, averaged over places and channels: what
    is the same for every image, such as a bias, tells the layers above nothing. The model stays in its mode; in
    training mode BatchNorm's running statistics do move.
    """
    return {
        name: output.std(0).mean().item()
        for name, layer, _, output in trace(model, inputs)
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }


def gradient_footprint(layers: nn.Module, size: int) -> Tensor:
    """Return how strongly each pixel of a `size`×`size` input moves the middle of `layers`' output: (size, size).

    The mean size of the derivative over random images, summed over channels (Luo et al. 2016, Understanding the
    Effective Receptive Field, https://arxiv.org/abs/1701.04128). One image shows a part only: max pooling passes
    the gradient to one pixel of its window, a ReLU may be closed. Exactly 0 is out of reach. The layers are in
    evaluation mode, `size` is larger than the receptive field, so that no border cuts it.
    """
    shape, generator = (FOOTPRINT_IMAGES, 1, size, size), torch.Generator().manual_seed(0)
    inputs = torch.randn(shape, generator=generator).requires_grad_()
    outputs = layers(inputs)
    middle = outputs.shape[-1] // 2
    (gradient,) = torch.autograd.grad(outputs[:, :, middle, middle].sum(), inputs)
    return gradient.abs().mean((0, 1))


def side(footprint: Tensor) -> int:
    """Return the side in pixels of the smallest square that holds all of a footprint (H, W) that is not 0."""
    spans = [reached.nonzero() for reached in ((footprint > 0).any(0), (footprint > 0).any(1))]
    return max(int(span.max() - span.min()) + 1 for span in spans)


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
    inputs, classes = normalise(pixels.to(device)), classes.to(device)
    with warnings.catch_warnings():
        # captum imports a progress bar that wants ipywidgets; none is shown here
        warnings.simplefilter("ignore", TqdmWarning)
        from captum.attr import Occlusion
    attribute = Occlusion(network).attribute
    return attribute(inputs, patch, stride, paper, classes, perturbations_per_eval=PATCHES_AT_ONCE).squeeze(1).float()


@torch.no_grad()
def class_maps(network: nn.Module, pixels: Tensor) -> Tensor:
    """Return every region's vote for every class, (N, 10, 7, 7) float32 in units of the logit.

    The final network's last convolution has one map a class, whose mean is the logit: these are class activation maps
    (Zhou et al. 2016, Learning Deep Features for Discriminative Localization, https://arxiv.org/abs/1512.04150), here
    a part of the network itself and exact.
    """
    return [output for _, layer, _, output in trace(network, normalise(pixels)) if isinstance(layer, nn.Conv2d)][-1]


def rank_agreement(first: Tensor, second: Tensor, where: Tensor) -> float:
    """Return the mean over images of Spearman's rank correlation of two attributions (N, H, W) at chosen pixels.

    `where` (N, H, W) bool chooses at least two of each image. Adebayo et al. 2018, Sanity Checks for Saliency Maps,
    https://arxiv.org/abs/1810.03292, hold a trained network's attributions against those of random weights this way.
    """
    from scipy.stats import spearmanr  # here: half a second, and nothing else needs it

    images = zip(first, second, where, strict=True)
    return float(np.mean([spearmanr(a[chosen], b[chosen]).statistic for a, b, chosen in images]))


def plot_attributions(pixels: Tensor, titles: Sequence[str], rows: Mapping[str, Tensor], title: str) -> Figure:
    """Draw digits (N, 28, 28) uint8 and below each what speaks for (orange) and against (blue) an answer.

    `rows` are attributions (N, h, w) in units of the logit by the row's name; rows of one size share one scale.
    """
    count, sides = len(pixels), pixels.shape[-1]
    height, no_ticks = (1 + len(rows)) * (WIDTH - 1.6) / count + 0.9, {"xticks": [], "yticks": []}
    figure, axes = panels(height, 1 + len(rows), count, squeeze=False, subplot_kw=no_ticks)
    extent = (-0.5, sides - 0.5, sides - 0.5, -0.5)
    for axis, image, name in zip(axes[0], pixels, titles, strict=True):
        axis.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=255)
        axis.set_title(name, fontsize=9)
    axes[0, 0].set_ylabel("digit")
    for size in sorted({maps.shape[1:] for maps in rows.values()}, reverse=True):
        same = {place: row for place, row in enumerate(rows.items(), 1) if row[1].shape[1:] == size}
        # a single pixel must not fade all the others
        values = np.concatenate([maps.abs().flatten() for _, maps in same.values()])
        limit = float(np.quantile(values[values > 0], 0.99))
        for place, (name, maps) in same.items():
            axes[place, 0].set_ylabel(name)
            for axis, image, attribution in zip(axes[place], pixels, maps, strict=True):
                shown = axis.imshow(attribution.numpy(), cmap=AGAINST_FOR, vmin=-limit, vmax=limit, extent=extent)
                axis.contour(image.numpy(), levels=[127], colors=GREY, linewidths=0.8)
        figure.colorbar(shown, ax=axes[list(same)].ravel().tolist(), label="logit", shrink=0.9, extend="both")
    figure.suptitle(title)
    return figure
