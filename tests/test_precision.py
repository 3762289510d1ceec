"""bfloat16 is used where it is asked for, by what may use it, and by nothing that needs more digits."""

from functools import partial

import pytest
import torch
from torch import nn

from mnist_helpers.augment import normalise
from mnist_helpers.config import RunConfig, make_config
from mnist_helpers.data import Split
from mnist_helpers.distillation import taught_step
from mnist_helpers.geometry import Upright
from mnist_helpers.layers import FastBatchNormReLU, accelerate
from mnist_helpers.models import build_model
from mnist_helpers.precision import computing_in
from mnist_helpers.progress import TrainingBar
from mnist_helpers.recipes import with_recipe
from mnist_helpers.training import new_state, train, train_epoch, train_step
from mnist_helpers.views import views_step

CPU = torch.device("cpu")


def convolutions_dtypes(network: nn.Module) -> set[torch.dtype]:
    """Return what will hold the dtypes of whatever comes out of the network's convolutions from now on."""
    dtypes = set()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda *call: dtypes.add(call[-1].dtype))
    return dtypes


def one_step(model: str, precision: str, digits, step=train_step):
    """Return loss, logits, gradients, and the dtypes that came out of the convolutions."""
    torch.manual_seed(0)
    network = accelerate(build_model(model)).train()
    dtypes = convolutions_dtypes(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    loss, logits = step(network, normalise(digits.pixels), digits.targets, optimizer, 0.1, precision)
    gradients = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
    return loss, logits, gradients, dtypes


@pytest.mark.parametrize(
    ("model", "step"),
    [("batchnorm", train_step), ("fast", train_step), ("tiny", train_step), ("best", views_step),
     ("fast", partial(taught_step, build_model("fast").eval()))],
    ids=["batchnorm", "fast", "tiny", "best", "taught"],
)  # fmt: skip
def test_a_step_in_bfloat16_goes_where_one_in_float32_goes(digits, model, step):
    loss, logits, gradients, dtypes = one_step(model, "float32", digits, step)
    less = one_step(model, "bfloat16", digits, step)
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
    with computing_in("bfloat16", CPU):
        inside = Upright()(inputs)
    assert torch.equal(inside, Upright()(inputs))


@pytest.mark.parametrize(("model", "options"), [("final", {}), ("best", {}), ("fast", {"teacher": "fast"})])
def test_an_epoch_computes_in_what_the_configuration_says(digits, model, options):
    for precision, expected in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        settings = {"model": model, "batch_size": len(digits), "precision": precision, **options}
        state = new_state(RunConfig(**with_recipe(settings)), digits, teacher=options and build_model("fast").eval())
        dtypes = convolutions_dtypes(state.model)
        train_epoch(state, 1, digits, TrainingBar(1, show=False))
        assert dtypes == {expected}


@pytest.mark.training
@pytest.mark.parametrize("model", ["final", "fast", "best"])
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
        network, results = train(RunConfig(**with_recipe(recipe)), split, show=False, keep_checkpoints=False)
        assert {value.dtype for value in network.parameters()} == {torch.float32}
        assert results.config.precision == precision
        accuracies[precision] = results.final_test_accuracy
    assert accuracies["float32"] > 0.9
    assert accuracies["bfloat16"] == pytest.approx(accuracies["float32"], abs=0.03)


def test_another_precision_is_another_run(tmp_path):
    plain = make_config(output_dir=str(tmp_path))
    less = make_config(output_dir=str(tmp_path), precision="bfloat16")
    assert less.training_differences(plain) == ["precision: bfloat16, float32"]
