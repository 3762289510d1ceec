"""Runs in processes of their own: what one leaves, whatever ends it, and networks of one's own."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest
import torch
from sweeps.scripted import TODAY, files, start, wait_for

from mnist_helpers.runs import RunConfig, make_config
from mnist_helpers.sweeps.engines import attempt
from mnist_helpers.sweeps.study import FailedRun, FinishedRun
from mnist_helpers.sweeps.sweep import SweepReport, format_report
from mnist_helpers.training.evaluation import Metrics

NETWORK = """
from torch import nn

SETTINGS = {"epochs": 1, "augmentation": None}


class Plain(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
"""
SCRIPT = """
from mnist_helpers.sweeps import make_plan, run_sweep

plan = make_plan(name="bare", settings={{"epochs": 1, "train_size": 100, "device": "cpu"}}, seeds=(0, 1))
{guard}print(len(run_sweep(plan, folder={folder!r}).studies[0].runs), "runs")
"""


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def config(folder: Path, **changes) -> RunConfig:
    return RunConfig(
        **{"epochs": 1, "train_size": 100, "output_dir": str(folder / "run"), "device": "cpu", **changes}
    )


def test_a_run_that_diverges_leaves_its_error_in_one_line(tmp_path):
    record = attempt(config(tmp_path, max_lr=1e9, batch_size=20), TODAY)
    assert isinstance(record, FailedRun)
    assert re.fullmatch(r"TrainingDiverged: .* in epoch 1: .* \(training/loop\.py, line \d+\)", record.error)
    report = SweepReport([], [record], 0)
    assert format_report(report).startswith(
        "FAILED epochs=1 batch_size=20 max_lr=1000000000.0 train_size=100 seed=0: TrainingDiv"
    )


def test_a_figure_that_is_no_number_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr("mnist_helpers.training.loop.evaluate", lambda *_: Metrics(float("inf"), 0.5))
    record = attempt(config(tmp_path), TODAY)
    assert record.error.startswith("TrainingDiverged: the validation loss is inf in epoch 1")


def test_checkpoints_that_cannot_be_continued_are_moved_aside_and_the_run_begins_again(tmp_path):
    settings = config(tmp_path, model="tiny", resume=True)
    first = attempt(settings, TODAY)
    checkpoint = settings.output_folder() / "checkpoints" / "epoch_01.pth"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    again = attempt(settings, TODAY)
    assert isinstance(again, FinishedRun)
    assert again.final_test_loss == first.final_test_loss
    assert (settings.output_folder() / "checkpoints.previous-1" / "epoch_01.pth").exists()


def test_a_finished_run_is_its_results_and_its_code(tmp_path):
    record = attempt(config(tmp_path, model="tiny"), TODAY)
    assert isinstance(record, FinishedRun)
    assert (record.code, len(record.history), record.config.seed) == (TODAY, 1, 0)
    assert FinishedRun.model_validate_json(record.model_dump_json()) == record


def test_a_network_of_ones_own_whose_file_changed_meanwhile_is_a_failure_in_words(tmp_path):
    (file := tmp_path / "plain.py").write_text(NETWORK)
    planned = make_config(
        model=f"{file}:Plain", train_size=100, output_dir=str(tmp_path / "run"), device="cpu", epochs=1
    )
    assert isinstance(attempt(planned, TODAY), FinishedRun)
    file.write_text(NETWORK + "\n# another\n")
    assert "no longer the file that this run was planned with" in attempt(planned, TODAY).error


# processes that are started and killed


def command(folder: Path, *arguments: str) -> list[str]:
    small = ["--set", "epochs=1", "--set", "train_size=200", "--set", "device=cpu"]
    return [sys.executable, "-m", "mnist_helpers", "sweep", "--folder", str(folder), *small, *arguments]


@pytest.mark.training
@pytest.mark.quick
def test_a_killed_sweep_runs_only_what_is_missing_and_its_processes_end_with_it(tmp_path):
    arguments = command(tmp_path, "--name", "killed", "--seeds", "0", "1", "2", "--processes", "1")
    first = start(*arguments)
    wait_for(lambda: len(files(tmp_path / "killed" / "running")) == 1)
    wait_for(lambda: list((tmp_path / "killed" / "running").glob("*_seed_1_*")))  # in the middle of the second
    children = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)

    (first_run,) = map(json.loads, files(tmp_path / "killed" / "running").values())
    del first_run["sha256"]  # of its own file
    second = start(*arguments)
    out, err = second.communicate(timeout=200)
    assert (second.returncode, err) == (0, ""), err
    (study,) = map(json.loads, files(tmp_path / "killed").values())
    assert study["runs"][0] == first_run  # seconds included: it was not trained again
    assert [run["config"]["seed"] for run in study["runs"]] == [0, 1, 2]
    assert out.splitlines()[1].startswith("killed")
    # neither records nor checkpoints are left
    assert [path.name for path in (tmp_path / "killed" / "running").iterdir()] == [".lock"]


@pytest.mark.training
def test_failures_and_killed_runs_are_listed_and_the_rest_goes_on(tmp_path):
    arguments = command(
        tmp_path,
        "--name",
        "some",
        "--set",
        "weight_decay=0",
        "--grid",
        "max_lr=1e9,0.1",
        "--seeds",
        "0",
        "1",
        "--processes",
        "2",
    )
    first = start(*arguments)

    def runs() -> list[psutil.Process]:
        found = psutil.Process(first.pid).children()
        return [child for child in found if any("spawn_main" in part for part in child.cmdline())]

    wait_for(lambda: len(runs()) == 2)
    rival = start(*arguments)
    victim = max(runs(), key=lambda process: process.pid)
    os.kill(victim.pid, signal.SIGKILL)
    assert rival.communicate(timeout=100)[1].startswith("another sweep is at work")
    assert rival.returncode == 2

    out, err = first.communicate(timeout=200)
    assert (first.returncode, err) == (1, ""), err
    assert out.count("FAILED") == 3  # two that diverge, one that was killed
    assert out.count("killed by SIGKILL") == 1
    assert out.count("TrainingDiverged") == 2
    records = [json.loads(text) for text in files(tmp_path / "some" / "running").values()]
    assert sorted("error" in record for record in records) == [False, True, True, True]


@pytest.mark.training
def test_a_network_of_ones_own_is_swept_by_its_path(tmp_path):
    (tmp_path / "my plain.py").write_text(NETWORK)
    model = f"{tmp_path / 'my plain.py'}:Plain"
    arguments = ["--name", "own", "--set", f"model={model}", "--set", "train_size=100", "--seeds", "0", "1"]
    sweep = [sys.executable, "-m", "mnist_helpers", "sweep", "--folder", str(tmp_path / "sweeps"), *arguments]
    out, err = start(*sweep).communicate(timeout=200)
    assert err == ""
    assert out.splitlines()[1].split()[-1] == "2"
    (study,) = map(json.loads, files(tmp_path / "sweeps" / "own").values())
    for run in study["runs"]:
        assert (run["config"]["model"], run["config"]["epochs"], run["total_parameters"]) == (model, 1, 7_850)
        assert re.fullmatch("[0-9a-f]{16}", run["config"]["source"])


@pytest.mark.training
@pytest.mark.parametrize("guarded", [False, True])
def test_a_script_without_a_guard_says_what_to_write(tmp_path, guarded):
    guard = 'if __name__ == "__main__": ' if guarded else ""
    (tmp_path / "script.py").write_text(SCRIPT.format(guard=guard, folder=str(tmp_path / "sweeps")))
    process = start(sys.executable, "script.py", cwd=tmp_path)
    out, err = process.communicate(timeout=200)
    running = tmp_path / "sweeps" / "bare" / "running"
    assert files(running) == {}
    if guarded:
        assert (process.returncode, out, err) == (0, "2 runs\n", "")
    else:
        assert process.returncode == 1
        assert err.count("Traceback") == 1
        assert 'if __name__ == "__main__":\n    run_sweep(...)' in err
