"""A recorded step: what is handed over is what was computed, and a run with it is the run without it."""

import pytest
import torch

from mnist_helpers.data import Split
from mnist_helpers.runs import RunConfig, replaying
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.runs.replaying import WARM_STEPS, KnownGradients, Replaying
from mnist_helpers.training import fit

RUNS = [{"model": "final"}, {"model": "fast", "learning_epochs": (1, 2)}, {"model": "best"}, {"model": "looped_8"}]


class Eagerly:
    """What a recording does, without a graph: the loss and its gradients at once."""

    made = 0

    def __init__(self, loss_of, network, inputs, targets):
        type(self).made += 1
        self.loss_of, self.network = loss_of, network

    def __call__(self, inputs, targets):
        learning = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        loss, logits = self.loss_of(self.network, inputs, targets)
        gradients = torch.autograd.grad(loss, learning)
        return KnownGradients.apply(loss.detach(), gradients, *learning), logits.detach()


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
    hook, seen = Replaying(), []
    hook.before_epoch(None, 1, RunConfig(batch_size=4))
    hook._recording = lambda inputs, targets: seen.append(len(inputs))
    loss = hook.loss(lambda network, inputs, targets: None)
    for size in (4,) * (WARM_STEPS + 3) + (2,):
        loss(None, torch.zeros(size), torch.zeros(size))
    assert seen == [4, 4, 4]


def test_known_gradients_reach_their_parameters_without_a_copy():
    parameter, gradient, kept = torch.nn.Parameter(torch.ones(3)), torch.arange(3.0), torch.tensor(2.0)
    loss = KnownGradients.apply(kept, (gradient,), parameter)
    kept.zero_()  # as the next replay would
    loss.backward()
    assert loss.item() == 2
    assert parameter.grad.data_ptr() == gradient.data_ptr()


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
