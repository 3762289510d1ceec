"""Everything a run can be told is used: whatever is changed, something about the run changes."""

import hashlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
import torch

from mnist_helpers.data import Augmentation, DataError
from mnist_helpers.data import mnist as files
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ConfigError, make_config
from mnist_helpers.runs import config as configuration
from mnist_helpers.runs.config import PARAMETERS
from mnist_helpers.training import PLACES, train

SMALL = {"epochs": 2, "batch_size": 16, "train_size": 40, "validation_size": 20, "device": "cpu"}
VARIED = Augmentation(elastic=0.5, erasing_p=0.5).model_dump()
ONE = {"model": "batchnorm"}  # no dropout: only what is changed draws other numbers

# by parameter: what is changed to what, and what else a run must have for it to say anything
CHANGES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "epochs": [(ONE, 3)],
    "batch_size": [(ONE, 20)],
    "optimizer": [(ONE, "adamw")],
    "schedule": [(ONE, "constant")],
    "max_lr": [(ONE, 0.2), (ONE | {"schedule": "constant"}, 0.2)],
    "pct_start": [(ONE, 0.6)],
    "div_factor": [(ONE, 5)],
    "final_div_factor": [(ONE, 10)],
    "max_momentum": [(ONE, 0.9), (ONE | {"optimizer": "adamw"}, 0.9), (ONE | {"schedule": "constant"}, 0.9)],
    "base_momentum": [(ONE, 0.8), (ONE | {"optimizer": "adamw"}, 0.8), (ONE | {"schedule": "constant"}, 0.8)],
    "weight_decay": [(ONE, 0.05), (ONE | {"optimizer": "adamw"}, 0.05)],
    "label_smoothing": [(ONE, 0.2), ({"model": "looped_views"}, 0.2)],
    "augmentation": [(ONE, None)],
    "seed": [(ONE, 1)],
    "train_size": [(ONE, 50)],
    "validation_size": [(ONE, 30)],
    "held_out": [(ONE, "last"), (ONE, "writers")],
    "fold": [(ONE | {"held_out": "writers", "fold": 0}, 1), (ONE | {"held_out": "writers"}, 3)],
    "model": [(ONE, "final")],
    "whitened": [({"model": "fast"}, False)],
    "teacher": [({"model": "fast"}, "sprint")],
    "learning_epochs": [({"model": "fast"}, (0,))],
    "augmentation_end": [(ONE, 0.1)],
    "averaging": [(ONE, 0.9)],
    "precision": [(ONE, "bfloat16")],
}
RANGES = {
    "degrees": 40, "translate": 0.3, "scale": (0.5, 0.6), "shear": 40, "elastic": 2, "brightness": 1, "contrast": 1,
    "erasing_p": 1, "erasing_area": (0.4, 0.5), "erasing_ratio": (3.2, 3.3),
}  # fmt: skip
ELSEWHERE = {"data_dir"}  # the same images, wherever they are read


@pytest.fixture(autouse=True)
def _images_read_once(monkeypatch):
    monkeypatch.setattr(files, "load_training_images", cache(files.load_training_images))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def digest(*tensors: torch.Tensor) -> str:
    return hashlib.sha256(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)).hexdigest()


def what_happens(folder: Path, **parameters: Any) -> dict[str, Any]:
    """All that a run is: its images, its epochs without their seconds, the weights in the end."""
    config = make_config(**{**SMALL, **parameters}, output_dir=str(folder))
    split = config.split(with_test=False)
    network, results = train(config.build, split, config, show=False, keep_checkpoints=False)
    return {
        "training images": digest(split.train.pixels, split.train.targets),
        "validation images": digest(split.validation.pixels, split.validation.targets),
        "epochs": [record.model_dump(exclude={"seconds"}) for record in results.history],
        "weights": digest(*network.state_dict().values()),
    }


@cache
def unchanged(folder: Path, *pairs: tuple[str, Any]) -> dict[str, Any]:
    return what_happens(folder, **dict(pairs))


def test_every_parameter_of_a_run_is_changed_here():
    assert CHANGES.keys() | PLACES == PARAMETERS.keys()
    assert RANGES.keys() == Augmentation.model_fields.keys()
    assert PLACES - {"output_dir", "device", "resume"} == ELSEWHERE


def test_the_same_run_happens_the_same_way(tmp_path):
    assert what_happens(tmp_path, **ONE) == what_happens(tmp_path, **ONE)


@pytest.mark.parametrize(
    ("name", "others", "value"), [(name, *case) for name, cases in CHANGES.items() for case in cases]
)
def test_a_changed_parameter_changes_the_run(tmp_path_factory, name, others, value):
    folder = tmp_path_factory.getbasetemp()
    before = unchanged(folder, *others.items())
    assert what_happens(folder, **others | {name: value}) != before


@pytest.mark.parametrize("name", RANGES)
def test_a_changed_range_of_the_augmentation_changes_the_run(tmp_path, name):
    plain = what_happens(tmp_path, **ONE, epochs=1, augmentation=VARIED)
    changed = what_happens(tmp_path, **ONE, epochs=1, augmentation=VARIED | {name: RANGES[name]})
    assert changed["weights"] != plain["weights"]


def test_images_are_read_from_where_they_are_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.MNIST", lambda *_, **__: fail())
    elsewhere = tmp_path / "none"
    with pytest.raises(DataError, match=f"MNIST is not in {elsewhere}/MNIST/raw: it lacks"):
        make_config(data_dir=str(elsewhere), output_dir=str(tmp_path)).split()


def fail() -> None:
    raise OSError("no network")


HELD_OUT = (
    "02_baseline", "03_skeleton", "04_batchnorm_and_dropout", "05_learning_rate", "06_augmentation", "07_final_model",
    "12_faster",
)  # fmt: skip


def told(stem: str, monkeypatch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    """What a notebook holds when its cells have run as far as its split, with what papermill was given besides."""
    cells = nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    last = next(number for number, source in enumerate(code) if "config.split()" in source)
    monkeypatch.setattr(configuration, "injected", lambda: given)
    # a notebook's own dataclasses look their module up
    module = sys.modules[stem] = ModuleType(stem)
    try:
        for source in code[: last + 1]:
            exec(compile(source, stem, "exec"), vars(module))
    finally:
        del sys.modules[stem]
    return vars(module)


@pytest.mark.parametrize("stem", HELD_OUT)
@pytest.mark.parametrize("way", ["last", "writers"])
def test_a_notebook_holds_out_the_images_that_it_is_told_to(mnist, monkeypatch, stem, way):
    found = told(stem, monkeypatch, held_out=way)
    assert found["config"].held_out == way
    validation = found["split"].validation.pixels
    drawn = found["config"].but(held_out="drawn").split().validation.pixels
    assert not torch.equal(validation, drawn)
    if way == "last":
        assert torch.equal(validation, mnist[0].pixels[-len(validation) :])


@pytest.mark.parametrize(
    ("stem", "name", "value"), [("02_baseline", "model", "tiny"), ("13_smaller_and_better", "held_out", "last")]
)
def test_what_a_notebook_decides_itself_cannot_be_chosen_and_is_said(monkeypatch, stem, name, value):
    with pytest.raises(ConfigError, match=f"{name}={value!r} is not allowed; this notebook is about '"):
        told(stem, monkeypatch, **{name: value})
