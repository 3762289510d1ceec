"""A recorded step: what is handed over is what was computed, and a run with it is the run without it."""

from types import SimpleNamespace

import pytest
import torch

from mnist_helpers.data import Split
from mnist_helpers.runs import RunConfig, replaying
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.runs.replaying import WARM_STEPS, Replaying
from mnist_helpers.training import fit

RUNS = [
    {"model": "final"},
    {"model": "fast", "learning_epochs": (1, 2)},
    {"model": "fast", "precision": "bfloat16"},
    {"model": "fast", "optimizer": "muon", "averaging": 0.9},
    {"model": "best"},
    {"model": "looped_8"},
]


class Eagerly:
    """What a recording does, without a graph: the loss and its gradients at once."""

    made = 0

    def __init__(self, loss_of, network, inputs, targets):
        type(self).made += 1
        self.loss_of, self.network = loss_of, network

    def __call__(self, inputs, targets):
        for parameter in self.network.parameters():
            parameter.grad = None
        loss, logits = self.loss_of(self.network, inputs, targets)
        loss.backward()
        return loss.detach(), logits.detach()


@pytest.fixture
def split(mnist) -> Split:
    """Ninety digits: five whole batches of sixteen and one of ten."""
    images, test = mnist
    return Split(images.take(torch.arange(90)), images.take(torch.arange(90, 100)), test.take(torch.arange(20)))


def config(device: str, folder, **settings) -> RunConfig:
    common = {"epochs": 3, "batch_size": 16, "device": device, "output_dir": str(folder)}
    return RunConfig(**with_recipe({**settings, **common}))


def weights(settings: RunConfig, split: Split) -> torch.Tensor:
    network = fit(settings.build, split.train, settings)
    return torch.cat([value.flatten().double().cpu() for value in network.state_dict().values()])


@pytest.mark.parametrize("settings", RUNS, ids=lambda settings: settings["model"])
def test_a_run_whose_steps_are_handed_their_gradients_ends_with_the_same_weights(
    settings, split, tmp_path, monkeypatch
):
    plain, hooks = config("cpu", tmp_path, **settings), RunConfig.hooks
    expected = weights(plain, split)
    monkeypatch.setattr(replaying, "Recording", Eagerly)
    monkeypatch.setattr(Eagerly, "made", 0)
    monkeypatch.setattr(RunConfig, "hooks", lambda self: (*hooks(self), Replaying()))
    assert torch.equal(weights(plain, split), expected)
    assert Eagerly.made == plain.epochs  # each epoch anew: other blocks may learn


def test_only_whole_batches_after_the_first_steps_are_recorded():
    hook, moved, replayed = Replaying(), [], []
    hook.before_epoch(None, 1, RunConfig(batch_size=4))
    hook._recording = lambda inputs, targets: replayed.append(len(inputs))
    step = hook.step(lambda network, inputs, targets, optimizer, loss_of: moved.append(len(inputs)))
    optimizer = SimpleNamespace(step=lambda: moved.append("replayed"))
    for size in (4,) * (WARM_STEPS + 3) + (2,):
        step(None, torch.zeros(size), torch.zeros(size), optimizer, None)
    assert replayed == [4, 4, 4]
    assert moved == [4] * WARM_STEPS + ["replayed"] * 3 + [2]


def test_no_gradient_is_left_for_a_recording_to_add_to(monkeypatch):
    network, seen = torch.nn.Linear(2, 2), []
    hook, optimizer = Replaying(), torch.optim.SGD(network.parameters(), lr=0.1)
    hook.before_epoch(network, 1, RunConfig(batch_size=4))
    network(torch.ones(4, 2)).sum().backward()

    def record(loss_of, network, inputs, targets):
        seen.extend(parameter.grad for parameter in network.parameters())
        return lambda inputs, targets: None

    monkeypatch.setattr(replaying, "Recording", record)
    step = hook.step(lambda *given: None)
    for _ in range(WARM_STEPS + 1):
        step(network, torch.zeros(4), torch.zeros(4), optimizer, None)
    assert seen == [None, None]


def test_a_gpu_replays_the_courses_networks_around_all_other_hooks_and_nothing_else_does(tmp_path):
    on_gpu = config("cuda", tmp_path, model="final", averaging=0.9, precision="bfloat16")
    assert isinstance(on_gpu.hooks()[-1], Replaying)
    on_cpu = config("cpu", tmp_path, model="final", averaging=0.9)
    own = on_gpu.model_copy(update={"model": "my_net.py:MyNet"})
    for other in (on_cpu, own):
        assert not any(isinstance(hook, Replaying) for hook in other.hooks())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("settings", RUNS, ids=lambda settings: settings["model"])
def test_on_a_gpu_replayed_steps_give_the_same_weights(settings, split, tmp_path, monkeypatch):
    replayed, hooks = config("cuda", tmp_path, **settings), RunConfig.hooks
    on_gpu = split.to(torch.device("cuda"))
    found = weights(replayed, on_gpu)
    monkeypatch.setattr(RunConfig, "hooks", lambda self: hooks(self)[:-1])
    assert torch.equal(weights(replayed, on_gpu), found)
