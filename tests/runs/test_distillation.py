"""A pupil learns its teacher's answers; an averaged network is the average; both resume as they were."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from torch import nn

from mnist_helpers.data.images import Split
from mnist_helpers.runs.checks import ConfigError
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.distillation import SHARE, TEMPERATURE, Taught, distilled
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.training import LossOf
from mnist_helpers.training import loop as training
from mnist_helpers.training.evaluation import evaluate, find_mistakes, predict_logits
from mnist_helpers.training.loop import fit, run_epoch, train
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.state import start

LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=30, max_size=30)


@pytest.fixture
def split(mnist) -> Split:
    """Forty digits to train on, and other ones to validate and test."""
    images, test = mnist
    return Split(images.take(torch.arange(40)), images.take(torch.arange(40, 100)), test.take(torch.arange(80)))


def config(**changes) -> RunConfig:
    return RunConfig(**{"model": "fast", "epochs": 2, "batch_size": 16, "device": "cpu", **changes})


@how(deadline=None, max_examples=50)
@given(LOGITS, LOGITS)
def test_the_divergence_is_hintons(mine, theirs):
    mine, theirs = (torch.tensor(values, dtype=torch.float64).view(3, 10) for values in (mine, theirs))
    p, q = (F.softmax(values / TEMPERATURE, dim=1) for values in (theirs, mine))
    by_hand = (p * (p.log() - q.log())).sum(1).mean() * TEMPERATURE**2
    loss = torch.tensor(0.7, dtype=torch.float64)
    torch.testing.assert_close(distilled(loss, mine, theirs), (1 - SHARE) * loss + SHARE * by_hand)
    torch.testing.assert_close(distilled(loss, mine, mine), (1 - SHARE) * loss)


def taught_by(teacher: nn.Module) -> LossOf:
    """What a step descends with this teacher, which is trained already."""
    hook = Taught(lambda images, show: teacher)
    hook.before_training(None, None, None, show=False)
    return hook.loss(training.cross_entropy)


def test_steps_with_a_teacher_end_nearer_to_it_than_steps_without():
    torch.manual_seed(0)
    inputs, teacher = torch.randn(8, 10), nn.Linear(10, 10)
    targets, before = teacher(inputs).argmax(1), teacher.weight.clone()
    apart = []
    for loss_of in (training.cross_entropy, taught_by(teacher)):
        torch.manual_seed(1)
        pupil = nn.Linear(10, 10)
        optimizer = torch.optim.SGD(pupil.parameters(), lr=0.2)
        for _ in range(50):
            training.train_step(pupil, inputs, targets, optimizer, loss_of)
        mine, theirs = (F.log_softmax(net(inputs), 1) for net in (pupil, teacher))
        apart.append(F.kl_div(mine, theirs, log_target=True, reduction="batchmean").item())
    assert apart[1] < 0.8 * apart[0]
    assert torch.equal(teacher.weight, before)
    assert teacher.weight.grad is None


def test_the_teacher_is_trained_first_by_its_own_recipe_on_the_same_images(split, monkeypatch):
    taught, answers = [], []

    def fitted(build, images, own, show):
        teacher = fit(build, images, own, show)
        taught.append((own, images, teacher))
        teacher.register_forward_hook(lambda *call: answers.append(call[0].training))
        return teacher

    monkeypatch.setattr("mnist_helpers.runs.config.fit", fitted)
    pupil = config(model="final", teacher="sprint", seed=3, epochs=1)
    train(pupil.build, split, pupil, show=False, keep_checkpoints=False)
    ((own, images, teacher),) = taught
    assert torch.equal(images.pixels, split.train.pixels)
    assert own.training_differences(RunConfig(**with_recipe({"model": "sprint", "seed": 3}))) == []
    assert type(teacher).__name__ == "FastNet"
    assert answers == [False] * 3  # once a step of the pupil, in evaluation mode


def test_a_teacher_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="teacher='nobody' is not allowed; allowed: final"):
        make_config(teacher="nobody")


def test_the_average_is_the_moving_average_of_all_steps(split, monkeypatch):
    """By hand: it starts at the weights after the first step, and every later step moves it by a tenth."""
    averaging = config(averaging=0.9)
    state = start(averaging.build, split.train, averaging)
    weights, step = [], training.train_step

    def watched(*arguments):
        found = step(*arguments)
        weights.append(next(state.network.parameters()).detach().clone())
        return found

    monkeypatch.setattr(training, "train_step", watched)
    training.train_epoch(state, 1, split.train, TrainingBar(0, show=False))
    average = weights[0]
    for value in weights[1:]:
        average = 0.9 * average + 0.1 * value
    torch.testing.assert_close(next(state.kept().parameters()).detach(), average)
    assert not torch.equal(average, weights[-1])


def test_what_is_measured_kept_and_resumed_is_the_average(split):
    averaging = config(averaging=0.9)
    state = start(averaging.build, split.train, averaging)
    run_epoch(state, split, TrainingBar(0, show=False))
    (record,) = state.history
    assert record.test_loss == evaluate(state.kept(), split.test).loss
    assert record.test_loss != evaluate(state.network, split.test).loss
    again = start(averaging.build, split.train, averaging)
    again.restore(state.snapshot())
    assert again.history == [record]
    for one, other in zip(state.kept().state_dict().values(), again.kept().state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_mistakes_are_the_images_read_wrong(split):
    settings = config()
    network, results = train(settings.build, split, settings, show=False, keep_checkpoints=False)
    wrong = predict_logits(network, split.test.pixels).argmax(1) != split.test.targets
    assert results.test_mistakes == find_mistakes(network, split.test) == wrong.nonzero().flatten().tolist()
    assert len(results.test_mistakes) == round((1 - results.final_test_accuracy) * len(split.test))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_either_optimizer_follows_the_schedule(optimizer, split):
    chosen = config(optimizer=optimizer, max_lr=0.01)
    state = start(chosen.build, split.train, chosen)
    assert type(state.optimizer).__name__.lower() == optimizer
    run_epoch(state, split, TrainingBar(0, show=False))
    assert state.history[0].learning_rate > 0.001
