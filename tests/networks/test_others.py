"""Networks of other people: trained as they are, counted right, judged by what they do."""

import copy
import random

import pytest
import torch
import torch.nn.functional as F
from networks import others
from torch import nn

from mnist_helpers.data import Split
from mnist_helpers.networks.names import count_parameters
from mnist_helpers.networks.report import report_parameters, report_rules
from mnist_helpers.networks.rules import reported_checks, required_checks
from mnist_helpers.networks.table import layer_table
from mnist_helpers.training import NetworkError, Settings, start, train

# parameters and multiply-adds by hand; BatchNorm, dropout; the last two rows' receptive field; how it ends
EXPECTED = {
    others.Functional: (
        80 + 876 + 3010, 72 * 26**2 + 8 * 9 * 12 * 11**2 + 3000, "none", "rates 0.25", 10, "dense, 3,010",
    ),
    others.ViewTen: (
        72 + 16 + 720 + 20, 72 * 28**2 + 720 * 14**2, "applied 2 times", "rates 0.05", 34, "avg_pool2d over 7×7",
    ),
    others.ReluFirst: (
        80 + 16 + 730, 72 * 13**2 + 720 * 9**2, "applied 1 times", "rates 0.1", 3 + 4 * 2 + 8 * 2,
        "avg_pool2d over 9×9",
    ),
    others.NormOptions: (
        156 + 550 + 20 + 20 + 110, 150 * 12**2 + 540 * 10**2 + 100, "applied 3 times", "none", 9 + 9 * 2,
        "adaptive_max_pool2d over 10×10 places, then dense, 110",
    ),
    others.UsedTwice: (
        102 + 330 + 2950, (96 + 2 * 324) * 7**2 + 2940, "none", "none", 4 + 2 * 8, "dense, 2,950",
    ),
    others.BareParameters: (
        200 + 8 + 2880 + 10, 200 * 24**2 + 2880, "applied 1 times", "none", 5 + 3, "dense, 2,880",
    ),
    others.Lazy: (
        60 + 12 + 4870 + 8, 54 * 9**2 + 4860, "applied 1 times", "none", 3, "dense, 4,870",
    ),
    others.OneByOne: (
        80 + 16 + 584 + 804 + 36 + 730, (72 + 576 + 2 * 832) * 14**2 + 720 * 12**2, "applied 1 times", "none",
        27 + 11 * 2, "mean over 12×12",
    ),
    others.Dense: (
        25120 + 330, 25088 + 320, "none", "rates 0.2", 1, "dense, 330",
    ),
    others.Separable: (
        32 + 72 + 96 + 24 + 52 + 60 + 1090, (24 + 72 + 96) * 14 * 13 + 2 * 48 + 1080 * 12 * 11, "applied 1 times",
        "rates 0.1", 31, "mean over 132",
    ),
}  # fmt: skip


@pytest.fixture(params=EXPECTED, ids=lambda network: network.__name__)
def maker(request):
    torch.manual_seed(0)
    return request.param


def rows_of(maker):
    rows = layer_table(maker())
    return {(row.name, row.kind): row for row in rows}, rows


def test_each_is_trained_as_it_is(maker, digits, tmp_path):
    settings = Settings(epochs=1, batch_size=16, device="cpu", output_dir=str(tmp_path))
    network, results = train(maker, Split(digits, digits), settings, show=False, keep_checkpoints=False)
    assert type(network) is maker
    assert results.total_parameters == EXPECTED[maker][0]
    untrained = start(maker, digits, settings).network.state_dict()
    for name, parameter in network.named_parameters():
        assert torch.equal(parameter, untrained[name]) == name.startswith("spare"), name


def test_each_is_counted_right(maker):
    network = maker()
    rows = layer_table(network)
    parameters, multiply_adds, *_, receptive_field, _ = EXPECTED[maker]
    assert sum(row.parameters for row in rows) == count_parameters(network) == parameters
    assert sum(row.multiply_adds for row in rows) == multiply_adds
    assert max(row.receptive_field for row in rows) == receptive_field


def test_each_is_judged_by_what_it_does(maker):
    _, _, norm, dropout, _, end = EXPECTED[maker]
    network = maker()
    budget, logits = required_checks(network)
    assert logits.passed
    assert budget.passed == (maker is not others.Dense)
    checks = reported_checks(network)
    assert [check.found for check in checks[:2]] == [norm, dropout]
    assert [check.passed for check in checks] == [norm != "none", dropout != "none", True]
    assert checks[2].found.startswith(end)


def test_looking_at_each_leaves_it_as_it_was(maker):
    network = maker()
    layer_table(network)  # a first look gives lazy layers their shapes
    next(network.children(), network).eval()
    modes = [module.training for module in network.modules()]
    before, drawn = copy.deepcopy(network.state_dict()), (torch.get_rng_state(), random.getstate())
    layer_table(network)
    required_checks(network)
    reported_checks(network)
    report_parameters(network, "mine")
    assert [module.training for module in network.modules()] == modes
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_functions_are_rows_where_they_are_called():
    named, rows = rows_of(others.Functional)
    assert [row.kind for row in rows] == [
        "Conv2d", "relu", "max_pool2d", "Conv2d", "max_pool2d", "relu", "dropout", "Linear",
    ]  # fmt: skip
    assert named["forward", "dropout"].output_shape == (300,)
    assert [(row.receptive_field, row.jump) for row in rows[:5]] == [(3, 1), (3, 1), (4, 2), (8, 2), (10, 4)]


