"""What passes through a network: how large its signals are, and which input pixels reach a unit."""

import torch
from torch import Tensor, nn

from mnist_helpers.networks import trace

FOOTPRINT_IMAGES = 64


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
