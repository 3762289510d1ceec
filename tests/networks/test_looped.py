"""One convolution used many times behind patterns that nothing learns: what is stored, and what each use does."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mnist_helpers.networks.looped import LoopedNet, cosine_patterns
from mnist_helpers.networks.names import LOOPED, build_model, count_parameters
from mnist_helpers.networks.table import layer_table

IMAGES = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", list(LOOPED))
def test_a_looped_network_is_of_the_size_in_its_name_and_stores_one_convolution(name):
    network = build_model(name).eval()
    assert count_parameters(network) == int(name.removeprefix("looped_"))
    assert len([module for module in network.modules() if isinstance(module, nn.Conv2d)]) == 1
    assert "patterns" not in network.state_dict()
    assert network(IMAGES).shape == (5, 10)


def test_every_use_has_a_norm_of_its_own_and_works():
    network = LoopedNet(9, after=5)
    assert len([module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]) == 8
    uses = [row for row in layer_table(LoopedNet(9)) if row.multiply_adds and row.multiply_adds % 729 == 0]
    assert [row.multiply_adds // 729 for row in uses] == [144, 100, 64, 4]  # 12², 10², 8² and 2² places


def test_every_use_ends_in_a_relu_but_one_whose_channels_are_the_classes():
    for network, missing in ((LoopedNet(10), 0), (LoopedNet(10, named=True), 1)):
        uses = 1 + len(network.first_norms) + len(network.second_norms)
        assert [row.kind for row in layer_table(network)].count("relu") == uses - missing
        last = []
        network.classifier.register_forward_pre_hook(lambda _, inputs, last=last: last.append(inputs[0].min()))
        network.eval()(IMAGES)
        assert (last[0] < 0) == bool(missing)


@given(st.integers(1, 31))
def test_patterns_are_cosines_independent_of_each_other_with_either_sign(count):
    patterns = cosine_patterns(count).flatten(1)
    assert patterns.shape == (count, 16)
    different = patterns[[0, *range(1, count, 2)]]
    gram = different @ different.T
    torch.testing.assert_close(gram, gram.diagonal().diag(), rtol=0, atol=1e-5)
    for one, other in zip(patterns[1::2], patterns[2::2], strict=False):
        assert torch.equal(one, -other)
    assert torch.equal(patterns, cosine_patterns(31).flatten(1)[:count])
    assert patterns[0].std() < 1e-6  # the first is the mean


def test_a_pattern_is_as_strong_as_the_formula_says():
    strengths = cosine_patterns(31).flatten(1).norm(dim=1)
    pairs = sorted(itertools.product(range(4), repeat=2), key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair))
    expected = [(1 + u) * (1 + v) / 3 for u, v in pairs for _ in range(1 if u == v == 0 else 2)]
    assert strengths.tolist() == pytest.approx(expected)


def test_pooling_takes_the_largest_of_two_and_blurs_it():
    places = [row.output_shape[1:] for row in layer_table(LoopedNet(9)) if "Pool" in row.kind]
    assert places == [(7, 7), (8, 8), (4, 4)]
    pooling = LoopedNet(9).pooling
    assert [layer.kernel_size for layer in pooling] == [2, 2, 2]


def test_named_channels_are_the_logits_below_zero_too():
    torch.manual_seed(0)
    network = LoopedNet(10, named=True).eval()
    logits = network(IMAGES)
    assert logits.min() < 0 < logits.max()
    assert count_parameters(network) == 10 * 10 * 9 + 4 * 2 * 10


@pytest.mark.parametrize(("arguments", "said"), [((9, 3, 1, True), "allowed: 10"), ((9, 6), "allowed: at most 5")])
def test_what_cannot_be_looped_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        LoopedNet(*arguments)
