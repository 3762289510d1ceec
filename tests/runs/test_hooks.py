"""Every hook: what it must remember is in a checkpoint, and where it has nothing to change it changes nothing."""

import pytest
import torch

from mnist_helpers.data import Split
from mnist_helpers.runs import RunConfig
from mnist_helpers.runs.hooks import Calming, Freezing, multiplies_bfloat16_fast
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.training import Hook, fit, train
from mnist_helpers.training import loop as training

HOOKS = [
    {"model": "fast", "whitened": True},
    {"model": "best"},  # its members learn each by itself
    {"model": "fast", "teacher": "sprint"},
    {"model": "fast", "learning_epochs": (1, 2)},
    {"model": "tiny", "augmentation_end": 0.3},
    {"model": "final", "averaging": 0.9},
    {"model": "final", "precision": "bfloat16"},
    {"model": "fast", "whitened": True, "teacher": "sprint", "averaging": 0.9, "augmentation_end": 0.5},
]


@pytest.fixture
def split(mnist) -> Split:
    """Forty digits to train on, and other ones to validate and test."""
    images, test = mnist
    return Split(images.take(torch.arange(40)), images.take(torch.arange(40, 100)), test.take(torch.arange(80)))


def config(folder, **settings) -> RunConfig:
    common = {"epochs": 3, "batch_size": 16, "device": "cpu", "output_dir": str(folder)}
    return RunConfig(**with_recipe({**settings, **common}))


@pytest.mark.parametrize("settings", HOOKS, ids=lambda settings: " ".join(map(str, settings)))
def test_an_interrupted_run_with_a_hook_ends_with_the_weights_of_an_uninterrupted_one(settings, split, tmp_path):
    whole, broken = config(tmp_path / "whole", **settings), config(tmp_path / "broken", **settings)
    assert whole.hooks()
    expected, _ = train(whole.build, split, whole, show=False)

    epochs, run_epoch = [], training.run_epoch

    def interrupted(state, *arguments):
        if len(epochs) == 2:
            raise KeyboardInterrupt
        epochs.append(run_epoch(state, *arguments))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "run_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(broken.build, split, broken, show=False)
    again = broken.model_copy(update={"resume": True})
    resumed, _ = train(again.build, split, again, show=False)
    for name, value in expected.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_bfloat16_gains_time_where_a_unit_multiplies_it(monkeypatch):
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: {"amx_bf16": has})
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=has: has)
        assert multiplies_bfloat16_fast(torch.device("cpu")) is has
        assert multiplies_bfloat16_fast(torch.device("cuda")) is has
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not multiplies_bfloat16_fast(torch.device("cpu"))
    assert not multiplies_bfloat16_fast(torch.device("meta"))


def trained(settings: RunConfig, split: Split, hooks: tuple[Hook, ...], monkeypatch) -> torch.Tensor:
    with monkeypatch.context() as patch:
        patch.setattr(RunConfig, "hooks", lambda self: hooks)
        network = fit(settings.build, split.train, settings)
    return torch.cat([value.flatten().double() for value in network.state_dict().values()])


def test_a_hook_with_nothing_to_change_changes_nothing_and_one_with_something_does(split, tmp_path, monkeypatch):
    settings = config(tmp_path, model="final")
    plain = trained(settings, split, (), monkeypatch)
    for nothing in (Hook(), Calming(1), Freezing((3, 3))):
        assert torch.equal(trained(settings, split, (nothing,), monkeypatch), plain)
    for something in (Calming(0), Freezing((1, 3))):
        assert not torch.equal(trained(settings, split, (something,), monkeypatch), plain)
