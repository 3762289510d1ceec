"""A run's files land together; the last run is the newest; only the course's own settings are published."""

import os
import shutil

import nbformat
import pytest

from mnist_helpers.networks import SHARED_FOLDER, WEIGHTS_FILE
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.runs import record
from mnist_helpers.runs.record import (
    FIGURES,
    NOTEBOOK,
    PUBLISHED,
    RESULTS_FILE,
    file_product,
    last_run,
    publish,
    read_results,
    show,
    write_results,
)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A project of its own for what is written."""
    for name in ("PUBLISHED", "OWN", "FIGURES", "SHARED_FOLDER"):
        monkeypatch.setattr(record, name, str(tmp_path / name.lower()))
    monkeypatch.setattr(
        record, "resolve", lambda path: tmp_path / path if str(path) == "notebooks" else resolve(path)
    )
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.fixture
def finished(places):
    """A finished run of one's own: the published one's files, with its weights."""
    folder = places / "own" / "run"
    folder.mkdir(parents=True)
    weights = resolve(SHARED_FOLDER) / "final" / WEIGHTS_FILE
    for source in [*resolve(PUBLISHED).iterdir(), *resolve(FIGURES).glob("*.png"), weights]:
        shutil.copy(source, folder)
    return folder


@pytest.mark.parametrize("parameters", [{}, {"resume": True}, {"epochs": 2}])
def test_a_product_goes_where_its_run_wrote(parameters, tmp_path):
    product, folder = tmp_path / "running.ipynb", tmp_path / "out"
    parameters = {**parameters, "output_dir": str(folder)}
    nbformat.write(nbformat.v4.new_notebook(metadata={"papermill": {"parameters": parameters}}), product)
    assert file_product(product) == folder
    assert (folder / NOTEBOOK).exists()
    assert not product.exists()


def test_the_last_run_is_the_newest_of_ones_own_and_else_the_published_one(places, capsys):
    assert last_run() == places / "published"
    results = read_results(PUBLISHED)
    for age, name in enumerate(["older", "newer"]):
        folder = places / "own" / name
        folder.mkdir(parents=True)
        path = write_results(results.model_copy(update={"final_test_accuracy": 0.5 + age / 10}), folder)
        os.utime(path, (age, age))
    assert last_run() == places / "own" / "newer"
    show(last_run())
    assert "final, seed 0: 60.00% on the test set after epoch 15" in capsys.readouterr().out


def test_publishing_puts_every_file_in_its_place(places, finished):
    targets = publish(finished)
    assert {str(path.relative_to(places)) for path in targets} == {
        f"published/{RESULTS_FILE}", f"published/{NOTEBOOK}", f"notebooks/{NOTEBOOK}",
        "shared_folder/final/model.safetensors",
        "figures/training_curves.png", "figures/seeds.png", "figures/misclassified.png",
    }  # fmt: skip
    for target in targets:
        assert target.read_bytes() == (finished / target.name).read_bytes()


def test_a_kill_while_publishing_leaves_every_file_whole(places, finished, monkeypatch):
    publish(finished)
    (finished / RESULTS_FILE).write_text((finished / RESULTS_FILE).read_text() + " ")
    before = {path: path.read_bytes() for path in places.rglob("*") if path.is_file()}

    def kill(source, stream):
        stream.write(source.read_bytes()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(record, "_copy", kill)
    with pytest.raises(KeyboardInterrupt):
        publish(finished)
    assert {path: path.read_bytes() for path in places.rglob("*") if path.is_file()} == before


def test_a_run_with_other_settings_or_without_a_part_is_not_published(places, finished):
    (finished / "seeds.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no seeds\.png"):
        publish(finished)
    results = read_results(finished)
    write_results(results.model_copy(update={"config": results.config.but(seed=1)}), finished)
    with pytest.raises(ValueError, match=r"only a run with the course's settings is published; here seed: 1, 0"):
        publish(finished)
    assert not (places / "published").exists()


def test_what_is_no_record_is_said_in_a_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="run: make train"):
        read_results(tmp_path)
    (tmp_path / RESULTS_FILE).write_text('{"final_test_accuracy": 1}')
    with pytest.raises(ValueError, match=r"results\.json is not the results of a run \(final_test_loss Field"):
        read_results(tmp_path)
    assert read_results(PUBLISHED) == read_results(str(PROJECT_ROOT / PUBLISHED))
