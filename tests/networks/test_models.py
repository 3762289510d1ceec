"""The network is the reference's, within the budget, and the tools that say so can say otherwise."""

import re
from dataclasses import FrozenInstanceError, replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_helpers.networks.final import FinalNet
from mnist_helpers.networks.layers import fast_form
from mnist_helpers.networks.names import MODELS, build_model, count_parameters
from mnist_helpers.networks.receptive import final_poolings
from mnist_helpers.networks.report import report_parameters, report_rules
from mnist_helpers.networks.rules import check_structure
from mnist_helpers.networks.table import format_layer_table, layer_table, trace, training_multiply_adds
from mnist_helpers.networks.trace import looking, record


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
    # words begin and numbers end below each other
    assert [line.index("4×7×7") for line in text[1:2]] == [text[0].index("output")]
    ends = [[found.end() for found in re.finditer(r"\S+", line)] for line in text]
    assert ends[0][3:] == ends[1][3:] == ends[2][3:]
    assert ends[-1][1:] == ends[0][3:5]


def test_a_step_costs_the_first_layer_that_learns_twice_and_those_after_it_three_times_their_forward_pass():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(3 * 24 * 24, 10))
    rows = layer_table(network)
    first, second, third = 2 * 9 * 26 * 26, 3 * 18 * 24 * 24, 3 * 24 * 24 * 10
    assert training_multiply_adds(rows) == 2 * first + 3 * second + 3 * third
    assert training_multiply_adds(rows, frozen=1) == first + 2 * second + 3 * third
    assert training_multiply_adds(rows, frozen=2) == first + second + 2 * third
    with pytest.raises(FrozenInstanceError):
        rows[0].parameters = 0


def test_an_adaptive_pooling_may_be_wider_than_high():
    pooled = layer_table(nn.Sequential(nn.AdaptiveAvgPool2d((14, 7)), nn.Flatten(), nn.Linear(98, 10)))[0]
    assert (pooled.receptive_field, pooled.jump) == (4, 4)
    pooled = layer_table(nn.Sequential(nn.AdaptiveAvgPool2d((7, 14)), nn.Flatten(), nn.Linear(98, 10)))[0]
    assert (pooled.receptive_field, pooled.jump) == (4, 4)


def test_a_map_one_place_wide_may_be_weighed_by_all_of_it_and_keeps_its_field():
    class Column(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 4, (3, 1)), nn.Conv2d(4, 4, (3, 1), stride=(2, 1))
            self.third, self.last = nn.Conv2d(4, 4, (3, 1)), nn.Linear(4 * 10, 10)

        def forward(self, images):
            column = self.second(self.first(images[..., 13:14]))
            weighed = column * column.mean((2, 3), keepdim=True)
            return self.last(self.third(weighed).flatten(1))

    rows = {row.name: row for row in layer_table(Column())}
    assert [rows[name].output_shape[1:] for name in ("first", "second", "third")] == [(26, 1), (12, 1), (10, 1)]
    assert [rows[name].receptive_field for name in ("first", "second", "third")] == [3, 5, 9]


def test_of_a_layer_that_takes_or_gives_several_tensors_the_first_is_shown():
    class Several(nn.Module):
        def __init__(self):
            super().__init__()
            self.pooling, self.mixing = nn.MaxPool2d(2, return_indices=True), nn.Bilinear(14, 28, 3)

        def forward(self, images):
            largest, _ = self.pooling(images)
            return self.mixing(largest, images[:, :, ::2])

    (_, _, _, largest), (_, _, first, _) = trace(Several(), images := torch.rand(2, 1, 28, 28))
    assert torch.equal(largest, F.max_pool2d(images, 2))
    assert first.shape == (2, 1, 14, 14)


def test_windows_that_are_not_square_are_followed_both_ways():
    network = nn.Sequential(nn.Conv2d(1, 1, (1, 5), stride=(2, 1)), nn.AvgPool2d((3, 2)), nn.Conv2d(1, 1, 2))
    # heights 1, 1 + 2 · 2, 5 + 6; widths 5, 5 + 1, 6 + 2
    assert [(row.receptive_field, row.jump) for row in layer_table(network)] == [(5, 2), (6, 6), (11, 6)]
    turned = nn.Sequential(nn.Conv2d(1, 1, (5, 1), stride=(1, 2)), nn.AvgPool2d((2, 3)), nn.Conv2d(1, 1, 2))
    assert [(row.receptive_field, row.jump) for row in layer_table(turned)] == [(5, 2), (6, 6), (11, 6)]


