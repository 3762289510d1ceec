"""The ledger says what the networks, the notebooks and the recorded studies say."""

import itertools

import matplotlib.pyplot as plt
import pytest

from mnist_helpers.benchmarks import measure
from mnist_helpers.experiments import format_ledger, ledger, read_ledger
from mnist_helpers.experiments.experiment import FASTER, ITERATIONS
from mnist_helpers.experiments.ledger import HEADER, ROWS, _cells, markdown_ledger
from mnist_helpers.networks import build_model, count_parameters, layer_table
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ACCURACY_GOAL
from mnist_helpers.sweeps import format_spread, read_study


@pytest.mark.parametrize("step", ROWS, ids=lambda step: step.name)
def test_a_row_is_what_its_network_and_its_study_say(step):
    recorded = read_ledger()
    row = dict(zip(HEADER, _cells(recorded, step), strict=True))
    study = read_study(step.name)
    config = study.runs[0].config
    assert row["iteration"] == step.change
    assert row["test accuracy"] == format_spread(study.test_accuracy)
    assert int(row["seeds"]) == study.test_accuracy.n
    assert int(row["epochs"]) == config.epochs == len(study.runs[0].history)
    model = build_model(config.model)
    assert int(row["parameters"].replace(",", "")) == count_parameters(model) == study.parameters
    work = sum(layer.multiply_adds for layer in layer_table(model))
    assert row["multiply-adds"] == f"{work / 1e6:.1f} M"
    fields = {"baseline": 6, "fast": 18, "sprint": 18, "tiny": 30, "best": 38}
    assert int(row["field"]) == fields.get(config.model, 26)
    assert (PROJECT_ROOT / "notebooks" / f"{step.notebook}.ipynb").exists()
    assert 0 < recorded.seconds_per_epoch[step.name] == pytest.approx(int(row["seconds"]) / config.epochs, abs=0.51)


def test_each_iteration_changes_one_thing():
    def record(name):
        return read_study(name).runs[0].config

    changed = [
        {line.split(":")[0] for line in record(later.name).training_differences(record(earlier.name))}
        for earlier, later in itertools.pairwise(ITERATIONS)
    ]
    assert changed == [
        {"model"}, {"model"}, {"model"}, {"schedule", "max_lr"}, {"augmentation"}, {"epochs", "validation_size"},
    ]  # fmt: skip


def test_the_ledger_can_be_shown_up_to_an_iteration():
    ledger = read_ledger()
    assert len(format_ledger(ledger).splitlines()) == 1 + len(ROWS)
    assert format_ledger(ledger, until="skeleton").splitlines()[-1].startswith(ITERATIONS[1].change)
    assert len({len(line) for line in format_ledger(ledger).splitlines()}) == 1


def test_the_final_network_reaches_the_goals_and_the_page_of_the_records_shows_the_table():
    assert read_study("final").test_accuracy.mean > ACCURACY_GOAL
    assert markdown_ledger(read_ledger()) in (PROJECT_ROOT / "outputs" / "README.md").read_text(encoding="utf-8")


def test_the_fast_recipes_reach_what_they_are_for_over_ten_seeds():
    fast, sprint = (read_study(step.name) for step in FASTER)
    assert fast.test_accuracy.n == sprint.test_accuracy.n == 10
    assert fast.test_accuracy.mean > ACCURACY_GOAL
    assert sprint.test_accuracy.mean > 0.99


def test_the_command_times_writes_draws_and_prints(tmp_path, monkeypatch, capsys):
    for folder in ("RECORDS", "FIGURES"):
        monkeypatch.setattr(measure, folder, str(tmp_path))
    taken = {step.name: [ledger.Taken(step.name, 0.5)] * 3 for step in ROWS}
    monkeypatch.setattr(ledger, "take_turns", lambda measure, repeats: taken)
    assert ledger.main([]) == 0
    written = read_ledger()
    assert written.seconds_per_epoch == {step.name: 0.5 for step in ROWS}
    assert capsys.readouterr().out == f"{markdown_ledger(written)}\n"
    assert (tmp_path / "ledger.png").stat().st_size > 10_000
    plt.close("all")


@pytest.mark.training
def test_an_epoch_of_every_iteration_is_timed(monkeypatch):
    monkeypatch.setattr(ledger, "TIMED_BATCHES", 1)
    rows = [step for step in ROWS if step.name in ("skeleton", "tiny", "sprint")]
    monkeypatch.setattr(ledger, "ROWS", rows)
    found = list(ledger.time_epochs(0))
    assert [taken.name for taken in found] == [step.name for step in rows]
    assert all(taken.seconds > 0 for taken in found)
