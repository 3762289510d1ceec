"""The code's hash covers whole rooms, and the commit is this project's."""

import re
import subprocess
from shutil import copytree

import pytest

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sweeps import study
from mnist_helpers.sweeps.study import PACKAGE, code_version
from mnist_helpers.training import DECIDING, source_hash

ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.fixture
def copy(tmp_path):
    return copytree(PACKAGE, tmp_path / PACKAGE.name)


def test_a_run_is_trained_by_the_rooms_that_count():
    assert set(DECIDING) < set(ROOMS)
    code = (PACKAGE / "sweeps" / "engines.py").read_text(encoding="utf-8")
    used = set(re.findall(r"from mnist_helpers\.(\w+)[. ]", code))
    assert used & set(ROOMS) - {"sweeps"} <= set(DECIDING)


@pytest.mark.parametrize("room", ROOMS)
def test_the_code_hash_follows_every_module_of_a_deciding_room_and_no_other(copy, room):
    assert source_hash(copy) == source_hash()
    for path in sorted((copy / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\nx = 1\n", encoding="utf-8")
        assert (source_hash(copy) != source_hash()) == (room in DECIDING), path
        path.write_text(text, encoding="utf-8")
    (copy / room / "one_more.py").write_text("x = 1\n")
    assert (source_hash(copy) != source_hash()) == (room in DECIDING)


def test_a_line_that_moves_to_another_module_is_seen(copy):
    first, second = (copy / "training" / name for name in ("hooks.py", "loop.py"))
    first.write_text("a = 1\n")
    second.write_text("b = 1\n")
    before = source_hash(copy)
    first.write_text("")
    second.write_text("a = 1\nb = 1\n")
    assert source_hash(copy) != before


def test_modules_outside_rooms_do_not_count(copy):
    for path in copy.glob("*.py"):
        path.write_text("x = 1\n")
    assert source_hash(copy) == source_hash()


def test_the_commit_is_this_projects_and_dirty_when_a_helper_is(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "PACKAGE", tmp_path / "mnist_helpers")
    copytree(PROJECT_ROOT / "mnist_helpers", tmp_path / "mnist_helpers")
    subprocess.run(["git", "init", "--quiet", "."], cwd=tmp_path, check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x"]
    assert code_version().commit is None  # nothing committed yet
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "x"], cwd=tmp_path, check=True)
    assert re.fullmatch("[0-9a-f]{40}", code_version().commit)
    (tmp_path / "a_record.json").write_text("{}")
    assert code_version().dirty is False
    (tmp_path / "mnist_helpers" / "paths.py").write_text("")
    assert code_version().dirty is True
    (tmp_path / "inside").mkdir()
    monkeypatch.setattr(study, "PACKAGE", tmp_path / "inside" / "mnist_helpers")
    assert code_version().commit is None
