"""A network of one's own is trained, told apart from its next version, and run only when its caller says so."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from mnist_helpers.data import Split
from mnist_helpers.networks.layers import FastBatchNormReLU
from mnist_helpers.runs import (
    ConfigError,
    RunConfig,
    keep,
    load_own,
    load_weights,
    make_config,
    read_results,
)
from mnist_helpers.training import CheckpointError, NetworkError, train

SOURCE = """
from pathlib import Path
from torch import nn

SETTINGS = {"epochs": 2, "max_lr": 0.05, "augmentation": None}
with Path(__file__).with_suffix(".log").open("a") as log:
    log.write("run\\n")

class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU())
        self.last = nn.Linear(4 * 13 * 13, 10)

    def forward(self, inputs):
        return self.last(self.layers(inputs).view(len(inputs), -1))
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my net.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def split(mnist) -> Split:
    images, _ = mnist
    return Split(images.take(torch.arange(40)), images.take(torch.arange(40, 100)))


def configure(own, **changes) -> RunConfig:
    return make_config(
        model=f"{own}:MyNet", output_dir=str(own.parent / "out"), device="cpu", batch_size=16, **changes
    )


def test_its_recipe_is_its_own_and_what_it_leaves_out_the_courses(own):
    config = configure(own)
    assert (config.epochs, config.max_lr, config.augmentation) == (2, 0.05, None)
    assert config.weight_decay == RunConfig().weight_decay
    assert configure(own, epochs=3).epochs == 3
    assert configure(own).but(epochs=3).source == config.source
    assert RunConfig(output_dir=config.output_dir).but(model=config.model).source == config.source
    assert config.but(model="fast").source is None


def test_what_is_trained_is_what_was_written_and_its_record_names_the_file(own, split, tmp_path):
    config = configure(own)
    network, results = train(config.build, split, config, show=False)
    assert type(network).__name__ == "MyNet"
    assert not any(isinstance(layer, FastBatchNormReLU) for layer in network.modules())
    assert results.final_test_accuracy is results.test_mistakes is None  # no test images, no figure
    keep(network, results, tmp_path)
    record = json.loads((tmp_path / "results.json").read_text())["config"]
    assert record["model"] == f"{own}:MyNet"
    assert record["source"] == config.source
    assert own.with_suffix(".log").read_text() == "run\n"  # the file was run once, by the caller

    make, _ = load_own(config.model)
    plain = make()
    assert load_weights(tmp_path, plain)[1] == config
    inputs = torch.randn(5, 1, 28, 28)
    torch.testing.assert_close(plain(inputs), network(inputs))


def test_the_same_seed_gives_the_same_weights_and_resumes_to_them(own, split, monkeypatch):
    config = configure(own)
    whole, _ = train(config.build, split, config, show=False, keep_checkpoints=False)
    with monkeypatch.context() as patch:
        patch.setattr("mnist_helpers.training.state.TrainingState.last_is_best", lambda state: 1 / (2 - state.epoch))
        with pytest.raises(ZeroDivisionError):
            train(config.build, split, config, show=False)
    again = config.but(resume=True)
    resumed, _ = train(again.build, split, again, show=False)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_blocks_are_counted_before_anything_is_trained(own):
    assert configure(own, learning_epochs=(1, 2)).learning_epochs == (1, 2)
    with pytest.raises(ConfigError, match="at most 2 numbers, for layers, last"):
        configure(own, learning_epochs=(1, 1, 1))


def test_nothing_is_run_because_a_file_on_disk_says_so(own, split, tmp_path):
    config = configure(own)
    network, results = train(config.build, split, config, show=False)
    keep(network, results, tmp_path)
    reading = (
        "from mnist_helpers.runs import read_results, load_weights\n"
        f"print(read_results({str(tmp_path)!r}).config.model)\n"
        f"try: load_weights({str(tmp_path)!r})\n"
        "except ValueError as error: print(error)\n"
    )
    own.with_suffix(".log").unlink()
    done = subprocess.run([sys.executable, "-c", reading], capture_output=True, text=True)
    assert "is not run because a file says so; give the network: load_weights(" in done.stdout, done.stderr
    assert not own.with_suffix(".log").exists()
    assert read_results(tmp_path).config == config


