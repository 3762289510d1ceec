"""A network is judged by its mean over runs that differ in the seed only."""

import pytest

from mnist_helpers import goals
from mnist_helpers.config import RunConfig
from mnist_helpers.goals import format_goals, main
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.results import read_results, write_results


@pytest.fixture
def folders(tmp_path):
    """Write three runs of given accuracies; return their folders."""

    def write(accuracies, **changes):
        published, names = read_results(PROJECT_ROOT / "outputs"), []
        for seed, accuracy in enumerate(accuracies):
            folder = tmp_path / f"seed_{seed}"
            folder.mkdir()
            config = RunConfig(seed=seed, **(changes if seed else {}))
            write_results(published.model_copy(update={"config": config, "final_test_accuracy": accuracy}), folder)
            names.append(str(folder))
        return names

    return write


def test_each_goal_can_be_missed():
    assert [line.split()[0] for line in format_goals(0.9941, 19_999, 19).splitlines()] == ["yes"] * 3
    assert [line.split()[0] for line in format_goals(0.994, 20_000, 20).splitlines()] == ["no"] * 3


def test_the_mean_decides_not_the_best_and_not_the_worst(folders, capsys):
    assert main(folders([0.9930, 0.9950, 0.9955])) == 0
    assert "runs: 3, seeds 0, 1, 2" in capsys.readouterr().out


def test_a_mean_below_the_goal_fails(folders):
    assert main(folders([0.9960, 0.9920, 0.9930])) == 1


def test_runs_of_different_settings_have_no_mean(folders, capsys):
    with pytest.raises(SystemExit):
        main(folders([0.995, 0.995], epochs=3))
    assert "differ in more than the seed" in capsys.readouterr().err
    assert goals.ACCURACY_GOAL == 0.994
