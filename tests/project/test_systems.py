"""What other systems do differently, simulated: folders that do not open, modules that are not there, other paths."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import PureWindowsPath
from types import SimpleNamespace

import psutil
import pytest
import yaml

from mnist_helpers import commands, paths
from mnist_helpers.__main__ import COMMANDS, main
from mnist_helpers.benchmarks.growth import peak_memory
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.training import progress

POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
WORKFLOW = yaml.safe_load((PROJECT_ROOT / ".github" / "workflows" / "systems.yml").read_text(encoding="utf-8"))


def test_a_folder_that_cannot_be_opened_costs_the_guarantee_and_not_the_file(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    write_text_atomically(tmp_path / "results.json", "{}\n")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("results.json", b"{}\n")]


def test_no_module_needs_what_only_posix_has_to_be_imported():
    for path in (PROJECT_ROOT / "mnist_helpers").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
                assert not {str(name).split(".")[0] for name in names} & POSIX_ONLY, path


def test_text_is_read_and_written_as_utf_8_whatever_the_system_takes_for_granted():
    for path in (PROJECT_ROOT / "mnist_helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("read_text", "write_text"):
                assert "encoding" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"


def test_the_memory_that_was_held_is_known_on_windows_too(monkeypatch):
    here = peak_memory()
    assert here > 2**20
    held = SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=123))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(psutil, "Process", lambda: held)
    assert peak_memory() == 123


def test_where_processes_have_no_terminal_there_is_no_bar_in_one(monkeypatch):
    without = SimpleNamespace(cmdline=lambda: ["python", "-m", "papermill"])
    monkeypatch.setattr(psutil, "Process", lambda pid: without)
    assert progress._papermill_terminal() is None


def test_a_path_is_shown_alike_on_every_system(monkeypatch):
    monkeypatch.setattr(paths, "PROJECT_ROOT", PureWindowsPath("C:/course"))
    monkeypatch.setattr(paths, "resolve", PureWindowsPath)
    assert paths.display_path("C:/course/outputs/own/run") == "outputs/own/run"
    assert paths.display_path("D:/elsewhere") == "D:\\elsewhere"


def dry(*arguments):
    command = ["make", "--dry-run", "--always-make", *arguments]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_finds_the_environment_where_each_system_has_it():
    assert ".venv/bin/python -m mnist_helpers train" in dry("train", "OS=")
    windows = dry("train", "OS=Windows_NT")
    assert ".venv/Scripts/python -m mnist_helpers train" in windows
    assert ".venv/bin" not in windows


@pytest.fixture
def setup(tmp_path):
    """A copy of the Makefile, and a Python in a folder with a space that only keeps what it is asked."""
    folder = tmp_path / "course"
    folder.mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        (folder / name).touch()
    shutil.copy(PROJECT_ROOT / "Makefile", folder)
    python = tmp_path / "Program Files" / "python3"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\ncase "$1$2" in\n-c*) exec "$REAL" -c "$VERSION$2" ;;\n'
        '-mvenv) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;\nesac\necho "$*" >> asked\n'
    )
    python.chmod(0o755)

    def call(version=(3, 13), folder=folder, **options):
        (folder / "asked").write_text("")
        faked = f"import sys; sys.version_info = {version}\n"
        command = ["make", "setup", f"PYTHON={python}", *(f"{name}={value}" for name, value in options.items())]
        environment = os.environ | {"REAL": sys.executable, "VERSION": faked}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        return done, (folder / "asked").read_text().splitlines()

    return call, folder


def test_an_environment_is_made_once_by_a_python_in_any_folder(setup):
    call, _ = setup
    assert call()[1] == ["-m venv --clear .venv", "-m pip install --quiet --requirement requirements.txt"]
    assert call()[1] == []


def test_another_index_is_asked_too(setup):
    index = "https://packages.example.org/whl/cpu"
    asked = setup[0](INDEX=index)[1]
    assert asked[-1] == f"-m pip install --quiet --extra-index-url {index} --requirement requirements.txt"


def test_an_old_python_is_refused_before_anything_is_made(setup):
    call, folder = setup
    done, asked = call(version=(3, 10))
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed, this is 3.10" in done.stderr
    assert asked == []
    assert not (folder / ".venv").exists()


def test_after_a_move_and_after_a_making_cut_short_it_is_made_anew(setup):
    call, folder = setup
    call()
    moved = folder.rename(folder.with_name("moved"))
    assert call(folder=moved)[1][0] == "-m venv --clear .venv"
    assert call(folder=moved)[1] == []
    (moved / ".venv" / ".ready").unlink()
    assert call(folder=moved)[1][0] == "-m venv --clear .venv"
    # new requirements are installed into what is there
    os.utime(moved / "requirements.txt", (2**32, 2**32))
    assert call(folder=moved)[1][0] == "-m venv .venv"


@pytest.mark.parametrize("status", [0, 3])
def test_training_is_one_command_on_every_system(status, monkeypatch, tmp_path):
    ran, filed = [], []

    def run(command, env):
        ran.append((command, env))
        return SimpleNamespace(returncode=status)

    monkeypatch.setattr(commands.subprocess, "run", run)
    monkeypatch.setattr(commands.runs, "OWN", str(tmp_path / "own"))
    monkeypatch.setattr(commands.runs, "file_product", lambda product: filed.append(product.name) or tmp_path)
    monkeypatch.setattr(commands.runs, "show", filed.append)
    assert main(["train", "-p", "seed", "1", "-p", "max_lr", "0.1", "-y", "{epochs: 2}"]) == status
    ((command, environment),) = ran
    assert command[:3] == [sys.executable, "-m", "papermill"]
    assert command[-8:] == ["-p", "seed", "1", "-p", "max_lr", "0.1", "-y", "{epochs: 2}"]
    assert (environment["MPLBACKEND"], environment["JUPYTER_PATH"], environment["JUPYTER_PREFER_ENV_PATH"]) == (
        "",
        "",
        "1",
    )
    assert filed == ([] if status else ["running.ipynb", tmp_path])


def test_three_systems_the_oldest_and_the_newest_python_run_the_commands_without_make():
    (job,) = WORKFLOW["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "windows", "macos"}
    project = (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert matrix["python"][0] == re.search(r'requires-python = ">=(.+)"', project)[1]
    assert len(matrix["python"]) == 2
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    assert not [line for line in lines if re.match(r"\s*make\b", line)]
    called = {line.split("-m mnist_helpers ")[1].split()[0] for line in lines if "-m mnist_helpers" in line}
    assert called <= set(COMMANDS)
    assert {"environment", "check-model", "train", "view-results"} <= called
    assert WORKFLOW["permissions"] == {"contents": "read"}
