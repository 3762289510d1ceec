"""Signals and footprints of networks whose answer is known."""

import itertools

import pytest
import torch
from torch import nn

from mnist_helpers.config import RunConfig
from mnist_helpers.data import Images
from mnist_helpers.models import build_model
from mnist_helpers.probe import gradient_footprint, side, signal_sizes
from mnist_helpers.range_test import range_test


def test_a_layer_that_doubles_doubles_the_signal_and_a_bias_is_none():
    layers = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1))
    for layer, weight in zip(layers, (1.0, 2.0), strict=True):
        nn.init.constant_(layer.weight, weight)
        nn.init.constant_(layer.bias, 100.0)
    first, second = signal_sizes(layers, torch.randn(64, 1, 8, 8)).values()
    assert first == pytest.approx(1, abs=0.05)
    assert second == pytest.approx(2 * first)


def test_what_a_relu_does_in_place_is_not_taken_for_the_layers_output():
    torch.manual_seed(0)
    convolution, inputs = nn.Conv2d(1, 4, 3), torch.randn(16, 1, 8, 8)
    followed = nn.Sequential(convolution, nn.ReLU(inplace=True))
    assert signal_sizes(followed, inputs)["0"] == signal_sizes(nn.Sequential(convolution), inputs)["0"]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([nn.Conv2d(1, 2, 5)], 5),
        ([nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3)], 5),
        ([nn.Conv2d(1, 2, 3, dilation=2)], 5),
        ([nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3)], 8),
    ],
)
def test_the_footprint_is_as_wide_as_the_receptive_field(layers, expected):
    torch.manual_seed(0)
    assert side(gradient_footprint(nn.Sequential(*layers), size=21)) == expected


def test_the_range_test_raises_the_rate_and_stops_when_the_loss_explodes(mnist):
    images = Images(mnist[0].pixels[:500], mnist[0].targets[:500])
    config = RunConfig(model="skeleton", batch_size=16, schedule="constant", augmentation=None)
    rates, losses = range_test(config, images, lowest=1e-3, highest=1e4, steps=40)
    ratios = [later / earlier for earlier, later in itertools.pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert len(rates) == len(losses) < 40
    assert not losses[-1] <= 4 * min(losses[:-1])
    assert all(loss <= 4 * min(losses[: i + 1]) for i, loss in enumerate(losses[:-1]))
    again = range_test(config, images, lowest=1e-3, highest=1e4, steps=40)[1]
    assert losses[:-1] == again[:-1]


def test_he_initialisation_keeps_the_signal_that_the_default_loses():
    torch.manual_seed(0)
    network, inputs = build_model("skeleton").eval(), torch.randn(64, 1, 28, 28)
    kept = list(signal_sizes(network, inputs).values())
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    lost = list(signal_sizes(network, inputs).values())
    assert 0.25 < kept[-1] / kept[0] < 4
    assert lost[-1] / lost[0] < 0.05
