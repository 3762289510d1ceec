"""The whitened first convolution: uncorrelated responses of unit size, both signs, nothing random."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_helpers.data.augmentation import normalise
from mnist_helpers.networks.names import LOOPED, MODELS, build_model
from mnist_helpers.runs.recipes import VIEWS
from mnist_helpers.runs.whitening import PATCH_STRIDE, SAMPLE, first_convolutions, whiten


@pytest.fixture
def inputs(mnist):
    return normalise(mnist[0].pixels[:SAMPLE])


def test_responses_are_uncorrelated_and_none_is_larger_than_one(inputs):
    layer = nn.Conv2d(1, 16, 4, stride=2, padding=1)
    whiten(layer, inputs)
    responses = F.conv2d(inputs, layer.weight[:8], stride=PATCH_STRIDE).transpose(0, 1).flatten(1)
    covariance = responses @ responses.T / responses.shape[1]
    variances = covariance.diagonal()
    torch.testing.assert_close(covariance, torch.diag(variances), rtol=0, atol=1e-3)
    assert (variances < 1).all()
    assert (variances > 0.8).all()  # what FLOOR takes from the smallest
    assert torch.equal(layer.weight[8:], -layer.weight[:8])
    assert not layer.bias.any()


def test_the_first_component_is_the_patches_common_brightness(inputs):
    layer = nn.Conv2d(1, 16, 4)
    whiten(layer, inputs)
    first = layer.weight[0]
    assert (first > 0).all() or (first < 0).all()


def test_the_seed_does_not_matter(inputs):
    layers = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        layers.append(nn.Conv2d(1, 16, 4))
        whiten(layers[-1], inputs)
    assert torch.equal(layers[0].weight, layers[1].weight)


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 7, 4), nn.Conv2d(1, 20, 3), nn.Conv2d(2, 8, 4)])
def test_what_cannot_be_whitened_is_refused(layer, inputs):
    with pytest.raises(ValueError, match="allowed: from 1 to an even number of at most"):
        whiten(layer, inputs)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in LOOPED])  # whose first filters are set
def test_the_first_convolutions_see_the_pixels_one_for_each_view(name):
    network = build_model(name)
    found = first_convolutions(network)
    assert [convolution.in_channels for convolution in found] == [1] * (2 if name in VIEWS else 1)
    assert len({id(convolution) for convolution in found}) == len(found)


def test_a_network_without_convolutions_has_no_first():
    with pytest.raises(ValueError, match="Linear has no convolution"):
        first_convolutions(nn.Linear(2, 2))
