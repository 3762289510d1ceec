"""The notebook of the assignment takes what `make assess` gives it, and its own example is one that may be run."""

import json
import re
import subprocess

import nbformat
import pytest

from mnist_helpers.assessment import command, make_submission
from mnist_helpers.paths import resolve


@pytest.fixture(scope="module")
def notebook():
    (path,) = resolve("notebooks").glob(command.NOTEBOOK)
    return nbformat.read(path, as_version=4)


def parameters(notebook) -> dict:
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = [re.fullmatch(r"(\w+): (\w+) = (.+?)  # (.+)", line) for line in cell.source.splitlines()]
    assert all(lines), "every parameter is typed and commented"
    return {line.group(1): eval(line.group(3)) for line in lines}


def test_its_example_is_a_submission(notebook, tmp_path):
    given = parameters(notebook)
    submission = make_submission(**given | {"output_dir": str(tmp_path)})
    assert submission.changes == {"epochs": given["epochs"], "train_size": given["train_size"]}
    assert len(submission.seeds) == 5
    assert given["output_dir"].startswith("outputs/own/")  # which git ignores


def test_the_command_chooses_all_of_its_parameters(notebook, tmp_path, monkeypatch):
    calls = []

    def run(arguments, **_):
        calls.append(arguments)
        return subprocess.CompletedProcess(arguments, 1, "", "one\ntwo\n")

    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(
        command, "ask", lambda *_, **__: {"broken": "", "parameters": 1, "epochs": 1, "layers": [], "seconds": 1.0}
    )
    status = command.main(["notebooks/submissions/only_dense.py", "--output-dir", str(tmp_path)])
    assert status == 4  # papermill's last word is the reason
    (arguments,) = calls
    given = json.loads(arguments[arguments.index("-y") + 1])
    assert set(given) == set(parameters(notebook))
    assert (given["epochs"], given["train_size"]) == (None, None)


def test_code_cells_are_short(notebook):
    assert all(len(cell.source.splitlines()) <= 15 for cell in notebook.cells if cell.cell_type == "code")
