"""bfloat16 is used where it is asked for, by what may use it, and by nothing that needs more digits."""

from functools import partial

import pytest
import torch
from torch import nn

from mnist_helpers.data import Split, normalise
from mnist_helpers.networks import Upright
from mnist_helpers.networks.layers import FastBatchNormReLU
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.recipes import with_recipe
from mnist_helpers.training.loop import cross_entropy, train, train_epoch, train_step
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.state import start


def convolutions_dtypes(network: nn.Module) -> set[torch.dtype]:
    """Return what will hold the dtypes of whatever comes out of the network's convolutions from now on."""
    dtypes = set()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda *call: dtypes.add(call[-1].dtype))
    return dtypes


def one_step(digits, **settings):
    """Return loss, logits, gradients, and the dtypes that came out of the convolutions."""
    config = RunConfig(**with_recipe({"device": "cpu", "label_smoothing": 0.1, **settings}))
    state = start(config.build, digits, config)
    dtypes = convolutions_dtypes(state.network)
    loss_of = partial(cross_entropy, label_smoothing=0.1)
    for hook in state.hooks:
        hook.before_epoch(state.network, 1, config)
        loss_of = hook.loss(loss_of)
    network, inputs = state.network.train(), normalise(digits.pixels)
    loss, logits = train_step(network, inputs, digits.targets, state.optimizer, loss_of)
    gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    return loss, logits, torch.cat(gradients), dtypes


@pytest.mark.parametrize(
    "settings",
    [{"model": "batchnorm"}, {"model": "fast"}, {"model": "tiny"}, {"model": "best"},
     {"model": "fast", "teacher": "sprint"}],
    ids=lambda settings: " ".join(settings.values()),
)  # fmt: skip
def test_a_step_in_bfloat16_goes_where_one_in_float32_goes(digits, settings):
    loss, logits, gradients, dtypes = one_step(digits, **settings)
    less = one_step(digits, **settings, precision="bfloat16")
    assert dtypes == {torch.float32}
    assert less[3] == {torch.bfloat16}
    # the loss is taken, and weights are kept, in float32
    assert less[0].dtype == less[1].dtype == less[2].dtype == torch.float32
    assert less[0].item() == pytest.approx(loss.item(), rel=0.02)
    assert not torch.equal(less[1], logits)
    assert torch.cosine_similarity(less[2], gradients, dim=0) > 0.97


def test_statistics_of_bfloat16_values_are_taken_in_float32():
    """Around 100 ± 1 their squares differ by less than bfloat16 can tell apart."""
    torch.manual_seed(0)
    values = (100 + torch.randn(64, 3, 8, 8)).bfloat16().contiguous(memory_format=torch.channels_last)
    ours, theirs = FastBatchNormReLU(3), nn.BatchNorm2d(3)
    out, expected = ours(values), theirs(values.float()).relu()
    torch.testing.assert_close(out, expected, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=1e-2, atol=1e-3)


def test_digits_are_set_upright_in_float32_whatever_the_network_computes_in(digits):
    inputs = normalise(digits.pixels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = Upright()(inputs)
    assert torch.equal(inside, Upright()(inputs))


@pytest.mark.parametrize("settings", [{"model": "final"}, {"model": "best"}, {"model": "fast", "teacher": "sprint"}])
def test_an_epoch_computes_in_what_the_configuration_says(digits, settings):
    for precision, expected in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        chosen = {**settings, "batch_size": len(digits), "precision": precision, "device": "cpu"}
        config = RunConfig(**with_recipe(chosen))
        state = start(config.build, digits, config)
        dtypes = convolutions_dtypes(state.network)
        train_epoch(state, 1, digits, TrainingBar(1, show=False))
        assert dtypes == {expected}


@pytest.mark.training
@pytest.mark.parametrize("model", ["final", pytest.param("fast", marks=pytest.mark.quick), "best"])
def test_training_in_bfloat16_learns_what_training_in_float32_does(mnist, model):
    images, test = mnist
    split = Split(
        images.take(torch.arange(4_000)), images.take(torch.arange(4_000, 5_000)), test.take(torch.arange(2_000))
    )
    accuracies = {}
    for precision in ("float32", "bfloat16"):
        recipe = {
            "model": model,
            "epochs": 3,
            "max_lr": 0.1,
            "batch_size": 64,
            "precision": precision,
            "device": "cpu",
        }
        config = RunConfig(**with_recipe(recipe))
        network, results = train(config.build, split, config, show=False, keep_checkpoints=False)
        assert {value.dtype for value in network.parameters()} == {torch.float32}
        assert results.config.precision == precision
        accuracies[precision] = results.final_test_accuracy
    assert accuracies["float32"] > 0.9
    assert accuracies["bfloat16"] == pytest.approx(accuracies["float32"], abs=0.03)


def test_another_precision_is_another_run(tmp_path):
    plain = make_config(output_dir=str(tmp_path))
    less = make_config(output_dir=str(tmp_path), precision="bfloat16")
    assert less.training_differences(plain) == ["precision: bfloat16, float32"]
