"""The small commands: a network is judged by its mean over seeds, and what cannot be judged is said in a line."""

import os
import subprocess
import sys

import pytest
from sweeps.scripted import with_last

from mnist_helpers.__main__ import COMMANDS, main
from mnist_helpers.commands import check_goal, check_model, check_params, view_results
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ACCURACY_GOAL, RunConfig, format_goals, read_results, write_results


@pytest.fixture
def folders(tmp_path):
    """Write runs of given accuracies; return their folders."""

    def write(accuracies, **changes):
        published, names = read_results(), []
        for seed, accuracy in enumerate(accuracies):
            folder = tmp_path / f"seed_{seed}"
            folder.mkdir()
            config = RunConfig(seed=seed, **(changes if seed else {}))
            run = {"config": config, **with_last(published, 15, test_accuracy=accuracy)}
            write_results(published.model_copy(update=run), folder)
            names.append(str(folder))
        return names

    return write


def test_each_goal_can_be_missed():
    assert ACCURACY_GOAL == 0.994
    assert [line.split()[0] for line in format_goals(0.9941, 19_999, 19).splitlines()] == ["yes"] * 3
    assert [line.split()[0] for line in format_goals(0.994, 20_000, 20).splitlines()] == ["no"] * 3


def test_the_mean_decides_not_the_best_and_not_the_worst(folders, capsys):
    assert check_goal(folders([0.9930, 0.9950, 0.9955])) == 0
    assert "runs: 3, seeds 0, 1, 2" in capsys.readouterr().out


def test_a_mean_below_the_goal_fails(folders, capsys):
    assert check_goal(folders([0.9960, 0.9920, 0.9930])) == 1
    assert "no   test accuracy above 99.4%, mean over seeds: 99.37%" in capsys.readouterr().out


def test_runs_of_different_settings_have_no_mean(folders, capsys):
    with pytest.raises(SystemExit):
        check_goal(folders([0.995, 0.995], epochs=3))
    assert "differ in more than the seed" in capsys.readouterr().err


@pytest.mark.parametrize("command", [check_goal, view_results])
def test_a_record_that_is_missing_or_foreign_is_said_in_one_line(command, tmp_path, capsys):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "results.json").write_text('{"accuracy": 1}')
    for folder, said in (("none", "is not there; run: make train"), ("foreign", "is not the results of a run")):
        assert command([str(tmp_path / folder)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line


def test_a_network_from_a_file_is_checked_and_one_that_is_not_there_is_said(tmp_path, capsys):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\nclass Flat(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(784, 10))\n"
    )
    for command in (check_model, check_params):
        assert command([f"{tmp_path}/net.py:Flat"]) == 0
        assert "7,850" in capsys.readouterr().out
        assert command([f"{tmp_path}/net.py:Round"]) == 1
        assert "has no Round; it holds Flat" in capsys.readouterr().err
        assert command(["huge"]) == 1
        assert "allowed: final" in capsys.readouterr().err


def test_every_command_is_there_and_the_makefile_calls_only_such(capsys):
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    called = {line.split()[0] for line in makefile.split("$(COMMAND) ")[1:]}
    assert called == set(COMMANDS) - {"derive-writers"}
    for command in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert f"python -m mnist_helpers {command}" in capsys.readouterr().out
    assert main(["nosuch"]) == main([]) == 2
    assert "one of environment, " in capsys.readouterr().err


def test_where_only_ascii_can_be_shown_a_command_still_speaks():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "mnist_helpers", "check-params"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "18,982" in done.stdout


# the second loads triton, whose leaks would be told
@pytest.mark.parametrize("arguments", [["view-results"], ["assess", "nosuch.py:Net"]])
def test_a_command_ends_without_a_word_on_what_it_did_not_free(arguments):
    code = f"import gc; from mnist_helpers.__main__ import main; main({arguments}); assert gc.isenabled()"
    for given in (["-c", code], ["-m", "mnist_helpers", *arguments]):
        done = subprocess.run([sys.executable, *given], cwd=PROJECT_ROOT, capture_output=True, text=True)
        assert len(done.stderr.splitlines()) == len(arguments) - 1, done.stderr
