"""The ledger says what the networks, the notebooks and the recorded studies say."""

import itertools

import pytest

from mnist_helpers.goals import ACCURACY_GOAL
from mnist_helpers.iterations import FASTER, ITERATIONS, SEEDS, studies
from mnist_helpers.layer_table import layer_table
from mnist_helpers.ledger import ROWS, format_ledger, markdown_ledger, read_ledger
from mnist_helpers.models import build_model, count_parameters
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.study import read_study


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


@pytest.mark.parametrize(("name", "settings"), studies().items())
def test_every_study_is_on_record_with_its_settings_and_seeds(name, settings):
    study = read_study(name)
    assert [run.config.seed for run in study.runs] == list(SEEDS)
    for run in study.runs:
        assert run.config.training_differences(type(run.config)(**settings, seed=run.config.seed)) == []


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
