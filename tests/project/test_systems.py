"""What other systems do differently, simulated: folders that do not open, modules that are not there, other paths."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import PureWindowsPath
from types import SimpleNamespace

import nbformat
import psutil
import pytest
import yaml
from nbclient import NotebookClient

from mnist_helpers import commands, paths
from mnist_helpers.__main__ import COMMANDS, main
from mnist_helpers.benchmarks.growth import peak_memory
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sweeps import study
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

    def execute(command, environment, product):
        ran.append((command, environment))
        return status

    monkeypatch.setattr(commands.runs, "execute", execute)
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
    assert filed == ([] if status else [f"running.{os.getpid()}.ipynb", tmp_path])


def test_makes_kernels_are_the_environments_own_whatever_the_callers_shell_has_set(tmp_path):
    """JupyterLab's, nbval's and the tests' as well as papermill's: every recipe gets these."""
    makefile = f"include {PROJECT_ROOT}/Makefile\nshown: ; @env\n"
    foreign = {"MPLBACKEND": "Agg", "JUPYTER_PATH": str(tmp_path), "JUPYTER_PREFER_ENV_PATH": "0"}
    command = ["make", "--file", "-", "shown"]
    done = subprocess.run(
        command, input=makefile, env=os.environ | foreign, capture_output=True, text=True, check=True
    )
    assert {"MPLBACKEND=", "JUPYTER_PATH=", "JUPYTER_PREFER_ENV_PATH=1"} <= set(done.stdout.splitlines())


@pytest.mark.smoke
@pytest.mark.parametrize("backend", ["Agg", "TkAgg", ""])
def test_a_notebook_shows_its_figures_whatever_the_variable_says(backend, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    cell = nbformat.v4.new_code_cell("from mnist_helpers import looking\nfigure, axis = looking.panels(2)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": PROJECT_ROOT}}).execute()
    assert ["image/png" in output.data for output in notebook.cells[0].outputs] == [True]


def test_the_package_needs_what_requirements_txt_pins(tmp_path):
    for name in ("pyproject.toml", "setup.py", "requirements.txt"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    build = "import setuptools.build_meta as build; print(build.prepare_metadata_for_build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.glob("*.dist-info")
    needed = [need for need in PathDistribution(folder).requires if ";" not in need]
    assert [*needed, "-e ."] == (PROJECT_ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.smoke
def test_without_a_clone_data_and_outputs_are_below_the_current_folder_and_a_line_says_so(tmp_path):
    site, here = tmp_path / "site", tmp_path / "here"
    shutil.copytree(
        PROJECT_ROOT / "mnist_helpers", site / "mnist_helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    (site / "mnist_helpers-0.1.0.dist-info").mkdir()
    here.mkdir()
    command = [sys.executable, "-m", "mnist_helpers", "view-results"]
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
    first, second = done.stderr.splitlines()
    assert first == f"without a clone of the project: data and outputs are below {here}"
    assert "outputs/published/results.json is not there" in second
    code = (
        "from mnist_helpers.paths import resolve; from mnist_helpers.sweeps.study import code_version, source_hash\n"
    )
    code += "print(resolve('data')); print(code_version().commit); print(source_hash())"
    subprocess.run(["git", "init", "--quiet"], cwd=here, check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "-m", "x"], cwd=here, check=True)
    done = subprocess.run([sys.executable, "-c", code], cwd=here, env=environment, capture_output=True, text=True)
    # the code's version is the package's, not that of the repository one stands in
    assert done.stdout.splitlines() == [str(here / "data"), "None", study.source_hash()], done.stderr


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
