"""A card says what the records say, to people and to machines, and its examples run."""

import re
from pathlib import Path

import pytest
import yaml

from mnist_helpers.networks import SHARED, SHARED_FOLDER, load
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.runs import read_results
from mnist_helpers.sharing import card
from mnist_helpers.sharing.card import CARD_FILE, format_card, make_card, run_folder
from mnist_helpers.sharing.measured import RECORD_FILE, CardRecord, measure
from mnist_helpers.sweeps import read_study


def folder(name: str) -> Path:
    return resolve(SHARED_FOLDER) / name


def record(name: str) -> CardRecord:
    return CardRecord.model_validate_json((folder(name) / RECORD_FILE).read_bytes())


@pytest.mark.parametrize("name", SHARED)
def test_the_card_is_made_from_the_records(name):
    assert (folder(name) / CARD_FILE).read_text(encoding="utf-8") == make_card(name)


def test_another_number_in_any_record_is_another_card():
    results, study, found = read_results(run_folder("best")), read_study("best"), record("best")
    was = format_card("best", results, study, found)
    mean = study.test_accuracy.model_copy(update={"mean": 0.99})
    worse = found.damaged[0].model_copy(update={"accuracy": (0.5, *found.damaged[0].accuracy[1:])})
    for changed in (
        (results.model_copy(update={"total_parameters": 1}), study, found),
        (results.model_copy(update={"config": results.config.model_copy(update={"max_lr": 7})}), study, found),
        (results, study.model_copy(update={"test_accuracy": mean}), found),
        (results, study, found.model_copy(update={"mistakes": [found.mistakes[0] + 1, *found.mistakes[1:]]})),
        (results, study, found.model_copy(update={"damaged": [worse, *found.damaged[1:]]})),
    ):
        assert format_card("best", *changed) != was


@pytest.mark.parametrize("name", SHARED)
def test_machines_read_its_header(name):
    """The fields of github.com/huggingface/hub-docs, modelcard.md."""
    _, header, _ = make_card(name).split("---\n", 2)
    read, results, study = yaml.safe_load(header), read_results(run_folder(name)), read_study(name)
    assert (read["license"], (PROJECT_ROOT / "LICENSE").read_text(encoding="utf-8")[:3]) == ("mit", "MIT")
    assert {"license", "library_name", "tags", "datasets", "metrics", "model-index"} <= set(read)
    ((only,),) = [one["results"] for one in read["model-index"]]
    assert (only["task"]["type"], only["dataset"]["type"]) == ("image-classification", "mnist")
    values = [metric["value"] for metric in only["metrics"]]
    assert values == pytest.approx([results.final_test_accuracy, study.test_accuracy.mean], abs=1e-6)


def test_its_examples_run(monkeypatch, capsys):
    monkeypatch.chdir(folder("best"))
    pytorch, onnx = re.findall(r"```python\n(.*?)```", make_card("best"), re.DOTALL)
    assert [len(re.findall(r".+\n", each)) for each in (pytorch, onnx)] == [3, 5]
    exec(pytorch, {})
    exec(onnx, {})
    assert capsys.readouterr().out.startswith("tensor([7, 2, 1, 0, 4])\n[")


@pytest.mark.parametrize("name", SHARED)
def test_its_counts_are_those_of_the_run(name, mnist):
    found, mistakes = record(name), read_results(run_folder(name)).test_mistakes
    assert found.digits == [int((mnist[1].targets == digit).sum()) for digit in range(10)]
    assert found.mistakes == [int((mnist[1].targets[mistakes] == digit).sum()) for digit in range(10)]


@pytest.mark.training
@pytest.mark.parametrize("name", ["fast", "best"])  # a stale record of the others would have other counts
def test_what_breaks_it_is_measured(name, mnist):
    network, results = load(name), read_results(run_folder(name))
    again = measure(network, results, mnist[1])
    for one, other in zip(record(name).damaged, again.damaged, strict=True):
        # a digit on the border may fall to the other side on another processor
        assert one.accuracy == pytest.approx(other.accuracy, abs=0.002)
        assert (one.name, one.strengths) == (other.name, other.strengths)


def test_a_study_of_another_recipe_is_refused(monkeypatch):
    monkeypatch.setattr(card, "read_study", lambda name: read_study("tiny"))
    with pytest.raises(ValueError, match=r"another recipe than the weights \(.*\); run: python -m mnist_helpers exp"):
        make_card("best")