def test_a_layer_used_twice_has_its_parameters_once_and_its_work_twice():
    _, rows = rows_of(others.UsedTwice)
    twice = [row for row in rows if row.name == "conv"]
    assert [row.parameters for row in twice] == [330, 0]
    assert [row.multiply_adds for row in twice] == [324 * 49] * 2
    assert [row.receptive_field for row in twice] == [12, 20]


def test_parameters_without_a_layer_have_rows_of_their_own():
    named, rows = rows_of(others.BareParameters)
    assert [(row.name, row.parameters) for row in rows if row.kind == "Parameter"] == [
        ("kernels", 200), ("scale", 8), ("weights", 2880), ("bias", 10),
    ]  # fmt: skip
    bare = [(row.multiply_adds, row.receptive_field, row.jump) for row in rows if row.kind == "Parameter"]
    assert bare == [(0, 0, 0)] * 4
    assert named["forward", "matmul"].multiply_adds == 2880
    assert named["forward", "conv2d"].parameters == 0
    named, rows = rows_of(others.Lazy)
    assert [row.name for row in rows[-2:]] == ["spare.weight", "spare.bias"]  # never used, but there


def test_where_paths_meet_the_longest_counts():
    named, rows = rows_of(others.OneByOne)
    fields = [(row.name, row.receptive_field) for row in rows if row.name in ("narrow", "wide")]
    assert fields == [("narrow", 7), ("wide", 15), ("wide", 23), ("narrow", 15)]
    assert named["last", "Conv2d"].receptive_field == 23 + 2 * 2


def test_what_weighs_channels_does_not_widen_the_field():
    named, _ = rows_of(others.Separable)
    assert [named[name].receptive_field for name in (("gate.up", "Linear"), ("drop", "Dropout"))] == [7, 7]
    assert named["fc", "Conv2d"].receptive_field == 7 + 2 * 2


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: x.mean((2, 3)),
        lambda x: x.mean(-1).mean(-1),
        lambda x: torch.mean(x.flatten(2), dim=2),
        lambda x: F.avg_pool2d(x, x.shape[-1]).view(-1, 10),
        lambda x: F.adaptive_avg_pool2d(x, (1, 1)).squeeze(),
        lambda x: nn.AvgPool2d(9)(x)[:, :, 0, 0],
    ],
)
def test_every_way_to_average_all_places_is_one(pool):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 10, 4, stride=3)

        def forward(self, x):
            return pool(self.conv(x))

    network = Net()
    assert reported_checks(network)[2].passed
    assert layer_table(network)[-1].receptive_field == 4 + 8 * 3
    assert layer_table(network)[-1].jump == 27


@pytest.mark.parametrize(
    ("maker", "found"), [(others.TwoAnswers, "2 outputs"), (others.PairsOfFive, "(N, 2, 5)")], ids=["two", "pairs"]
)
def test_what_is_not_one_logit_a_class_is_refused_in_words(maker, found, digits, capsys):
    assert [(check.passed, check.found) for check in required_checks(maker())] == [(True, "3,966"), (False, found)]
    assert report_rules(maker(), "mine") == 1
    assert f"FAIL one logit a class, (N, 10) for images (N, 1, 28, 28): {found}" in capsys.readouterr().out
    settings = Settings(epochs=1, batch_size=16, device="cpu")
    with pytest.raises(NetworkError, match="allowed: "):
        train(maker, Split(digits, digits), settings, show=False, keep_checkpoints=False)


def test_a_network_that_cannot_look_at_images_is_told_so(capsys):
    for report in (report_rules, report_parameters):
        assert report(nn.Sequential(nn.LazyLinear(3), nn.Linear(784, 10)), "mine") == 1
        out = capsys.readouterr().out
        assert "FAIL one logit a class" in out
        assert "RuntimeError" in out
    assert report_rules(nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, 10))), "mine") == 1
    assert "FAIL one logit a class, (N, 10)" in capsys.readouterr().out


def test_what_others_need_not_have_is_told_and_fails_nothing(capsys):
    assert report_rules(others.UsedTwice(), "mine") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[2:4] == ["has no BatchNorm: none", "has no dropout: none"]
    assert out[4].startswith("has    pooling over all places or a dense layer at the end: dense")


def test_torchsummary_is_shown_where_it_counts_right(capsys):
    assert report_parameters(others.Functional(), "mine") == 0
    assert "Total params: 3,966" in capsys.readouterr().out
    for maker in (others.UsedTwice, others.BareParameters, others.Lazy):
        assert report_parameters(maker(), "mine") == 0
        out = capsys.readouterr().out
        assert "torchsummary cannot describe mine" in out
        assert "Total params" not in out
