"""Bad parameters stop with a message that names the parameter, its value and what is allowed."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.data.augmentation import augment, normalise
from mnist_helpers.data.ranges import Augmentation
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs.checks import ConfigError
from mnist_helpers.runs.config import RunConfig, injected_names, make_config, notebook_config
from mnist_helpers.runs.hooks import Calming


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
        ("resume", "perhaps", "True, False or"),
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
        ConfigError, match=r"epoch is not a parameter \(did you mean epochs\?\); allowed: epochs, batch_size"
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


def test_a_run_writes_where_git_does_not_look():
    for changes in ({}, {"seed": 1}, {"output_dir": None}):
        assert make_config(**changes).output_dir == "outputs/own/run"
    done = subprocess.run(["git", "check-ignore", "outputs/own/run/results.json"], cwd=PROJECT_ROOT)
    assert done.returncode == 0


@given(
    epochs=st.integers(1, 19), max_lr=st.floats(1e-6, 10), seed=st.integers(0, 2**31 - 1), degrees=st.floats(0, 180)
)
def test_a_config_survives_json(epochs, max_lr, seed, degrees):
    config = RunConfig(epochs=epochs, max_lr=max_lr, seed=seed, augmentation={"degrees": degrees})
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_injected_parameters_are_read_from_papermills_cell():
    cells = ["", "epochs = 15", "# Parameters\nepochs = 3\nepoch = 4\nname = 'x'\n", "other = 1"]
    assert injected_names(cells) == ["epochs", "epoch", "name"]
    assert injected_names(["epochs = 15"]) == []


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


def calmed(config: RunConfig) -> list[Augmentation | None]:
    """What a run's hooks leave of its augmentation, epoch by epoch."""
    hooks = [hook for hook in config.hooks() if isinstance(hook, Calming)]
    assert len(hooks) == (config.augmentation_end != 1)
    found = []
    for epoch in range(1, config.epochs + 1):
        settings = config
        for hook in hooks:
            settings = hook.before_epoch(None, epoch, settings)
        found.append(settings.augmentation)
    return found


def test_augmentation_shrinks_evenly_to_what_is_asked():
    config = RunConfig(epochs=5, augmentation={"degrees": 8, "scale": (0.8, 1.4)}, augmentation_end=0.5)
    found = calmed(config)
    assert [each.degrees for each in found] == pytest.approx([8, 7, 6, 5, 4])
    assert found[0] == config.augmentation
    assert found[4].scale == pytest.approx((0.9, 1.2))
    assert found[4].erasing_p == pytest.approx(0.1)
    assert calmed(RunConfig(epochs=5)) == [RunConfig().augmentation] * 5
    assert calmed(RunConfig(augmentation=None, augmentation_end=0)) == [None] * 15
    assert calmed(RunConfig(epochs=1, augmentation_end=0)) == [RunConfig().augmentation]


@given(share=st.floats(0, 1))
def test_a_share_of_an_augmentation_is_an_augmentation_and_none_of_it_changes_nothing(share):
    whole = RunConfig().augmentation
    assert type(whole)(**whole.scaled(share).model_dump()) == whole.scaled(share)
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (3, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(augment(pixels, whole.scaled(0)), normalise(pixels), rtol=0, atol=1e-4)


def test_a_run_loads_the_split_that_its_settings_say(mnist):
    images, _ = mnist
    last = RunConfig(held_out="last", validation_size=100).split()
    assert torch.equal(last.validation.pixels, images.pixels[-100:])
    first, second = (RunConfig(held_out="writers", validation_size=11_000, fold=fold).split() for fold in (0, 1))
    assert not torch.equal(first.validation.pixels, second.validation.pixels)
    in_turn = RunConfig(held_out="writers", validation_size=11_000, seed=6)
    assert torch.equal(in_turn.split().validation.pixels, in_turn.but(fold=1).split().validation.pixels)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fold": 1}, "fold=1 is not allowed with held_out='drawn'; allowed: None"),
        ({"fold": 5, "held_out": "writers"}, "fold=5 is not allowed; allowed: a whole number ≥ 0 and < 5"),
        ({"held_out": "writers", "validation_size": 12_000}, "at most 47,984 and 11,981 images"),
    ],
)
def test_a_fold_that_cannot_be_held_out_is_said(parameters, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        make_config(**parameters)


def test_a_notebook_takes_what_papermill_gives_and_says_what_it_decides_itself(monkeypatch):
    def kernel(**names):
        cell = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in names.items())
        shell = SimpleNamespace(user_ns={"In": ["", cell, "other = 1"], **names})
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    kernel(seed=3, weight_decay=0.25)
    found = notebook_config(model="final", seed=3)
    assert (found.model, found.seed, found.weight_decay) == ("final", 3, 0.25)
    kernel(model="tiny", epochs=2)
    with pytest.raises(ConfigError, match="model='tiny' is not allowed; this notebook is about 'final'"):
        notebook_config(model="final")
    kernel(nosuch=1)
    with pytest.raises(ConfigError, match="nosuch"):
        notebook_config(model="final")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert notebook_config(model="final") == make_config(model="final")
    assert injected_names(["# Parameters\na = 1\nb: int = 2\nprint(a)\n"]) == ["a"]