def test_an_adaptive_pooling_has_the_window_that_torch_gives_it_and_a_size_may_stand_alone():
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.AvgPool2d((2,)), nn.AdaptiveAvgPool2d(3))
    # 13 places made into 3: windows of 13 − 2 · 4, four places apart
    assert [(row.receptive_field, row.jump) for row in layer_table(network)] == [(3, 1), (4, 2), (4 + 4 * 2, 8)]


class Centred(nn.Module):
    def forward(self, logits):
        return logits - logits.mean(1, keepdim=True)


@pytest.mark.parametrize(
    ("layers", "ends"),
    [
        ([nn.Flatten(), nn.Linear(784, 10), Centred()], []),
        ([nn.Conv2d(1, 10, 28), nn.AdaptiveAvgPool2d(1), nn.Flatten()], []),
        ([nn.Conv2d(1, 10, (28, 27)), nn.AdaptiveAvgPool2d(1), nn.Flatten()], ["adaptive_avg_pool2d"]),
        ([nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 10, 1), nn.Flatten()], ["adaptive_avg_pool2d"]),
    ],
)
def test_a_pooling_over_all_places_is_one_of_several_places(layers, ends):
    network = nn.Sequential(*layers)
    with looking(network):
        steps = record(network, torch.zeros(2, 1, 28, 28))
    assert [call.function for call in final_poolings([call for step in steps for call in step.calls])] == ends


@pytest.mark.parametrize("name", MODELS)
def test_the_table_has_the_networks_parameters_in_either_form(name):
    network = build_model(name)
    rows, fast = layer_table(network), layer_table(fast_form(network))
    assert sum(row.parameters for row in rows) == count_parameters(network)
    assert [replace(row, kind="") for row in rows] == [replace(row, kind="") for row in fast]


def test_looking_at_a_network_leaves_it_as_it_was(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_table(network)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_the_final_network_keeps_the_rules(network, capsys):
    assert report_rules(network, "final") == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert "ok   blocks in order" in out
    assert report_parameters(network, "final") == 0
    assert "Total params: 18,982" in capsys.readouterr().out
    assert report_rules(fast_form(network), "final") == 0


class Respelt(FinalNet):
    """The final network with functions for layers, or with an average of another spelling."""

    def __init__(self, average=None, relu=nn.ReLU):
        super().__init__()
        self.average = average
        for block in self.children():
            for index, layer in enumerate(block):
                if isinstance(layer, nn.ReLU):
                    block[index] = relu()
        if average is not None:
            del self.output_block[4:]

    def forward(self, inputs):
        outputs = super().forward(inputs)
        return self.average(outputs) if self.average else outputs


class Function(nn.Module):
    def forward(self, inputs):
        return F.relu(inputs)


@pytest.mark.parametrize(
    "respelt",
    [
        lambda: Respelt(relu=Function),
        lambda: Respelt(average=lambda x: x.mean((2, 3))),
        lambda: Respelt(average=lambda x: F.avg_pool2d(x, 7).view(-1, 10)),
        lambda: Respelt(average=lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)),
    ],
)
def test_the_rules_do_not_ask_how_a_layer_is_spelt(respelt, capsys):
    assert report_rules(respelt(), "final") == 0, capsys.readouterr().out


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


def blocks_applied_in_another_order(network):
    features = nn.Sequential(nn.Conv2d(20, 24, 1), nn.MaxPool2d(2)), nn.Sequential(nn.Conv2d(16, 20, 1))
    network.first_block, network.transition_block = features
    network.forward = lambda x: network.output_block(
        network.second_block(network.first_block(network.transition_block(network.input_block(x))))
    )


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
        (blocks_applied_in_another_order, "blocks in order"),
        (relu_before_batch_norm, "convolution, BatchNorm, ReLU"),
    ],
)
def test_each_rule_can_fail(network, damage, rule):
    damage(network)
    failed = [check.rule for check in check_structure(network) if not check.passed]
    assert any(name.startswith(rule) for name in failed), failed
    assert report_rules(network, "final") == 1


def test_a_network_over_the_budget_fails_both_reports(network, capsys):
    network.first_block[0] = nn.Conv2d(16, 20, 7, padding=3, bias=False)
    for report in (report_rules, report_parameters):
        assert report(network, "final") == 1
        assert "FAIL fewer than 20,000" in capsys.readouterr().out
