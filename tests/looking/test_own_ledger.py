"""A person's own ledger keeps what was noted, one setting a name, and draws it beside the record."""

import json

import matplotlib.pyplot as plt
import pytest

from mnist_helpers.looking import note, own_ledger, plot_own_ledger
from mnist_helpers.looking.own_ledger import read_own_ledger
from mnist_helpers.sweeps import read_study


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    path = tmp_path / "own" / "ledger.json"
    monkeypatch.setattr(own_ledger, "FILE", str(path))
    yield path
    plt.close("all")


@pytest.fixture(scope="module")
def results():
    """Return results like those of a live run."""
    recorded = read_study("dropout").runs[0]

    def made(seed=0, accuracy=0.98, train_size=2000, epochs=19):
        config = recorded.config.but(seed=seed, train_size=train_size)
        return recorded.model_copy(update={"config": config, "final_test_accuracy": accuracy, "total_epochs": epochs})

    return made


def test_a_run_takes_the_place_of_the_same_seed_and_keeps_its_row(results):
    for name, seed, accuracy in (("a", 0, 0.97), ("a", 1, 0.98), ("b", 0, 0.95), ("a", 0, 0.99)):
        note(name, results(seed, accuracy))
    found = [(run.name, run.seed, run.test_accuracy) for run in read_own_ledger()]
    assert found == [("a", 0, 0.99), ("a", 1, 0.98), ("b", 0, 0.95)]


@pytest.mark.parametrize("other", [{"train_size": None}, {"epochs": 4}])
def test_a_name_has_one_setting(results, other):
    note("a", results(0))
    note("b", results(0))
    note("a", results(1, **other))
    assert [(run.name, run.seed) for run in read_own_ledger()] == [("b", 0), ("a", 1)]


def test_a_row_shows_own_seeds_beside_the_recorded_study_of_its_name(results):
    note("dropout", results(0, 0.97))
    note("dropout", results(1, 0.98))
    note("nobody else has this", results(0, 0.9))
    own, recorded = plot_own_ledger().axes
    assert [list(line.get_xdata()) for line in own.lines] == [
        pytest.approx(errors) for errors in ([3, 2], [2.5], [10], [10])
    ]
    study = read_study("dropout")
    assert list(recorded.lines[0].get_xdata()) == pytest.approx(
        [100 * (1 - run.final_test_accuracy) for run in study.runs]
    )
    assert len(recorded.lines) == 2
    assert "18,982 parameters\n2,000 digits, 19 epochs" in own.get_yticklabels()[0].get_text()


def test_what_cannot_be_noted_or_read_is_said_in_one_line(results, elsewhere):
    with pytest.raises(ValueError, match="ledger is empty"):
        plot_own_ledger()
    with pytest.raises(ValueError, match="'a' had no test images"):
        note("a", results(accuracy=None))
    note("a", results(accuracy=None), 0.97)
    assert read_own_ledger()[0].test_accuracy == 0.97
    elsewhere.write_text(json.dumps([{"name": "a"}]))
    for call in (plot_own_ledger, lambda: note("a", results())):
        with pytest.raises(ValueError, match=r"ledger\.json is not a ledger .*; delete it"):
            call()
    assert elsewhere.read_text() == '[{"name": "a"}]'
