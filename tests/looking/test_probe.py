"""Signals and footprints of networks whose answer is known."""

import itertools

import pytest
import torch
from torch import nn

from mnist_helpers.data import Images
from mnist_helpers.looking import gradient_footprint, range_test, side, signal_sizes
from mnist_helpers.networks import build_model
from mnist_helpers.runs import RunConfig
from mnist_helpers.training import Settings


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
    rates, losses = range_test(config.build, images, config, lowest=1e-3, highest=1e4, steps=40)
    ratios = [later / earlier for earlier, later in itertools.pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert len(rates) == len(losses) < 40
    assert not losses[-1] <= 4 * min(losses[:-1])
    assert all(loss <= 4 * min(losses[: i + 1]) for i, loss in enumerate(losses[:-1]))
    again = range_test(config.build, images, config, lowest=1e-3, highest=1e4, steps=40)[1]
    assert losses[:-1] == again[:-1]


class Own(nn.Sequential):
    """A network of one's own, whose `forward` counts on the usual order of memory."""

    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(324, 10))


def test_the_range_test_takes_any_network_and_leaves_it_as_it_was(mnist):
    images, settings = mnist[0].take(torch.arange(200)), Settings(batch_size=16, device="cpu")
    torch.manual_seed(0)
    network = Own().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rates, losses = range_test(network, images, settings, 0.01, 0.1, steps=10)
    assert rates == pytest.approx([0.01 * 10 ** (step / 9) for step in range(10)])
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    assert not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    once, again = (range_test(Own, images, settings, 0.01, 0.1, steps=3)[1] for _ in range(2))
    assert once == again


def test_the_range_test_is_the_same_whatever_torchs_default_precision(mnist):
    images, settings = mnist[0].take(torch.arange(100)), Settings(batch_size=16, device="cpu")
    expected = range_test(Own, images, settings, 0.01, 0.1, steps=3)
    torch.set_default_dtype(torch.float64)
    try:
        assert range_test(Own, images, settings, 0.01, 0.1, steps=3) == expected
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


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
