"""The ideas and the frontier are on record as they say, and the goals of notebook 13 hold by those records."""

import matplotlib.pyplot as plt
import pytest

from mnist_helpers.experiments import IDEAS, UNCHANGED, format_ideas, frontier, look_up, plot_ideas
from mnist_helpers.experiments.frontier import (
    FRONTIER,
    KINDS,
    LOOPED,
    PUBLIC,
    format_frontier,
    plot_frontier,
    read_frontier,
)
from mnist_helpers.networks import PARAMETER_BUDGET, build_model, count_parameters
from mnist_helpers.runs import ACCURACY_GOAL, RunConfig, make_config
from mnist_helpers.sweeps import differences, format_comparisons, mean_interval, read_study


@pytest.mark.parametrize("idea", [UNCHANGED, *IDEAS], ids=lambda idea: idea.name)
def test_an_idea_is_on_record_judged_by_strangers_digits(idea):
    study = read_study(idea.name)
    assert [run.config.seed for run in study.runs] == list(idea.seeds) == [0, 1, 2]
    for run in study.runs:
        assert run.config.training_differences(make_config(**idea.settings, seed=run.config.seed)) == []
        assert (run.config.held_out, run.config.validation_size) == ("last", 10_000)
        assert run.total_parameters <= 4_000


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_an_idea_changes_one_thing(idea):
    base = make_config(**UNCHANGED.settings)
    changed = {line.split(":")[0] for line in make_config(**idea.settings).training_differences(base)}
    # another optimizer needs another rate and decay
    assert len(changed) == 1 or changed == {"optimizer", "max_lr", "weight_decay"}


def test_names_of_ideas_are_their_own():
    assert len({idea.name for idea in IDEAS}) == len(IDEAS) >= 20


def test_a_gain_is_the_mean_difference_seed_by_seed():
    for idea in (IDEAS[0], IDEAS[-1]):
        found = look_up(idea)
        by_seed = differences(read_study(idea.name), read_study(UNCHANGED.name), "validation_accuracy")
        assert found.gain.mean == pytest.approx(sum(by_seed) / len(by_seed))
        assert found.gain.n == len(by_seed) == 3


def test_the_table_and_picture_of_ideas_show_each():
    found = [look_up(idea) for idea in IDEAS]
    table = format_ideas(found).splitlines()
    assert len(table) == 2 + len(IDEAS)
    assert {len(line) for line in table[2:]} == {len(table[0])}
    (axis,) = plot_ideas(found).axes
    assert sorted(label.get_text() for label in axis.get_yticklabels()) == sorted(
        f"{each.tried.kind}: {each.tried.change}" for each in found
    )
    plt.close("all")


@pytest.mark.parametrize("size", FRONTIER, ids=lambda size: size.name)
def test_a_size_is_on_record_over_its_seeds_at_its_last_epoch(size):
    name, study = size.name, read_study(size.name)
    assert [run.config.seed for run in study.runs] == list(size.seeds) == list(range(20 if name == "tiny" else 10))
    for run in study.runs:
        assert run.config.training_differences(make_config(model=name, seed=run.config.seed)) == []
        assert run.config.validation_size == RunConfig().validation_size
        assert len(run.history) == run.config.epochs < 20
        assert len(run.test_mistakes) == round(10_000 * (1 - run.final_test_accuracy))
        assert run.total_parameters == count_parameters(build_model(name))


def test_the_targets_are_reached_with_their_intervals():
    best, tiny = (read_study(name) for name in ("best", "tiny"))
    assert best.test_accuracy.mean >= 0.9965
    assert mean_interval(best.test_accuracy)[0] > 0.9960
    assert best.runs[0].total_parameters < PARAMETER_BUDGET
    assert mean_interval(tiny.test_accuracy)[0] >= ACCURACY_GOAL
    assert tiny.runs[0].total_parameters <= 4_000


def test_1260_parameters_hold_99_percent_and_the_other_loops_hold_no_more_than_that():
    eight, ten, fourteen = map(read_study, LOOPED)
    assert (eight.parameters, ten.parameters, fourteen.parameters) == (866, 1_260, 2_264)
    assert mean_interval(eight.test_accuracy)[1] < 0.99 <= mean_interval(ten.test_accuracy)[0]
    assert mean_interval(fourteen.test_accuracy)[1] < ACCURACY_GOAL
    firm = [study for study in read_frontier() if mean_interval(study.test_accuracy)[0] >= 0.99]
    assert [study.parameters for study in firm[:2]] == [1_260, 1_904]
    assert min(s.parameters for s in firm if mean_interval(s.test_accuracy)[0] >= ACCURACY_GOAL) == 2_930


def test_the_picture_joins_the_means_of_the_loops():
    studies = read_frontier()
    (axis,) = plot_frontier(studies).axes
    (line,) = [each for each in axis.lines if "one convolution four times" in str(each.get_label())]
    drawn = [(study.parameters, 100 * (1 - study.test_accuracy.mean)) for study in studies if study.name in LOOPED]
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == drawn
    assert len(drawn) == 3
    plt.close("all")


def test_public_points_are_marked_as_what_they_are():
    assert {point.kind for point in PUBLIC} == set(KINDS)
    (axis,) = plot_frontier(read_frontier()).axes
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels[3:] == [f"public: {kind}" for kind in KINDS]
    drawn = {
        line.get_label().removeprefix("public: "): list(line.get_xdata())
        for line in axis.lines
        if "public" in line.get_label()
    }
    assert drawn == {kind: [point.parameters for point in PUBLIC if point.kind == kind] for kind in KINDS}
    plt.close("all")


def test_the_tables_have_a_line_for_each_size_and_pair():
    studies = read_frontier()
    table = format_frontier(studies).splitlines()
    assert len(table) == 1 + len(FRONTIER)
    assert {len(line) for line in table} == {len(table[0])}
    assert len(format_comparisons([(studies[1], studies[0])]).splitlines()) == 2


def test_the_picture_is_drawn_from_the_records(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(frontier, "PICTURE", str(tmp_path / "frontier.png"))
    assert frontier.main([]) == 0
    assert (tmp_path / "frontier.png").stat().st_size > 10_000
    assert capsys.readouterr().out == f"{format_frontier(read_frontier())}\n"
    plt.close("all")
