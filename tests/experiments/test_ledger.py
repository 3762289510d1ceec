"""The ledger says what the networks, the notebooks and the recorded studies say."""

import itertools

import matplotlib.pyplot as plt
import pytest

from mnist_helpers.experiments import FASTER, ITERATIONS, format_ledger, ledger, markdown_ledger, read_ledger
from mnist_helpers.experiments.ledger import ROWS
from mnist_helpers.networks import build_model, count_parameters, layer_table
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ACCURACY_GOAL
from mnist_helpers.sweeps import read_study


@pytest.mark.parametrize("step", ROWS, ids=lambda step: step.name)
def test_a_row_is_what_its_network_and_its_study_say(step):
    (row,) = [row for row in read_ledger().rows if row.name == step.name]
    study = read_study(step.name)
    config = study.runs[0].config
    assert (row.test_accuracy, row.validation_accuracy) == (study.test_accuracy, study.validation_accuracy)
    assert row.epochs == config.epochs == len(study.runs[0].history)
    assert row.parameters == count_parameters(build_model(config.model)) == study.runs[0].total_parameters
    assert row.multiply_adds == sum(layer.multiply_adds for layer in layer_table(build_model(config.model)))
    assert row.receptive_field == {"baseline": 6, "fast": 18, "sprint": 18, "tiny": 30, "best": 38}.get(
        config.model, 26
    )
    assert row.training_images == 60_000 - config.validation_size
    assert (PROJECT_ROOT / "notebooks" / f"{row.notebook}.ipynb").exists()
    assert (row.notebook, row.change) == (step.notebook, step.change)
    assert row.seconds_per_epoch > 0


def test_each_iteration_changes_one_thing():
    def record(name):
        return read_study(name).runs[0].config

    changed = [
        {line.split(":")[0] for line in record(later.name).training_differences(record(earlier.name))}
        for earlier, later in itertools.pairwise(ITERATIONS)
    ]
    assert changed == [
        {"model"}, {"model"}, {"model"}, {"augmentation"}, {"schedule", "max_lr"}, {"epochs", "validation_size"},
    ]  # fmt: skip


def test_the_ledger_can_be_shown_up_to_an_iteration():
    ledger = read_ledger()
    assert len(format_ledger(ledger).splitlines()) == 1 + len(ROWS)
    assert format_ledger(ledger, until="skeleton").splitlines()[-1].startswith(ITERATIONS[1].change)
    assert len({len(line) for line in format_ledger(ledger).splitlines()}) == 1


def test_the_final_network_reaches_the_goals_and_the_readme_shows_the_table():
    (final,) = [row for row in read_ledger().rows if row.name == "final"]
    assert final.test_accuracy.mean > ACCURACY_GOAL
    assert markdown_ledger(read_ledger()) in (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def test_the_fast_recipes_reach_what_they_are_for_over_ten_seeds():
    fast, sprint = (read_study(step.name) for step in FASTER)
    assert fast.test_accuracy.n == sprint.test_accuracy.n == 10
    assert fast.test_accuracy.mean > ACCURACY_GOAL
    assert sprint.test_accuracy.mean > 0.99


def test_the_command_measures_writes_draws_and_prints(tmp_path, monkeypatch, capsys):
    recorded = {row.name: row for row in read_ledger().rows}
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger.json"))
    monkeypatch.setattr(ledger, "PICTURE", str(tmp_path / "ledger.png"))
    taken = {name: [ledger.Taken(name, 0.5)] * 3 for name in recorded}
    monkeypatch.setattr(ledger, "take_turns", lambda measure, names, repeats: {name: taken[name] for name in names})
    assert ledger.main([]) == 0
    written = read_ledger()
    assert [row.seconds_per_epoch for row in written.rows] == [0.5] * len(ROWS)
    for row in written.rows:  # all but the seconds is as published
        assert row == recorded[row.name].model_copy(update={"seconds_per_epoch": 0.5})
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
