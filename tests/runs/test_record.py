"""A run's files land together; the last run is the newest; only the course's own settings are published."""

import errno
import os
import shutil

import nbformat
import pytest

from mnist_helpers.networks import SHARED_FOLDER, WEIGHTS_FILE, load, stored
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.records import seal
from mnist_helpers.runs import load_weights, record
from mnist_helpers.runs.executed import NOTEBOOK, file_product, notebook_mark
from mnist_helpers.runs.record import (
    FIGURES,
    PUBLISHED,
    RESULTS_FILE,
    keep,
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
    told = {"parameters": parameters, "input_path": str(PROJECT_ROOT / "notebooks" / NOTEBOOK), "output_path": "/x"}
    nbformat.write(nbformat.v4.new_notebook(metadata={"papermill": told}), product)
    assert file_product(product) == folder
    filed = nbformat.read(folder / NOTEBOOK, as_version=4).metadata.papermill
    assert (filed.input_path, filed.output_path) == (f"notebooks/{NOTEBOOK}", str(folder / NOTEBOOK))
    assert not product.exists()


def test_the_last_run_is_the_newest_of_ones_own_and_else_the_published_one(places, capsys):
    assert last_run() == places / "published"
    results = read_results(PUBLISHED)
    for age, name in enumerate(["older", "newer"]):
        folder = places / "own" / name
        folder.mkdir(parents=True)
        path = write_results(results.model_copy(update={"config": results.config.but(seed=age + 5)}), folder)
        os.utime(path, (age, age))
    assert last_run() == places / "own" / "newer"
    show(last_run())
    accuracy = f"{results.final_test_accuracy:.2%}"
    assert f"final, seed 6: {accuracy} on the test set after epoch 15" in capsys.readouterr().out


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
    (finished / "seeds.png").write_bytes(b"another picture")
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
    (tmp_path / RESULTS_FILE).write_text(seal('{\n "final_test_accuracy": 1\n}'))
    with pytest.raises(ValueError, match=r"results\.json is not the results of a run \(final_test_loss Field"):
        read_results(tmp_path)
    assert read_results(PUBLISHED) == read_results(str(PROJECT_ROOT / PUBLISHED))


MARKED = {"run": "0123456789ab"}


@pytest.fixture
def marked(places):
    """A finished run of today's, its notebook beside it."""
    folder = places / "own" / "run"
    folder.mkdir(parents=True)
    network, results = load("final"), read_results().model_copy(update=MARKED)
    line = keep(network, results, folder)
    assert line.endswith("results.json, model.safetensors (run 0123456789ab)")
    for source in resolve(FIGURES).glob("*.png"):
        shutil.copy(source, folder)
    write_notebook(folder / NOTEBOOK, line)
    return folder


def write_notebook(path, printed, **metadata):
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text=f"epoch 1\n{printed}\n")])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), path)


def test_a_whole_run_is_read_and_published(marked, capsys):
    assert read_results(marked).run == MARKED["run"]
    load_weights(marked)
    show(marked)
    assert "another run" not in capsys.readouterr().out
    publish(marked)


def test_results_and_weights_of_two_runs_are_seen_by_every_reader(marked):
    results = read_results(marked).model_copy(update={"run": "another"})
    write_results(results, marked)  # as a kill between the two files would leave them
    for reader in (read_results, load_weights, publish, show):
        with pytest.raises(ValueError, match=r"tensors is of run 0123456789ab, .*results\.json of run another"):
            reader(marked)


def test_the_published_weights_must_be_of_the_published_results(marked, places, monkeypatch):
    publish(marked)
    monkeypatch.setattr(stored, "SHARED_FOLDER", str(places / "shared_folder"))
    monkeypatch.setattr(stored, "PUBLISHED", str(places / "published"))
    load("final")
    write_results(read_results(places / "published").model_copy(update={"run": "another"}), places / "published")
    with pytest.raises(ValueError, match="they do not belong together"):
        load("final")


def test_a_notebook_of_another_run_is_told_of_and_not_published(marked, capsys):
    write_notebook(marked / NOTEBOOK, "kept (run ba9876543210)")
    show(marked)
    assert "is of another run (ba9876543210, the results 0123456789ab)" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"ipynb is of run ba9876543210"):
        publish(marked)


def papermills(folder) -> dict:
    return {"parameters": {"output_dir": str(folder)}, "input_path": NOTEBOOK, "output_path": "running.ipynb"}


def test_a_notebook_whose_results_another_run_has_replaced_keeps_its_mark_in_its_name(marked, places):
    product = places / "own" / "running.1.ipynb"
    write_notebook(product, "kept (run ba9876543210)", papermill=papermills(marked))
    before = (marked / NOTEBOOK).read_bytes()
    with pytest.raises(ValueError, match="do not belong together"):
        file_product(product)
    assert (marked / NOTEBOOK).read_bytes() == before
    assert notebook_mark(marked / "running.1.ba9876543210.ipynb") == "ba9876543210"


def test_a_disk_that_fills_while_publishing_leaves_every_file_as_it_was(marked, places, monkeypatch):
    publish(marked)
    before = {path: path.read_bytes() for path in places.rglob("*") if path.is_file()}
    (marked / "seeds.png").write_bytes(b"another picture")

    def fill(source, stream):
        if source.name == WEIGHTS_FILE:
            raise OSError(errno.ENOSPC, "full")
        stream.write(source.read_bytes())

    monkeypatch.setattr(record, "_copy", fill)
    with pytest.raises(OSError, match=r"model\.safetensors cannot be written: No space left on device"):
        publish(marked)
    after = {path: path.read_bytes() for path in places.rglob("*") if path.is_file()}
    assert after == before | {marked / "seeds.png": b"another picture"}
