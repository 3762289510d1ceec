"""The parts of a run in the order they are used, each seen at work on forty digits: split, epoch, step, resume."""

import math
from functools import partial

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mnist_helpers.data.augmentation import normalise
from mnist_helpers.data.images import Images, Split
from mnist_helpers.data.mnist import load_split
from mnist_helpers.looking.schedule import planned_schedule
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.runs.record import read_results
from mnist_helpers.training import loop as training
from mnist_helpers.training.checkpoints import epoch_files, load_checkpoint
from mnist_helpers.training.evaluation import evaluate
from mnist_helpers.training.loop import run_epoch, train, train_epoch
from mnist_helpers.training.optimizing import make_optimizer
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.runtime import seed_epoch
from mnist_helpers.training.settings import Settings
from mnist_helpers.training.state import TrainingState, start

STEPS = 3  # of an epoch of forty digits: 16, 16 and the smaller last batch of 8


@pytest.fixture(autouse=True)
def _one_thread():
    """Forty digits are soon done; a second thread would only be waited for where others use the cores too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_convolutions_of_a_gpu_compute_in_float32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seed_epoch(0, 1)
    assert not torch.backends.cudnn.allow_tf32


@pytest.fixture
def split(mnist) -> Split:
    """Forty digits to train on, and other ones to validate and test."""
    images, test = mnist
    return Split(images.take(torch.arange(40)), images.take(torch.arange(40, 100)), test.take(torch.arange(80)))


@pytest.fixture
def steps(monkeypatch) -> list[tuple[torch.Tensor, torch.Tensor, float]]:
    """Collects inputs, targets and learning rate of every training step, which is taken all the same."""
    seen, step = [], training.train_step

    def watched(model, inputs, targets, optimizer, *options):
        seen.append((inputs.clone(), targets, optimizer.param_groups[0]["lr"]))
        return step(model, inputs, targets, optimizer, *options)

    monkeypatch.setattr(training, "train_step", watched)
    return seen


def config(**changes) -> RunConfig:
    return RunConfig(**{"epochs": 2, "batch_size": 16, "device": "cpu", **changes})


def begin(settings: RunConfig, split: Split) -> TrainingState:
    return start(settings.build, split.train, settings)


def quiet() -> TrainingBar:
    return TrainingBar(STEPS, show=False)


def parameters(state) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in state.network.parameters()])


def labels(images: Images) -> list[tuple[bytes, int]]:
    return [(bytes(p), t) for p, t in zip(images.pixels.flatten(1).numpy(), images.targets.tolist(), strict=True)]


def test_the_split_deals_out_the_archive_and_every_image_keeps_its_label(mnist):
    """Training and validation together are the 60,000 once each, so no test image is among them."""
    dealt = load_split("data", validation_size=500, train_size=None, seed=0)
    train_part, validation_part, archive = map(labels, (dealt.train, dealt.validation, mnist[0]))
    assert len(set(archive)) == 60_000
    assert sorted(train_part + validation_part) == sorted(archive)
    assert torch.equal(dealt.test.pixels, mnist[1].pixels)
    assert torch.equal(dealt.test.targets, mnist[1].targets)


def test_an_epoch_shows_every_image_once_with_its_label_in_an_order_of_its_own(split, steps):
    state = begin(config(augmentation=None), split)
    for _ in range(2):
        run_epoch(state, split, quiet())
    plain = normalise(split.train.pixels)
    orders = []
    for epoch in (steps[:STEPS], steps[STEPS:]):
        inputs, targets = (torch.cat([step[part] for step in epoch]) for part in (0, 1))
        order = (inputs.unsqueeze(1) == plain.unsqueeze(0)).flatten(2).all(2).int().argmax(1)
        assert torch.equal(inputs, plain[order])
        assert torch.equal(targets, split.train.targets[order])
        assert sorted(order.tolist()) == list(range(40))
        orders.append(order.tolist())
    assert orders[0] != orders[1]
    assert list(range(40)) not in orders


def test_training_images_are_varied_as_the_configuration_says(split, steps):
    train_epoch(begin(config(), split), 1, split.train, quiet())
    plain = {bytes(image.numpy()) for image in normalise(split.train.pixels)}
    assert not plain & {bytes(image.numpy()) for inputs, _, _ in steps for image in inputs}


def test_a_run_counts_its_steps_before_the_first(split):
    config = RunConfig(epochs=3, batch_size=7)
    state = start(config.build, split.train, config)
    assert state.steps == 3 * math.ceil(len(split.train) / 7)


def test_a_settings_numbers_are_the_references_where_nothing_else_is_said():
    plain, published = Settings(), read_results().config
    for name in ("batch_size", "pct_start", "div_factor", "final_div_factor", "base_momentum", "max_momentum"):
        assert getattr(plain, name) == getattr(published, name), name


def test_every_step_has_the_rate_planned_for_it(split, steps):
    settings = config(epochs=3)
    state = begin(settings, split)
    for _ in range(3):
        run_epoch(state, split, quiet())
    assert [rate for _, _, rate in steps] == planned_schedule(settings, 40)[0]


def test_every_image_weighs_the_same_in_an_epochs_loss_and_accuracy(split, monkeypatch):
    """The last batch is half as large as the others; its mean must count half."""

    def step(model, inputs, targets, optimizer, *options):
        optimizer.step()
        return targets.float().mean(), torch.eye(10)[torch.zeros_like(targets)]  # everything is read as 0

    monkeypatch.setattr(training, "train_step", step)
    found, _ = train_epoch(begin(config(), split), 1, split.train, quiet())
    assert found.loss == pytest.approx(split.train.targets.float().mean().item())
    assert found.accuracy == pytest.approx((split.train.targets == 0).float().mean().item())


def test_validation_and_test_figures_are_those_of_their_own_images(split):
    state = begin(config(), split)
    run_epoch(state, split, quiet())
    record = state.history[-1]
    for name in ("validation", "test"):
        found = evaluate(state.network, getattr(split, name))
        assert getattr(record, f"{name}_loss") == pytest.approx(found.loss)
        assert getattr(record, f"{name}_accuracy") == found.accuracy
    assert record.validation_loss != record.test_loss


def test_weights_decay_where_the_loss_is_flat():
    """Without a gradient the first Nesterov step is w − rate · decay · w · (1 + momentum)."""
    layer = torch.nn.Linear(3, 1)
    before = layer.weight.detach().clone()
    optimizer = make_optimizer(layer, config(max_lr=0.1, weight_decay=0.01))
    (layer.weight.sum() * 0).backward()
    optimizer.step()
    momentum = optimizer.param_groups[0]["momentum"]
    torch.testing.assert_close(layer.weight.detach(), before * (1 - 0.1 * 0.01 * (1 + momentum)))


def test_the_seed_alone_decides_first_weights_and_every_epoch(split):
    """Whatever was drawn before, the same seed trains the same weights, another seed others."""
    first, after = [], []
    for seed, drawn_before in ((0, 0), (0, 7), (1, 0)):
        torch.rand(drawn_before)
        state = begin(config(seed=seed), split)
        first.append(parameters(state))
        torch.rand(drawn_before)
        run_epoch(state, split, quiet())
        after.append(parameters(state))
    for same, again, other in (first, after):
        assert torch.equal(same, again)
        assert not torch.equal(same, other)
    assert not torch.equal(first[0], after[0])


def test_an_interrupted_run_trains_only_what_is_left_and_ends_the_same(split, steps, tmp_path, monkeypatch):
    whole, broken = (config(epochs=3, output_dir=str(tmp_path / name)) for name in ("whole", "broken"))
    network, results = train(whole.build, split, whole, show=False)
    assert len(steps) == 3 * STEPS

    watched = training.train_step

    def interrupted(*arguments):
        if len(steps) == 5 * STEPS + 1:  # one step into the last epoch
            raise KeyboardInterrupt
        return watched(*arguments)

    monkeypatch.setattr(training, "train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(broken.build, split, broken, show=False)
    assert load_checkpoint(epoch_files(tmp_path / "broken" / "checkpoints")[-1])["epoch"] == 2

    monkeypatch.setattr(training, "train_step", watched)
    steps.clear()
    again, resumed = train(broken.build, split, broken.model_copy(update={"resume": True}), show=False)
    assert len(steps) == STEPS
    for name, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    mine, theirs = ([r.model_dump(exclude={"seconds"}) for r in run.history] for run in (resumed, results))
    assert mine == theirs


class ReadsBack(TorchDispatchMode):
    """Counts operators that must know a value, for which a GPU's host would wait."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # item(), and shapes that depend on values
        self.count += func.overloadpacket._qualified_op_name in {
            "aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::unique_dim", "aten::equal",
        }  # fmt: skip
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("model", ["final", "fast"])
def test_nothing_is_read_back_within_an_epoch(split, monkeypatch, model):
    """A GPU then never waits for Python: only the epoch's loss and accuracy are read, after its last step."""
    monkeypatch.setattr("mnist_helpers.runs.config.fast_form", lambda network: network)  # for CPUs only
    settings = RunConfig(**with_recipe({"model": model, "batch_size": 16, "device": "cpu"}))
    state = begin(settings, split)
    counts = []
    for epoch in (1, 2):
        with ReadsBack() as reads:
            train_epoch(state, epoch, split.train, quiet())
        counts.append(reads.count)
    assert counts == [2, 2]


