"""Bad parameters stop with a message that names the parameter, its value and what is allowed."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.augment import augment, normalise
from mnist_helpers.config import ConfigError, RunConfig, make_config
from mnist_helpers.parameters import injected_parameters


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("model", "huge", "final"),
        ("epochs", 0, "≥ 1 and < 20"),
        ("epochs", 20, "≥ 1 and < 20"),
        ("epochs", 2.5, "a whole number"),
        ("batch_size", 0, "≥ 1"),
        ("batch_size", "many", "a whole number"),
        ("max_lr", -0.1, "a number > 0"),
        ("max_lr", float("nan"), "a number > 0"),
        ("max_lr", float("inf"), "a number > 0"),
        ("weight_decay", -1e-9, "≥ 0"),
        ("seed", -1, "≥ 0"),
        ("train_size", 5, "≥ 10"),
        ("validation_size", 9, "≥ 10"),
        ("resume", "perhaps", "boolean"),
        ("precision", "float16", "allowed: 'float32' or 'bfloat16'"),
        ("device", "gpu", "cpu"),
    ],
)
def test_a_value_that_is_not_allowed(parameter, value, allowed, tmp_path):
    with pytest.raises(ConfigError) as caught:
        make_config(**{"output_dir": str(tmp_path), parameter: value})
    assert str(caught.value).startswith(f"{parameter}={value!r} is not allowed; allowed")
    assert allowed in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_device_that_is_not_there():
    with pytest.raises(ConfigError, match="device='cuda' is not allowed; allowed on this machine: auto, cpu"):
        make_config(device="cuda")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigError, match=r"output_dir='.*file/inside' is not allowed \(Not a directory\); allowed: a"
    ):
        make_config(output_dir=str(tmp_path / "file" / "inside"))


def test_a_misspelt_parameter_gets_a_suggestion():
    with pytest.raises(
        ConfigError, match=r"epoch is not a parameter \(did you mean epochs\?\); allowed: model, epochs"
    ):
        make_config(epoch=3)


def test_every_bad_parameter_is_named_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        make_config(output_dir=str(tmp_path), epochs=0, max_lr=-1, modle="final")
    assert [line.split("=")[0].split()[0] for line in str(caught.value).splitlines()] == ["epochs", "max_lr", "modle"]


def test_more_images_than_there_are(tmp_path):
    with pytest.raises(ConfigError, match=r"train_size=59000 with validation_size=1001.*at most 60,000"):
        make_config(output_dir=str(tmp_path), train_size=59_000, validation_size=1001)


def test_the_references_settings_are_the_defaults():
    config = RunConfig()
    assert (config.epochs, config.batch_size, config.max_lr, config.weight_decay) == (15, 128, 0.1, 5e-4)
    assert (config.pct_start, config.div_factor, config.final_div_factor) == (0.3, 25, 1e4)
    a = config.augmentation
    assert (a.degrees, a.translate, a.scale, a.shear, a.erasing_p) == (15, 0.1, (0.9, 1.1), 5, 0.2)
    assert (a.brightness, a.contrast) == (0.2, 0.2)


def test_only_the_published_settings_write_to_the_published_folder():
    assert make_config().output_dir == "outputs"
    assert make_config(train_size=600).output_dir == "outputs/trial"
    assert make_config(seed=1).output_dir == "outputs/trial"


@given(
    epochs=st.integers(1, 19), max_lr=st.floats(1e-6, 10), seed=st.integers(0, 2**31 - 1), degrees=st.floats(0, 180)
)
def test_a_config_survives_json(epochs, max_lr, seed, degrees):
    config = RunConfig(epochs=epochs, max_lr=max_lr, seed=seed, augmentation={"degrees": degrees})
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_injected_parameters_are_read_from_papermills_cell():
    cells = ["", "epochs = 15", "# Parameters\nepochs = 3\nepoch = 4\nname = 'x'\n", "other = 1"]
    assert injected_parameters(cells) == ["epochs", "epoch", "name"]
    assert injected_parameters(["epochs = 15"]) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"model": "fast", "learning_epochs": (1, 1, 1, 1, 1)},
         "at most 4 numbers, for stem, first_block, second_block, classifier"),
        ({"model": "baseline", "whitened": True}, "whitened=True is not allowed for baseline: its first convolution "
         "goes from 1 to 32 channels; allowed: from 1 to an even number of at most 18"),
        ({"learning_epochs": (20,)}, "learning_epochs.0=20 is not allowed"),
        ({"label_smoothing": 1}, "label_smoothing=1 is not allowed; allowed: a number ≥ 0 and < 1 (default 0)"),
    ],
)  # fmt: skip
def test_what_a_network_cannot_do_is_said_before_it_is_trained(parameters, message):
    state = torch.get_rng_state()
    with pytest.raises(ConfigError, match=re.escape(message)):
        make_config(**parameters)
    assert torch.equal(torch.get_rng_state(), state)


def test_augmentation_shrinks_evenly_to_what_is_asked():
    config = RunConfig(epochs=5, augmentation={"degrees": 8, "scale": (0.8, 1.4)}, augmentation_end=0.5)
    assert [config.augmentation_in(epoch).degrees for epoch in range(1, 6)] == pytest.approx([8, 7, 6, 5, 4])
    assert config.augmentation_in(1) == config.augmentation
    assert config.augmentation_in(5).scale == pytest.approx((0.9, 1.2))
    assert config.augmentation_in(5).erasing_p == pytest.approx(0.1)
    assert RunConfig(epochs=5).augmentation_in(5) == RunConfig().augmentation
    assert RunConfig(augmentation=None, augmentation_end=0).augmentation_in(15) is None
    assert RunConfig(epochs=1, augmentation_end=0).augmentation_in(1) == RunConfig().augmentation


@given(share=st.floats(0, 1))
def test_a_share_of_an_augmentation_is_an_augmentation_and_none_of_it_changes_nothing(share):
    whole = RunConfig().augmentation
    assert type(whole)(**whole.scaled(share).model_dump()) == whole.scaled(share)
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (3, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(augment(pixels, whole.scaled(0)), normalise(pixels), rtol=0, atol=1e-4)
