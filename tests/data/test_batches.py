"""An epoch's batches on any device; what they hold is looked at where they are trained on, in `test_guards.py`."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.data.images import VARIED_TOGETHER, Images, epoch_batches
from mnist_helpers.data.ranges import Augmentation
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.training.loop import train_epoch
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.state import start


def elsewhere(count: int) -> Images:
    """Images on torch's meta device: shapes without memory, and an error when a tensor of the CPU meets them."""
    return Images(
        torch.empty(count, 28, 28, dtype=torch.uint8, device="meta"),
        torch.empty(count, dtype=torch.int64, device="meta"),
    )


@given(batch_size=st.integers(1, 40), count=st.integers(1, 3_000))
def test_batches_are_as_large_as_asked_on_a_cpu_and_where_many_are_varied_together(batch_size, count):
    whole, rest = divmod(count, batch_size)
    expected = [batch_size] * whole + [rest] * bool(rest)
    for images in (Images(torch.zeros(count, 28, 28, dtype=torch.uint8), torch.zeros(count)), elsewhere(count)):
        batches = list(epoch_batches(images, batch_size, augmentation=None))
        assert [tuple(inputs.shape) for inputs, _ in batches] == [(size, 1, 28, 28) for size in expected]
        assert [tuple(targets.shape) for _, targets in batches] == [(size,) for size in expected]


def test_a_gpu_varies_many_batches_at_once_and_a_cpu_one(monkeypatch):
    sizes = []

    def watched(pixels, augmentation):
        sizes.append(len(pixels))
        return pixels.unsqueeze(1).float()

    monkeypatch.setattr("mnist_helpers.data.images.augment", watched)
    cpu = Images(torch.zeros(500, 28, 28, dtype=torch.uint8), torch.zeros(500))
    for images, expected in ((elsewhere(1_000), [4 * VARIED_TOGETHER] * 3 + [232]), (cpu, [4] * 125)):
        sizes.clear()
        assert len(list(epoch_batches(images, 4, Augmentation()))) == len(images) / 4
        assert sizes == expected


@pytest.mark.parametrize(
    "settings",
    [{"model": "final"}, {"model": "fast"}, {"model": "best"}, {"model": "tiny", "averaging": 0.9},
     {"model": "final", "augmentation": {"elastic": 0.5}}],
    ids=lambda settings: " ".join(map(str, settings.values())),
)  # fmt: skip
def test_images_augmentation_and_training_stay_on_their_device(monkeypatch, settings):
    """A tensor made on the CPU on the way is an error there, and so is reading a number back: after the last step."""
    unfused = torch.optim.SGD
    monkeypatch.setattr("torch.optim.SGD", lambda *arguments, fused, **options: unfused(*arguments, **options))
    images = elsewhere(40)
    config = RunConfig(**with_recipe({**settings, "batch_size": 16, "device": "meta"}))
    state = start(config.build, images, config)
    with pytest.raises(RuntimeError, match=r"item\(\) cannot be called on meta tensors"):
        train_epoch(state, 1, images, TrainingBar(3, show=False))
    assert state.schedule.last_epoch == 3
    assert {value.device.type for value in state.network.state_dict().values()} == {"meta"}