def test_a_block_learns_in_its_epochs_and_not_after(split):
    settings = config(model="fast", epochs=3, learning_epochs=(0, 1), whitened=True)
    state = begin(settings, split)
    learnt = {name: [] for name, _ in state.network.named_children()}
    for epoch in (1, 2, 3):
        before = [parameter.detach().clone() for parameter in state.network.parameters()]
        train_epoch(state, epoch, split.train, quiet())
        moved = {
            name: not torch.equal(old, new)
            for (name, new), old in zip(state.network.named_parameters(), before, strict=True)
        }
        for block, seen in learnt.items():
            (same,) = {moved[name] for name in moved if name.startswith(block)}
            seen.append(same)
    assert learnt == {
        "stem": [False, False, False],
        "first_block": [True, False, False],
        "second_block": [True, True, True],
        "classifier": [True, True, True],
    }


def test_smoothed_targets_are_what_the_step_learns(split):
    """From equal logits the first step is shorter by just the share that is spread over all classes."""
    logits = torch.zeros(40, 10, requires_grad=True)
    steps = {}
    for smoothing in (0.0, 0.25):
        optimizer = torch.optim.SGD([logits], lr=1)
        loss_of = partial(training.cross_entropy, label_smoothing=smoothing)
        training.train_step(lambda _: logits * 1, None, split.train.targets, optimizer, loss_of)
        steps[smoothing] = logits.detach().clone()
        with torch.no_grad():
            logits.zero_()
    torch.testing.assert_close(steps[0.25], 0.75 * steps[0.0])
