"""Networks side by side answer together, learn by themselves, and are one network in tables and on disk."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_helpers.data.images import Images
from mnist_helpers.networks.names import build_model, count_parameters
from mnist_helpers.networks.table import layer_table
from mnist_helpers.networks.upright import Upright
from mnist_helpers.networks.views import Views, together
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.hooks import EachAlone
from mnist_helpers.training import loop as training
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.settings import Settings
from mnist_helpers.training.state import start

IMAGES = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=20, max_size=20)


def linear(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Linear(6, 10)


@settings(deadline=None, max_examples=50)
@given(LOGITS, LOGITS, st.floats(-5, 5))
def test_the_answer_is_the_members_geometric_mean(one, other, shift):
    one, other = (torch.tensor(values, dtype=torch.float64).view(2, 10) for values in (one, other))
    product = (F.softmax(one, 1) * F.softmax(other, 1)).sqrt()
    expected = product / product.sum(1, keepdim=True)
    torch.testing.assert_close(F.softmax(together([one, other]), 1), expected)
    # members agree to weigh alike: a constant added to all logits of one says nothing
    torch.testing.assert_close(together([one + shift, other]), together([one, other]))
    torch.testing.assert_close(together([one, one]), F.log_softmax(one, 1))


def test_a_step_moves_every_member_as_if_it_were_alone():
    """Half the loss is each one's, so each moves half as far as by itself."""
    inputs, targets = torch.randn(8, 6, generator=torch.Generator().manual_seed(1)), torch.arange(8)
    members = [linear(seed) for seed in (2, 3)]
    alone = copy.deepcopy(members)
    views = Views(*members)
    hook = EachAlone()
    hook.before_epoch(views, 1, Settings(label_smoothing=0.1))
    optimizer, loss_of = torch.optim.SGD(views.parameters(), lr=0.2), hook.loss(training.cross_entropy)
    loss, answers = training.train_step(views, inputs, targets, optimizer, loss_of)
    before = [member(inputs).detach() for member in alone]
    torch.testing.assert_close(answers, together(before))
    losses = [F.cross_entropy(logits, targets, label_smoothing=0.1) for logits in before]
    torch.testing.assert_close(loss, sum(losses) / 2)
    for member in alone:
        optimizer = torch.optim.SGD(member.parameters(), lr=0.1)
        training.train_step(member, inputs, targets, optimizer, partial(training.cross_entropy, label_smoothing=0.1))
    for moved, expected in zip(views.parameters(), nn.ModuleList(alone).parameters(), strict=True):
        torch.testing.assert_close(moved, expected)


def test_best_is_a_view_as_written_and_one_set_upright():
    network = build_model("best")
    assert [isinstance(member.upright, Upright) for member in network.members] == [False, True]
    sizes = [count_parameters(member) for member in network.members]
    assert sizes[0] == sizes[1] == count_parameters(network) / 2
    network.eval()
    torch.testing.assert_close(network(IMAGES), together([member(IMAGES) for member in network.members]))


def test_a_run_trains_views_member_by_member(mnist, monkeypatch):
    images: Images = mnist[0].take(torch.arange(40))
    seen = []

    def watched(views, inputs):
        seen.append(len(inputs))
        return each(views, inputs)

    each = Views.each
    config = RunConfig(model="best", batch_size=20, device="cpu", whitened=True)
    state = start(config.build, images, config)
    monkeypatch.setattr(Views, "each", watched)
    monkeypatch.setattr(Views, "forward", None)  # asked together, members would lean on each other
    stems = [member.stem[0].weight.clone() for member in state.network.members]
    assert torch.equal(*stems)  # both whitened, from the same patches
    training.train_epoch(state, 1, images, TrainingBar(0, show=False))
    assert seen == [20, 20]
    assert not torch.equal(*(member.stem[0].weight for member in state.network.members))


@pytest.mark.parametrize("of", ["parameters", "multiply_adds"])
def test_the_table_lists_members_one_after_the_other(of):
    network = build_model("best")
    rows, members = layer_table(network), [layer_table(member) for member in network.members]
    assert [getattr(row, of) for row in rows] == [getattr(row, of) for member in members for row in member]
    assert [row.receptive_field for row in rows] == [row.receptive_field for member in members for row in member]
    assert rows[0].receptive_field == rows[len(members[0])].receptive_field == 1
