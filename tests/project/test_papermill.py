"""The final notebook run headlessly, as a teacher runs it: small runs into a temporary folder."""

import json
import subprocess
import sys

import nbformat
import pytest

from mnist_helpers.networks import CompactNet, FastNet, Views
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import PUBLISHED, load_weights, make_config, read_results

NOTEBOOK = PROJECT_ROOT / "notebooks" / "07_final_model.ipynb"

# what differs from run to run on one machine: times
SANITIZER = r"""
[seconds of an epoch]
regex: (e[+-]\d\d) +\d+\.\d
replace: \1 SECONDS

[seconds of the run]
regex: seconds +\d+
replace: SECONDS

[the mark of the run]
regex: run [0-9a-f]{12}
replace: RUN

[the bar]
regex: \[\d+:\d+<.*ms/batch\]
replace: BAR
"""

pytestmark = pytest.mark.smoke


def papermill(product, cwd, **parameters):
    arguments = [sys.executable, "-m", "papermill", str(NOTEBOOK), str(product), "-k", "python3", "--no-progress-bar"]
    for name, value in parameters.items():
        arguments += ["-p", name, str(value)]
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, timeout=240)


@pytest.mark.quick
def test_a_small_run_from_another_folder(tmp_path):
    outputs = tmp_path / "outputs"
    product = tmp_path / "product.ipynb"
    published = (PROJECT_ROOT / PUBLISHED / "results.json").read_bytes()
    done = papermill(product, tmp_path, epochs=2, train_size=2000, validation_size=500, output_dir=outputs, seed=3)
    assert done.returncode == 0, done.stderr
    results = read_results(outputs)
    assert (results.total_epochs, results.config.train_size, results.config.seed) == (2, 2000, 3)
    assert 0 < results.final_test_accuracy < 1
    assert set(json.loads((outputs / "results.json").read_text())) >= {
        "final_test_accuracy", "final_test_loss", "best_validation_accuracy", "total_parameters", "total_epochs",
        "training_time_seconds", "config", "environment", "history",
    }  # fmt: skip
    assert sorted(path.name for path in (outputs / "checkpoints").iterdir()) == [
        "best_model.pth", "epoch_01.pth", "epoch_02.pth",
    ]  # fmt: skip
    assert (outputs / "training_curves.png").stat().st_size > 10_000
    cells = [cell for cell in nbformat.read(product, as_version=4).cells if cell.cell_type == "code"]
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)
    (training,) = [cell for cell in cells if "training" in cell.metadata.tags]
    caption, *printed = training.outputs  # one live line that ended as a caption, not one output per tick
    table = "".join(output.text for output in printed)
    assert caption.data["text/plain"] == "32 steps"
    assert [line.split()[0] for line in table.splitlines()] == ["epoch", "1", "2", "kept"]
    assert results.run in table
    assert (PROJECT_ROOT / PUBLISHED / "results.json").read_bytes() == published


@pytest.mark.parametrize(
    ("model", "epochs", "parameters", "kind"),
    [("fast", 3, 19_354, FastNet), ("tiny", 19, 3_898, CompactNet), ("best", 19, 19_404, Views)],
)
def test_a_network_brings_its_recipe_and_what_is_chosen_stays(tmp_path, model, epochs, parameters, kind):
    done = papermill(
        tmp_path / "product.ipynb",
        tmp_path,
        model=model,
        train_size=2000,
        batch_size=100,
        output_dir=tmp_path / "out",
    )
    assert done.returncode == 0, done.stderr
    results = read_results(tmp_path / "out")
    expected = make_config(model=model, train_size=2000, batch_size=100)
    assert results.config.training_differences(expected) == []
    assert (results.total_epochs, results.total_parameters) == (epochs, parameters)
    network, config = load_weights(tmp_path / "out")
    assert type(network) is kind
    assert config == results.config


OWN_NETWORK = """
from torch import nn

SETTINGS = {"epochs": 2, "max_lr": 0.05}


class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        self.classifier = nn.Linear(8 * 13 * 13, 10)

    def forward(self, images):
        return self.classifier(self.features(images).flatten(1))
"""


def test_a_network_of_ones_own_is_trained_and_shown(tmp_path):
    (tmp_path / "my_net.py").write_text(OWN_NETWORK)
    done = papermill(
        tmp_path / "product.ipynb",
        tmp_path,
        model=f"{tmp_path}/my_net.py:MyNet",
        train_size=2000,
        output_dir=tmp_path / "out",
    )
    assert done.returncode == 0, done.stderr
    results = read_results(tmp_path / "out")
    assert (results.total_epochs, results.total_parameters) == (2, 80 + 16 + 8 * 13 * 13 * 10 + 10)
    shown = (tmp_path / "product.ipynb").read_text(encoding="utf-8")
    assert "class MyNet(nn.Module)" in shown
    assert "features.1" in shown  # its layers, in the table


def nbval(notebook, folder):
    sanitizer = folder / "sanitize.cfg"
    sanitizer.write_text(SANITIZER, encoding="utf-8")
    arguments = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(sanitizer), "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *arguments, str(notebook)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


def test_a_second_run_gives_the_very_same_outputs_and_nbval_would_see_others(tmp_path):
    """Also those that other machines may give differently, and nbval therefore ignores in the committed notebook."""
    product = tmp_path / "product.ipynb"
    done = papermill(product, tmp_path, epochs=2, train_size=1000, validation_size=100, output_dir=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(product, as_version=4)
    for cell in notebook.cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.metadata.tags.remove("nbval-ignore-output")
    nbformat.write(notebook, product)
    same = nbval(product, tmp_path)
    assert same.returncode == 0, same.stdout
    # one digit of one epoch's accuracy
    (training,) = [cell for cell in notebook.cells if "training" in cell.metadata.get("tags", [])]
    training.outputs[1].text = training.outputs[1].text.replace("%", "1%", 1)
    nbformat.write(notebook, product)
    other = nbval(product, tmp_path)
    assert other.returncode == 1
    assert "1 failed" in other.stdout


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("model", "huge", "model='huge' is not allowed; allowed: final, baseline, skeleton, batchnorm, fast"),
        ("epochs", "0", "epochs=0 is not allowed; allowed: a whole number ≥ 1 and < 20 (default 15)"),
        ("max_lr", "-0.1", "max_lr=-0.1 is not allowed; allowed: a number > 0 (default 0.1)"),
        ("output_dir", "README.md/inside", "output_dir='README.md/inside' is not allowed (Not a directory)"),
        ("device", "cuda:9", "device='cuda:9' is not allowed; allowed on this machine: auto, cpu"),
        ("epoch", "3", "epoch is not a parameter (did you mean epochs?)"),
    ],
)
def test_a_bad_parameter_stops_papermill_with_a_message(tmp_path, parameter, value, message):
    done = papermill(tmp_path / "product.ipynb", PROJECT_ROOT, **{parameter: value})
    assert done.returncode != 0
    assert message in done.stderr
    counts = [cell.get("execution_count") for cell in nbformat.read(tmp_path / "product.ipynb", as_version=4).cells]
    assert max(count or 0 for count in counts) <= 3  # parameters, papermill's own, the check
