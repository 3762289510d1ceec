"""A pupil learns its teacher's answers; an averaged network is the average; both resume as they were."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mnist_helpers import training
from mnist_helpers.config import ConfigError, RunConfig, make_config
from mnist_helpers.data import Split
from mnist_helpers.distillation import SHARE, TEMPERATURE, distilled, taught_step
from mnist_helpers.evaluation import evaluate, find_mistakes, predict_logits
from mnist_helpers.progress import TrainingBar
from mnist_helpers.recipes import with_recipe
from mnist_helpers.state import new_state
from mnist_helpers.training import fit, run_epoch, train

LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=30, max_size=30)


@pytest.fixture
def split(mnist) -> Split:
    """Forty digits to train on, and other ones to validate and test."""
    images, test = mnist
    return Split(images.take(torch.arange(40)), images.take(torch.arange(40, 100)), test.take(torch.arange(80)))


def config(**changes) -> RunConfig:
    return RunConfig(**{"model": "fast", "epochs": 2, "batch_size": 16, "device": "cpu", **changes})


@settings(deadline=None, max_examples=50)
@given(LOGITS, LOGITS)
def test_the_divergence_is_hintons(mine, theirs):
    mine, theirs = (torch.tensor(values, dtype=torch.float64).view(3, 10) for values in (mine, theirs))
    p, q = (F.softmax(values / TEMPERATURE, dim=1) for values in (theirs, mine))
    by_hand = (p * (p.log() - q.log())).sum(1).mean() * TEMPERATURE**2
    loss = torch.tensor(0.7, dtype=torch.float64)
    torch.testing.assert_close(distilled(loss, mine, theirs), (1 - SHARE) * loss + SHARE * by_hand)
    torch.testing.assert_close(distilled(loss, mine, mine), (1 - SHARE) * loss)


def test_steps_with_a_teacher_end_nearer_to_it_than_steps_without():
    torch.manual_seed(0)
    inputs, teacher = torch.randn(8, 10), nn.Linear(10, 10)
    targets, before = teacher(inputs).argmax(1), teacher.weight.clone()
    apart = []
    for taught_by in (None, teacher):
        torch.manual_seed(1)
        pupil = nn.Linear(10, 10)
        optimizer = torch.optim.SGD(pupil.parameters(), lr=0.2)
        for _ in range(50):
            step = partial(taught_step, taught_by) if taught_by else training.train_step
            step(pupil, inputs, targets, optimizer)
        mine, theirs = (F.log_softmax(net(inputs), 1) for net in (pupil, teacher))
        apart.append(F.kl_div(mine, theirs, log_target=True, reduction="batchmean").item())
    assert apart[1] < 0.8 * apart[0]
    assert torch.equal(teacher.weight, before)
    assert teacher.weight.grad is None


def test_the_teacher_is_trained_first_by_its_own_recipe_on_the_same_images(split, monkeypatch):
    taught, seen = [], []

    def fitted(own, images, show=False):
        taught.append((own, images))
        return fit(own, images, show)

    def watched(teacher, *arguments):
        seen.append(teacher)
        return taught_step(teacher, *arguments)

    monkeypatch.setattr(training, "fit", fitted)
    monkeypatch.setattr(training, "taught_step", watched)
    train(config(model="final", teacher="sprint", seed=3, epochs=1), split, show=False, keep_checkpoints=False)
    ((own, images),) = taught
    assert images is split.train or torch.equal(images.pixels, split.train.pixels)
    assert own == RunConfig(**with_recipe({"model": "sprint", "seed": 3, "device": "cpu"}))
    # its own steps have no teacher; each of its pupil's has it, in evaluation mode
    assert len(seen) == 3
    assert type(seen[0]).__name__ == "FastNet"
    assert not seen[0].training


def test_a_teacher_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="teacher='nobody' is not allowed; allowed: final"):
        make_config(teacher="nobody")


def test_the_average_is_the_moving_average_of_all_steps(split, monkeypatch):
    """By hand: it starts at the weights after the first step, and every later step moves it by a tenth."""
    state = new_state(config(averaging=0.9), split.train)
    weights, step = [], training.train_step

    def watched(*arguments):
        found = step(*arguments)
        weights.append(next(state.model.parameters()).detach().clone())
        return found

    monkeypatch.setattr(training, "train_step", watched)
    training.train_epoch(state, 1, split.train, TrainingBar(0, show=False))
    average = weights[0]
    for value in weights[1:]:
        average = 0.9 * average + 0.1 * value
    torch.testing.assert_close(next(state.network.parameters()).detach(), average)
    assert not torch.equal(average, weights[-1])


def test_what_is_measured_kept_and_resumed_is_the_average(split):
    state = new_state(config(averaging=0.9), split.train)
    record = run_epoch(state, split, TrainingBar(0, show=False))
    assert record.test_loss == evaluate(state.averaged.module, split.test).loss
    assert record.test_loss != evaluate(state.model, split.test).loss
    logits = predict_logits(state.network, split.test.pixels)
    torch.testing.assert_close(predict_logits(state.as_written(), split.test.pixels), logits, rtol=1e-4, atol=1e-4)
    again = new_state(config(averaging=0.9), split.train)
    again.history = [record]
    again.restore({**state.snapshot(), "history": [record.model_dump()]})
    for one, other in zip(state.averaged.state_dict().values(), again.averaged.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_mistakes_are_the_images_read_wrong(split):
    network, results = train(config(), split, show=False, keep_checkpoints=False)
    wrong = predict_logits(network, split.test.pixels).argmax(1) != split.test.targets
    assert results.test_mistakes == find_mistakes(network, split.test) == wrong.nonzero().flatten().tolist()
    assert len(results.test_mistakes) == round((1 - results.final_test_accuracy) * len(split.test))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_either_optimizer_follows_the_schedule(optimizer, split):
    state = new_state(config(optimizer=optimizer, max_lr=0.01), split.train)
    assert type(state.optimizer).__name__.lower() == optimizer
    record = run_epoch(state, split, TrainingBar(0, show=False))
    assert record.learning_rate > 0.001
