"""The network is the reference's, within the budget, and the tools that say so can say otherwise."""

import pytest
import torch
from torch import nn

from mnist_helpers.layer_table import format_layer_table, layer_table
from mnist_helpers.models import MODELS, FinalNet, build_model, count_parameters
from mnist_helpers.structure import check_budget, check_structure, main


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return build_model("final")


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("baseline", "teacher")])
def test_every_network_maps_images_to_ten_logits_within_the_budget(name):
    network = build_model(name).eval()
    assert network(torch.zeros(3, 1, 28, 28)).shape == (3, 10)
    assert count_parameters(network) < 20_000


def test_the_final_network_is_the_references(network):
    assert count_parameters(network) == 18_982
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels) for m in convolutions] == [
        (1, 12), (12, 16), (16, 20), (20, 24), (24, 24), (24, 20), (20, 10),
    ]  # fmt: skip
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.05, 0.1]
    assert sum(row.multiply_adds for row in layer_table(network)) == 5_781_608


def test_the_receptive_field_is_the_gradients_footprint():
    """The formula against the measured region of the input that reaches one output value."""
    torch.manual_seed(0)
    network = build_model("final").double().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data.abs_()  # so that no path cancels and no ReLU closes
    table = {row.name: row for row in layer_table(build_model("final"))}
    # images larger than any receptive field, so that no border cuts it
    inputs = torch.rand(1, 1, 96, 96, dtype=torch.float64, requires_grad=True)
    features = network.input_block(inputs)
    for block in ("first_block", "transition_block", "second_block"):
        features = getattr(network, block)(features)
    for index in range(4):
        features = network.output_block[index](features)
    middle = features.shape[-1] // 2
    (grad,) = torch.autograd.grad(features[0, :, middle, middle].sum(), inputs)
    rows = grad[0, 0].abs().sum(1).nonzero()
    reached = int(rows.max() - rows.min()) + 1
    expected = table["output_block.3"].receptive_field
    assert expected == 26
    # max pooling passes the gradient to one of its two rows only: a pixel or a jump may be missing at either end
    assert expected - 4 <= reached <= expected


def test_the_table_follows_strides_dilation_and_dense_layers():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 4, stride=4), nn.Conv2d(4, 8, 3, dilation=2), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(8, 10)
    )
    rows = layer_table(network)
    assert [(row.receptive_field, row.jump) for row in rows[:3]] == [(4, 4), (20, 4), (28, 12)]
    assert rows[-1].multiply_adds == 80
    assert [row.parameters for row in rows] == [68, 296, 0, 0, 90]
    text = format_layer_table(rows).splitlines()
    assert text[-1].split() == ["total", "454", f"{16 * 4 * 49 + 9 * 32 * 9 + 80:,}"]


def test_windows_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match=r"kernel_size=\(3, 1\)"):
        layer_table(nn.Sequential(nn.Conv2d(1, 1, (3, 1))))


def test_looking_at_a_network_leaves_it_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_table(network)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_final_network_keeps_the_rules(network, capsys):
    assert all(check.passed for check in (*check_structure(network), check_budget(network)))
    assert main(["rules"]) == 0
    assert "FAIL" not in capsys.readouterr().out
    assert main(["parameters"]) == 0
    assert "18,982" in capsys.readouterr().out


def without_batch_norm(network):
    network.second_block[1] = nn.Identity()


def without_dropout(network):
    network.input_block[6] = network.transition_block[3] = nn.Identity()


def falling_dropout(network):
    network.input_block[6].p = 0.5


def with_dense_layer(network):
    network.output_block.append(nn.Linear(10, 200))


def without_average(network):
    network.output_block[4] = nn.MaxPool2d(7)


def blocks_swapped(network):
    transition = network._modules.pop("transition_block")
    network._modules["transition_block"] = transition


def relu_before_batch_norm(network):
    block = network.first_block
    block[1], block[2] = block[2], block[1]


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (without_batch_norm, "a BatchNorm after"),
        (without_dropout, "dropout"),
        (falling_dropout, "dropout"),
        (with_dense_layer, "no dense layer"),
        (without_average, "global average"),
        (blocks_swapped, "blocks in order"),
        (relu_before_batch_norm, "convolution, BatchNorm, ReLU"),
    ],
)
def test_each_rule_can_fail(network, damage, rule):
    damage(network)
    failed = [check.rule for check in check_structure(network) if not check.passed]
    assert any(name.startswith(rule) for name in failed), failed


def test_a_check_that_fails_fails_the_command(monkeypatch, capsys):
    class Wide(FinalNet):
        def __init__(self):
            super().__init__()
            self.first_block[0] = nn.Conv2d(16, 20, 7, padding=3, bias=False)

    monkeypatch.setitem(MODELS, "final", Wide)
    assert main(["parameters"]) == 1
    assert "FAIL fewer than 20,000" in capsys.readouterr().out
