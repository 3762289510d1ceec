"""`make assess`: one submission or a folder, each refused in words or judged, and the rest goes on."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from assessment.networks import ALIKE, COPIED, CRASHING, ENDLESS, GOOD, LARGE

from mnist_helpers.assessment import command
from mnist_helpers.assessment.verdict import judge, write_verdict
from mnist_helpers.assessment.workplace import Refused, ask
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sweeps import spread

LAYERS = [[104, 4, 6, 6], [1450, 10]]


@pytest.fixture
def folder(tmp_path):
    (folder := tmp_path / "handed in").mkdir()
    return folder


@pytest.fixture
def scripted(monkeypatch):
    """No process is started: what a file holds decides what would have come of it."""

    def look(place, seconds, task, settings):
        text = Path(settings["model"].rpartition(":")[0]).read_text()
        if text == CRASHING:
            raise Refused("RuntimeError: out of | ideas <b>")
        if text == LARGE:
            return {"broken": "too large: 21,000"}
        return {"broken": "", "parameters": 1554, "epochs": 1, "layers": LAYERS, "seconds": 60.0}

    def run_notebook(given, out):
        (out / "given.json").write_text(json.dumps(given))
        (out / "report.html").touch()
        write_verdict(judge(spread(accuracies), 1554, 1), out)

    accuracies = [0.9911, 0.9912]
    monkeypatch.setattr(command, "ask", look)
    monkeypatch.setattr(command, "_run_notebook", run_notebook)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return accuracies


def rows(folder):
    with (folder / "assessed.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def assess(*arguments, output):
    return command.main([*map(str, arguments), "--output-dir", str(output)])


@pytest.mark.parametrize(
    ("reached", "status", "said"),
    [
        ([0.9961, 0.9962], 0, "passed: the mean's 95 % interval over 2 seeds, 99.551 to 99.679 %, lies above"),
        ([0.9911, 0.9912], 1, "not yet: the mean's 95 % interval"),
        ([0.991, 0.998], 3, "cannot be told apart with 2 seeds: the mean's 95 % interval"),
    ],
)
def test_one_submission_ends_in_its_verdict(folder, scripted, capsys, reached, status, said):
    (folder / "net.py").write_text(GOOD)
    scripted[:] = reached
    assert assess(folder / "net.py", output=folder / "out") == status
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("net_Net: keeps the rules; 1,554 parameters, epochs: 1, seeds: 5; training takes about ")
    assert second.startswith(f"net_Net: {said}")
    assert third == f"net_Net: report in {folder / 'out' / 'net_Net' / 'report.html'}"
    given = json.loads((folder / "out" / "net_Net" / "given.json").read_text())
    assert (given["epochs"], given["train_size"], given["seeds"]) == (None, None, 5)


def test_a_refused_submission_has_a_status_of_its_own(folder, scripted, capsys):
    (folder / "net.py").write_text(LARGE)
    assert assess(f"{folder / 'net.py'}:Net", output=folder / "out") == 4
    assert capsys.readouterr().out == "net_Net: refused: a rule is broken: too large: 21,000\n"


def test_a_folder_ends_in_a_table_whatever_is_in_it(folder, scripted, monkeypatch, tmp_path):
    texts = {
        "a": GOOD,
        "b": COPIED,
        "c": ALIKE,
        "crash": CRASHING,
        "large": LARGE,
        "=odd": "no python",
        "many": GOOD * 2,
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert assess(folder, "--epochs", 1, output=tmp_path) == 4
    found = rows(tmp_path)
    assert set(found) == {"a_Net", "b_Mine", "c_Net", "crash_Net", "large_Net", "'=odd", "many"}
    assert found["a_Net"]["copies"] == "same source as b_Mine; same layers as c_Net"
    assert found["c_Net"]["copies"] == "same layers as a_Net, b_Mine"
    assert found["crash_Net"]["remark"] == "refused: RuntimeError: out of | ideas <b>"
    assert found["a_Net"]["remark"].endswith("(a quick try: epochs=1)")
    assert "holds Net, Net; say which" in found["many"]["remark"]
    summary = (tmp_path / "summary.md").read_text()
    assert len(summary.splitlines()) == 2 + len(texts)
    assert "<b>" not in summary + (tmp_path / "assessed.html").read_text()


def test_a_folder_without_a_refusal_is_a_success(folder, scripted, tmp_path):
    (folder / "a.py").write_text(GOOD)
    assert assess(folder, output=tmp_path) == 0


def test_what_a_whole_folder_takes_is_said_before_any_training(folder, scripted, tmp_path, capsys):
    for name, text in (("a", GOOD), ("b", ALIKE), ("large", LARGE)):
        (folder / f"{name}.py").write_text(text)
    assess(folder, output=tmp_path)
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[:4]] == ["a_Net", "b_Net", "2 submissions", "a_Net"]
    one, other, both = (int(re.search(r"takes about (\d+) minutes", line)[1]) for line in said[:3])
    assert both == one + other
    assert "passed" in said[3] or "not yet" in said[3]


def test_a_submission_in_a_folder_below_is_not_left_out_in_silence(folder, scripted, tmp_path, capsys):
    (folder / "a.py").write_text(GOOD)
    (folder / "ann").mkdir()
    (folder / "ann" / "net.py").write_text(GOOD)
    assert assess(folder, output=tmp_path) == 2
    assert capsys.readouterr().err.startswith("ann/net.py: in a folder below ")


def test_only_what_changed_is_assessed_where_that_is_asked_for(folder, scripted, tmp_path, capsys):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("old", "new", "gone"):
        (folder / f"{name}.py").write_text(GOOD)
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    (folder / "new.py").write_text(ALIKE)
    (folder / "gone.py").unlink()
    (folder / "é x.py").write_text(ALIKE)
    git("add", ".")
    git("commit", "-m", "second")
    assert assess(folder, "--changed-since", "HEAD^", output=tmp_path) == 0
    assert set(rows(tmp_path)) == {"new_Net", "é x_Net"}
    assert assess(folder, "--changed-since", "HEAD", output=tmp_path) == 0
    assert rows(tmp_path) == {}
    (folder / "ann").mkdir()
    (folder / "ann" / "net.py").write_text(GOOD)
    git("add", ".")
    assert assess(folder, "--changed-since", "HEAD", output=tmp_path) == 2
    assert "ann/net.py" in capsys.readouterr().err
    assert assess(folder, "--changed-since", "nowhere", output=tmp_path) == 2
    assert capsys.readouterr().err.startswith("--changed-since nowhere: fatal: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.py"], "'none.py' is not there; allowed: file.py:Class, file.py, or a folder of such files"),
        (["README.md"], "'README.md' is not there; allowed: file.py:Class"),
        (["best"], "'best' is not there"),
        (["data"], "data holds no submission; allowed: a folder of .py files"),
        (["notebooks/submissions", "--seeds", "1"], "seeds=1 is not allowed; allowed: a whole number ≥ 2"),
        (["notebooks/submissions", "--minutes", "-1"], "minutes=-1.0 is not allowed; allowed: a number > 0"),
        (
            ["notebooks/submissions", "--epochs", "99"],
            "epochs=99 is not allowed; allowed: a whole number ≥ 1 and < 20",
        ),
        (["notebooks/submissions", "--train-size", "1"], "train_size=1 is not allowed"),
        (["notebooks/submissions", "--output-dir", "README.md/x"], "output_dir='README.md/x' is not allowed"),
    ],
)
def test_bad_arguments_are_one_line_each(scripted, capsys, arguments, message):
    assert command.main(arguments) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


@pytest.mark.training
def test_files_that_run_are_looked_at_in_processes_of_their_own(folder, scripted, monkeypatch, tmp_path, capfd):
    def look(place, seconds, task, settings):
        # on a busy machine a good one may take long; an endless one is as endless after a few seconds
        return ask(place, 10 if "endless" in settings["model"] else 10 * seconds, task, settings=settings)

    monkeypatch.setattr(command, "ask", look)
    for name, text in {
        "a": GOOD + "\nprint('noise')\n",
        "crash": CRASHING,
        "endless": ENDLESS,
        "large": LARGE,
    }.items():
        (folder / f"{name}.py").write_text(text)
    assert assess(folder, output=tmp_path) == 4
    found = rows(tmp_path)
    assert found["a_Net"]["verdict"] == "not yet"
    assert "crash.py cannot be run: RuntimeError: out of | ideas <b>" in found["crash_Net"]["remark"]
    assert found["endless_Net"]["remark"] == "refused: stopped, its time of 10 seconds was over"
    assert "a rule is broken: fewer than 20,000 parameters: 46,614" in found["large_Net"]["remark"]
    assert "noise" not in capfd.readouterr().out


@pytest.mark.smoke
def test_the_executed_notebook_is_the_report(tmp_path):
    (tmp_path / "net.py").write_text(GOOD)
    arguments = ["--seeds", "2", "--train-size", "500", "--output-dir", str(tmp_path / "out"), f"{tmp_path}/net.py"]
    done = subprocess.run(
        [sys.executable, "-m", "mnist_helpers", "assess", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr + done.stdout
    out = tmp_path / "out" / "net_Net"
    notebook = nbformat.read(out / "report.ipynb", as_version=4)
    shown = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    for text in (
        "class Net(nn.Module)",
        "ok   fewer than 20,000 parameters: 1,554",
        "not yet: the mean's 95 % interval",
    ):
        assert text in shown
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 4
    assert "class Net" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "weights" / "seed_1" / "model.safetensors").exists()
    # a report that cannot be made says why
    (tmp_path / "net.py").write_text(GOOD.replace("return self.last", "assert not self.training; return self.last"))
    done = subprocess.run(
        [sys.executable, "-m", "mnist_helpers", "assess", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "refused: AssertionError" in done.stdout
