"""Badges and the cell for Colab: in every notebook while there is an address, in none without; the cell in action."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from copy import deepcopy

import nbformat
import pytest

from mnist_helpers import paths
from mnist_helpers.__main__ import main
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sharing import badges, repository
from mnist_helpers.sharing.badges import CELL, set_badges

NOTEBOOKS = sorted(
    path.relative_to(PROJECT_ROOT).as_posix()
    for folder in ("notebooks", "notebooks/solutions")
    for path in (PROJECT_ROOT / folder).glob("[0-9][0-9]_*.ipynb")
)
ONLINE = "https://github.com/someone/course"
# a Python that does not know the course, with or without Colab's module; it keeps what it would ask pip for
ELSEWHERE = """
import importlib.util, json, subprocess, sys, types
root, colab, source = sys.argv[1:]
sys.path[:] = [path for path in sys.path if path not in ("", root)]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
if colab == "colab":
    sys.modules["google.colab"] = types.ModuleType("google.colab")
asked, run = [], subprocess.run
subprocess.run = lambda command, **options: asked.append(command) if "pip" in command else run(command, **options)
for _ in range(2):
    exec(source)
found = importlib.util.find_spec("mnist_helpers")
print(json.dumps([found and found.origin, asked]))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Copy what the command needs into a folder of its own, where it finds itself from now on."""
    root = tmp_path / "course"
    for name in ("mnist_helpers", "notebooks"):
        shutil.copytree(PROJECT_ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / name, root)
    for module in (paths, badges):
        monkeypatch.setattr(module, "PROJECT_ROOT", root)
    return root


def write_badges(root, address=""):
    """Give the project an address and run the command there; return every notebook's bytes."""
    pyproject = root / "pyproject.toml"
    text = re.sub(r'\n\[project\.urls\]\nrepository = ".*"\n', "", pyproject.read_text(encoding="utf-8"))
    urls = f'\n[project.urls]\nrepository = "{address}"\n' if address else ""
    pyproject.write_text(text + urls, encoding="utf-8")
    assert repository() == address
    assert main(["badges"]) == 0
    return {name: (root / name).read_bytes() for name in NOTEBOOKS}


def run_elsewhere(source, folder, colab):
    folder.mkdir()
    command = [sys.executable, "-c", ELSEWHERE, str(PROJECT_ROOT), colab, source]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_address_brings_badges_and_a_cell_to_every_notebook_and_they_go_with_it(project):
    before = write_badges(project)
    online = write_badges(project, ONLINE)
    for name, text in online.items():
        notebook = nbformat.reads(text.decode(), as_version=4)
        nbformat.validate(notebook)
        title, cell = notebook.cells[:2]
        assert f"(https://colab.research.google.com/github/someone/course/blob/main/{name})" in title.source
        assert f"(https://mybinder.org/v2/gh/someone/course/main?labpath={name})" in title.source
        assert cell.id == CELL
        assert ONLINE in cell.source
        ran = [part for part in nbformat.reads(before[name].decode(), as_version=4).cells if part.cell_type == "code"]
        counts = [part.execution_count and part.execution_count + 1 for part in ran]
        assert [part.execution_count for part in notebook.cells if part.cell_type == "code"] == [1, *counts]
    assert write_badges(project, ONLINE) == online  # a second time changes nothing
    assert ONLINE not in str(write_badges(project, "https://github.com/another/name"))
    assert write_badges(project) == before
    assert not any(b"colab.research" in text for text in before.values())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebooks_are_as_the_command_leaves_them(name):
    notebook = nbformat.read(PROJECT_ROOT / name, as_version=4)
    before = deepcopy(notebook)
    set_badges(notebook, name, repository())
    assert notebook == before, "run: make badges"


def test_the_cell_fetches_the_course_on_colab_and_does_nothing_elsewhere(project, tmp_path):
    with (project / "requirements.txt").open("a") as requirements:
        requirements.write("not-there-yet==1.0\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for command in (
        ["init"],
        ["add", "mnist_helpers", "requirements.txt", "pyproject.toml"],
        ["commit", "-m", "all"],
    ):
        subprocess.run([*git, *command], cwd=project, check=True, capture_output=True)
    write_badges(project, project.as_uri())
    source = nbformat.read(project / NOTEBOOKS[0], as_version=4).cells[1].source

    origin, asked = run_elsewhere(source, tmp_path / "content", "colab")
    assert origin == str(tmp_path / "content" / "mnist_under_20k" / "mnist_helpers" / "__init__.py")
    # what is missing, once: the second time the course is at hand
    assert [command[1:] for command in asked] == [["-m", "pip", "install", "--quiet", "not-there-yet==1.0"]]

    assert run_elsewhere(source, tmp_path / "desk", "home") == [None, []]
    assert list((tmp_path / "desk").iterdir()) == []


def test_where_the_course_is_at_hand_the_cell_does_nothing_on_colab_too(tmp_path, monkeypatch):
    notebook = nbformat.read(PROJECT_ROOT / NOTEBOOKS[0], as_version=4)
    set_badges(notebook, NOTEBOOKS[0], "file:///nowhere")
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.chdir(tmp_path)
    exec(notebook.cells[1].source, {})
    assert list(tmp_path.iterdir()) == []


def test_binder_installs_the_courses_packages_on_a_python_it_may_have():
    folder = PROJECT_ROOT / ".binder"
    *_, line = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert (folder / line.removeprefix("--requirement ")).resolve() == PROJECT_ROOT / "requirements.txt"
    metadata = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (folder / "runtime.txt").read_text(encoding="utf-8") == metadata["requires-python"].replace(
        ">=", "python-"
    ) + "\n"
