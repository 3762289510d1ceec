"""The steps to the fast network are one change each, on record and timed."""

import itertools

import matplotlib.pyplot as plt
import pytest
import torch

from mnist_helpers.benchmarks import Taken, measure
from mnist_helpers.experiments import (
    STEPS,
    TRIED,
    format_speedups,
    plot_filters,
    plot_speedups,
    read_speedups,
    speedups,
)
from mnist_helpers.experiments.speedups import SCHEDULE
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps import read_study


@pytest.mark.parametrize("step", [*STEPS, *TRIED], ids=lambda step: step.name)
def test_every_step_is_on_record_with_its_settings_seeds_and_seconds(step):
    study = read_study(step.name)
    assert [run.config.seed for run in study.runs] == list(step.seeds)
    for run in study.runs:
        config = make_config(**step.settings, seed=run.config.seed)
        assert run.config.training_differences(config) == []
        assert config.validation_size == 10_000
    assert len(read_speedups().steps[step.name].seconds) >= 3


def test_every_step_changes_one_thing():
    """Schedule, rate and batch size belong together; the network shrinks at once."""
    changed = [
        {
            line.split(":")[0]
            for line in make_config(**later.settings).training_differences(make_config(**earlier.settings))
        }
        for earlier, later in itertools.pairwise(STEPS)
    ]
    assert changed == [
        {"model"}, {"augmentation"}, set(SCHEDULE), {"label_smoothing"}, {"whitened"}, {"learning_epochs"},
        {"epochs", "learning_epochs"},
    ]  # fmt: skip


@pytest.mark.parametrize("step", TRIED, ids=lambda step: step.name)
def test_what_was_tried_is_one_change_to_the_last_step(step):
    config = make_config(**step.settings)
    assert len(config.training_differences(make_config(**STEPS[-1].settings))) == 1


def test_the_table_and_picture_of_steps_show_each():
    table = format_speedups(read_speedups(), STEPS).splitlines()
    assert len(table) == 1 + len(STEPS)
    left, right = plot_speedups(read_speedups(), STEPS, "title").axes
    assert [label.get_text() for label in left.get_yticklabels()] == [step.change for step in STEPS]
    assert len([line for line in right.lines if line.get_marker() == "o"]) == len(STEPS)
    assert len(plot_filters(torch.randn(5, 1, 4, 4), "title").axes) >= 5
    plt.close("all")


def test_the_command_times_every_step_against_the_first_and_writes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure, "RECORDS", str(tmp_path))
    seconds = {step.name: 10.0 - number / 2 for number, step in enumerate((*STEPS, *TRIED))}
    monkeypatch.setattr(
        speedups, "take_turns", lambda measure, repeats: {n: [Taken(n, s)] * repeats for n, s in seconds.items()}
    )
    assert speedups.main([]) == 0
    found = read_speedups().steps
    assert {name: measured.median_seconds for name, measured in found.items()} == seconds
    assert found[STEPS[1].name].ratios == {STEPS[0].name: 0.95}
    assert capsys.readouterr().out.splitlines()[2].split()[-7:-5] == ["9.5", "1/1.1"]


@pytest.mark.training
def test_a_long_step_is_timed_by_an_epoch_and_scaled(monkeypatch):
    trained = []
    monkeypatch.setattr(speedups, "timed", lambda work: (1.0, trained.append(work.args[2])))
    taken = {each.name: each.seconds for each in speedups.time_steps(0)}
    epochs = {step.name: make_config(**step.settings).epochs for step in (*STEPS, *TRIED)}
    assert taken == {name: 15.0 if number == 15 else 1.0 for name, number in epochs.items()}
    assert {config.epochs for config in trained} == {1, 2, 3, 4}
