"""Notebook 13's networks are of the size they say, and each change to their plan is what its name says."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_helpers.experiments import IDEAS, ONE_PLAN, TARGETED, UNCHANGED
from mnist_helpers.networks.compact import CompactNet, Residual, SqueezeExcite, pooling_layers
from mnist_helpers.networks.layers import fast_form
from mnist_helpers.networks.names import (
    COMPACT,
    LOOPED,
    MODELS,
    PARAMETER_BUDGET,
    SMALL,
    build_model,
    count_parameters,
)
from mnist_helpers.networks.table import layer_table
from mnist_helpers.networks.upright import Upright
from mnist_helpers.networks.views import Views
from mnist_helpers.runs.config import make_config
from mnist_helpers.runs.weights import load_weights, save_weights
from mnist_helpers.runs.whitening import first_convolutions
from mnist_helpers.training.settings import EPOCH_BUDGET

FRONTIER = (*ONE_PLAN, *TARGETED)
# what an idea of notebook 13 has in place of the plan
VARIANTS = [model for idea in IDEAS if (model := idea.settings["model"]) != UNCHANGED.settings["model"]]
IMAGES = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]


def test_the_frontier_is_eight_sizes_or_more_from_500_to_20_000_parameters_in_order():
    sizes = {name: count_parameters(build_model(name)) for name in FRONTIER}
    plan = [sizes[name] for name in ONE_PLAN]
    assert plan == sorted(set(plan))
    assert len(plan) >= 8
    assert 500 <= plan[0] < 1_000
    assert 15_000 < plan[-1] < PARAMETER_BUDGET
    assert tuple(f"compact_{size}" for size in plan) == ONE_PLAN
    assert sizes["tinier"] <= 3_000 < sizes["tiny"] <= 4_000 < sizes["best"] < PARAMETER_BUDGET


@pytest.mark.parametrize("name", list(COMPACT))
def test_every_network_has_a_recipe_within_the_budget_and_can_be_whitened(name):
    config = make_config(model=name)
    assert config.whitened == (name not in LOOPED)  # whose first filters are set
    assert config.epochs < EPOCH_BUDGET


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_about_as_large_as_what_it_varies_and_another(name):
    size, unchanged = (count_parameters(build_model(model)) for model in (name, "compact_3658"))
    assert 0.85 * unchanged < size < 4_000
    assert str(build_model(name)) != str(build_model("compact_3658"))


@settings(deadline=None, max_examples=25)
@given(
    before=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    after=st.lists(st.integers(1, 9), max_size=3),
    padded=st.tuples(st.booleans(), st.booleans()),
    head=st.sampled_from(["average", "places", "dense"]),
    block=st.sampled_from(["plain", "depthwise", "shared", "looped", "residual"]),
)
def test_any_plan_that_leaves_a_place_gives_ten_logits(before, after, padded, head, block):
    side = (14 if padded[0] else 14 - 2 * len(before)) // 2 - (0 if padded[1] else 2 * len(after))
    if block == "looped" and any(padded):
        with pytest.raises(ValueError, match="allowed: none padded"):
            CompactNet(4, before, after, padded, head, block)
    elif side < 1:
        with pytest.raises(ValueError, match="leave no place of 14×14"):
            CompactNet(4, before, after, padded, head, block)
    else:
        assert CompactNet(4, before, after, padded, head, block).eval()(IMAGES).shape == (5, 10)


def test_convolutions_that_are_shared_are_one_and_the_same():
    shared, plain = (CompactNet(6, (6, 6, 6), (6, 6), (True, True), block=block) for block in ("shared", "plain"))
    assert count_parameters(plain) - count_parameters(shared) == 3 * 6 * 6 * 9
    first, again = shared.first_block[0], shared.first_block[3]
    assert first is again
    assert shared.first_block[1] is not shared.first_block[4]


@pytest.mark.parametrize("name", [name for name in COMPACT if name.startswith("looped_") and name not in LOOPED])
def test_looped_convolutions_are_one_and_the_same_on_both_sides_of_the_pooling(name):
    networks = [module for module in build_model(name).modules() if isinstance(module, CompactNet)]
    for network in networks:
        stem, *others = [layer for layer in (*network.stem, *network.first_block, *network.second_block)
                         if isinstance(layer, nn.Conv2d)]  # fmt: skip
        assert len(others) == 4
        assert all(other is others[0] and other is not stem for other in others)
        normalised = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert len(normalised) == 4
    assert networks


@pytest.mark.parametrize("name", ["compact_shared", "looped_10"])
def test_shared_weights_are_saved_and_read_back(name, tmp_path):
    torch.manual_seed(0)
    network, config = build_model(name).eval(), make_config(model=name, output_dir=str(tmp_path))
    save_weights(network, config, tmp_path)
    torch.testing.assert_close(load_weights(tmp_path)[0](IMAGES), network(IMAGES))


def test_residual_blocks_add_their_inputs_and_only_where_shapes_agree():
    body = nn.Conv2d(3, 3, 1)
    nn.init.zeros_(body.weight)
    nn.init.zeros_(body.bias)
    inputs = torch.randn(2, 3, 4, 4)
    assert torch.equal(Residual(body)(inputs), inputs)
    network = CompactNet(4, (4, 6), (6,), (True, True), block="residual")
    assert sum(isinstance(module, Residual) for module in network.modules()) == 2


def test_compact_networks_set_digits_upright_unless_told_not_to():
    networks = {name: build_model(name) for name in COMPACT}
    slanted = {
        name
        for name, network in networks.items()
        if not isinstance(network, Views) and not isinstance(network.upright, Upright)
    }
    assert slanted == {"compact_slanted", "compact_19546", "teacher"}


def test_squeeze_and_excite_weighs_whole_channels():
    torch.manual_seed(0)
    layer, inputs = SqueezeExcite(8), torch.rand(2, 8, 5, 5) + 0.1
    weights = layer(inputs) / inputs
    assert ((weights > 0) & (weights < 1)).all()
    torch.testing.assert_close(weights, weights[:, :, :1, :1].expand_as(weights))
    assert weights[0, 0, 0, 0] != weights[0, 1, 0, 0]


def test_depthwise_convolutions_see_one_channel_each():
    layers = convolutions(build_model("compact_depthwise"))
    assert [layer.groups for layer in layers] == [1, 16, 1, 16, 1, 24, 1, 24, 1]
    assert [layer.kernel_size for layer in layers[1:]] == [(3, 3), (1, 1)] * 4


@pytest.mark.parametrize(
    ("name", "places"), [("compact_3658", 4), ("compact_early_pool", 36), ("compact_late_pool", 9)]
)
def test_where_the_pooling_lies(name, places):
    table = layer_table(build_model(name))
    kinds = [row.kind for row in table if row.kind in ("Conv2d", "MaxPool2d")]
    assert kinds.index("MaxPool2d") == {"compact_3658": 4, "compact_early_pool": 2, "compact_late_pool": 5}[name]
    last = [row for row in table if row.kind in ("ReLU", "MaxPool2d", "AvgPool2d")][-1]
    assert last.output_shape[1] * last.output_shape[2] == places


@settings(deadline=None, max_examples=25)
@given(side=st.integers(1, 7), seed=st.integers(0, 2**31))
def test_blurred_pooling_is_the_blurred_maximum_at_every_other_place(side, seed):
    """By hand, as in Zhang 2019: maxima one place apart, weights 1, 2, 1 both ways, every second place kept."""
    inputs = torch.rand(2, 3, 2 * side, 2 * side, generator=torch.Generator().manual_seed(seed))
    pooling = nn.Sequential(*pooling_layers("blurred"))
    maxima = F.max_pool2d(inputs, 2, stride=1)
    weights = torch.tensor([0.25, 0.5, 0.25])
    blur = (weights[:, None] * weights).expand(3, 1, 3, 3)
    torch.testing.assert_close(pooling(inputs), F.conv2d(maxima, blur, stride=2, padding=1, groups=3))
    assert pooling(inputs).shape == nn.Sequential(*pooling_layers("max"))(inputs).shape


def test_blurred_pooling_changes_less_when_a_stroke_moves_by_a_pixel():
    stroke = torch.zeros(1, 1, 14, 14)
    stroke[..., 6] = 1
    changes = {}
    for pooling in ("max", "blurred"):
        pool = nn.Sequential(*pooling_layers(pooling))
        changes[pooling] = max((pool(stroke.roll(by, 3)) - pool(stroke)).abs().max().item() for by in (-1, 1))
    assert changes["blurred"] < 0.6 * changes["max"]


@pytest.mark.parametrize("name", FRONTIER)
def test_the_fast_layers_compute_what_the_networks_plain_ones_do(name):
    torch.manual_seed(0)
    plain = build_model(name)
    fast = fast_form(plain)
    torch.testing.assert_close(fast(IMAGES), plain(IMAGES), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fast.eval()(IMAGES), plain.eval()(IMAGES), rtol=1e-4, atol=1e-4)


def test_the_small_plan_is_what_its_variants_change():
    assert count_parameters(CompactNet(**SMALL)) == count_parameters(MODELS["compact_3658"]())


def test_what_is_held_to_a_target_pools_blurred():
    for name in ("tinier", "tiny", "best"):
        kinds = [type(layer) for layer in build_model(name).modules()]
        assert (
            kinds.count(nn.AvgPool2d)
            == 2 * kinds.count(nn.MaxPool2d)
            == 2 * len(first_convolutions(build_model(name)))
        )


def test_the_teacher_is_as_large_as_the_idea_says():
    (idea,) = [idea for idea in IDEAS if "teacher" in idea.settings]
    assert f"{count_parameters(build_model(idea.settings['teacher'])):,}" in idea.change