def test_another_version_of_the_file_is_another_run(own, split):
    config = configure(own)
    train(config.build, split, config, show=False)
    own.write_text(SOURCE.replace("Conv2d(1, 4, 3", "Conv2d(1, 4, 3, 1"))
    with pytest.raises(ConfigError, match="is no longer the file that this run was planned with"):
        config.build()
    own.write_text(SOURCE + "\nX = 1\n")
    now = configure(own, resume=True)
    assert now.source != config.source
    with pytest.raises(CheckpointError, match=r"other settings \(now, then\): source: "):
        train(now.build, split, now, show=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", "", "Other"), "has no Other; it holds MyNet"),
        (("nn.Module", "nn.Modul", "MyNet"), "cannot be run: AttributeError: module 'torch.nn' has no attribute"),
        (("SETTINGS = {", "SETTINGS = 3, {", "MyNet"), "SETTINGS in .* is a tuple; allowed: a dictionary"),
        (('"epochs": 2', '"epochs": 99', "MyNet"), "epochs=99 is not allowed; allowed: a whole number ≥ 1 and < 20"),
        (('"epochs"', '"epocs"', "MyNet"), r"epocs is not a parameter \(did you mean epochs\?\)"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(own, change, message):
    old, new, maker = change
    own.write_text(SOURCE.replace(old, new) if old else SOURCE)
    with pytest.raises(ConfigError, match=message):
        make_config(model=f"{own}:{maker}")


def test_a_file_that_is_not_there_or_no_name_at_all_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"model='.*none\.py:Net' is not allowed; .* cannot be read \(No such"):
        make_config(model=f"{tmp_path}/none.py:Net")
    for name in ("huge", "my_net.py", "my_net.py:", "my_net:Net", "my_net.py:1"):
        with pytest.raises(ConfigError, match=r"allowed: final, .* or a network of your own as path/to/file\.py"):
            make_config(model=name)
    with pytest.raises(ConfigError, match="source is not a parameter"):
        make_config(source="0123456789abcdef")


def test_a_path_is_taken_from_the_projects_top_whoever_calls_from_wherever(monkeypatch, tmp_path):
    project = tmp_path / "project"
    (project / "outputs" / "own").mkdir(parents=True)
    path = project / "outputs" / "own" / "net.py"
    path.write_text(SOURCE)
    monkeypatch.setattr("mnist_helpers.paths.PROJECT_ROOT", project)
    monkeypatch.chdir(tmp_path)
    short = f"outputs/own/{path.name}:MyNet"
    assert make_config(model=short).model == make_config(model=f"{path}:MyNet").model == short


def test_several_outputs_or_other_shapes_are_refused_in_words(split):
    class Two(nn.Module):
        def forward(self, inputs):
            return inputs, inputs

    class Square(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs.flatten(1)).view(-1, 2, 5)

    config = RunConfig(device="cpu")
    for network, message in (
        (Two(), r"Two cannot be trained; allowed: one logit a class, \(N, 10\) for .*; given: 2 outputs"),
        (Square(784, 10), r"Square cannot be trained; allowed: .*; given: \(N, 2, 5\)"),
        (nn.Linear(3, 10), r"Linear cannot be trained; .* cannot look at them \(RuntimeError: .*mat1"),
    ):
        with pytest.raises(NetworkError, match=message):
            train(network, split, config, show=False, keep_checkpoints=False)


def test_a_run_is_in_its_own_precision_whatever_torchs_default_is(own, split):
    def weights():
        config = configure(own)
        network, _ = train(config.build, split, config, show=False, keep_checkpoints=False)
        return torch.cat([value.flatten() for value in network.parameters()])

    expected = weights()
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(weights(), expected)
        assert torch.get_default_dtype() == torch.float64
        double = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))  # made by the caller, in double precision
        train(double, split, RunConfig(epochs=1, device="cpu"), show=False, keep_checkpoints=False)
    finally:
        torch.set_default_dtype(torch.float32)
