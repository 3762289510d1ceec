"""The tool that changes places of the modules that decide numbers tells a killed mutant from a survivor."""

import json
from pathlib import Path
from shutil import copytree

import pytest
from mutants import DECIDING, DRAWN, RECORD, Mutant, draw, meeting, places, survivors

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.records import unseal

SUMS = "def add(a, b):\n    return a + b\n\n\ndef plot_sum(a, b):\n    return 2 * a\n"


@pytest.fixture
def repository(tmp_path) -> Path:
    """A project of one module with one test, and what coverage would say of it."""
    files = {
        "mnist_helpers/__init__.py": "",
        "mnist_helpers/sums.py": SUMS,
        "tests/test_sums.py": "from mnist_helpers.sums import add\n\n\ndef test_add():\n    assert add(2, 2) == 4\n",
        ".git": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_place_is_drawn_once_and_pictures_never():
    pytest.importorskip("cosmic_ray")
    found = places("sums.py", SUMS)
    assert {line for line, _ in found} == {2}
    drawn = draw({"sums.py": SUMS}, 9, seed=1)
    assert drawn == draw({"sums.py": SUMS}, 9, seed=1)
    assert len(drawn) == len(found)


def test_what_the_tests_notice_is_killed_and_what_they_do_not_survives(repository, monkeypatch):
    pytest.importorskip("cosmic_ray")
    monkeypatch.setattr("mutants.copy_repository", copytree)
    found = {
        "tests": {"sums.py": {"1": [""], "2": ["tests/test_sums.py::test_add"]}},
        "seconds": {"tests/test_sums.py::test_add": 0.1},
        "red": [],
    }
    code = "return a + b"
    minus, times = (
        Mutant("sums.py", 2, code, f"core/ReplaceBinaryOperator_Add_{name}", 0) for name in ("Sub", "Mul")
    )
    assert meeting(minus, SUMS, found) == ["tests/test_sums.py::test_add"]
    assert survivors([minus, times], repository, found, workers=1) == [times]  # 2 × 2 is 4, too


def test_of_ten_mutants_nine_are_killed_and_somebody_has_looked_at_the_others():
    record = json.loads(unseal(RECORD.read_bytes()))
    assert record["drawn"] == DRAWN == sum(module["drawn"] for module in record["modules"].values())
    assert record["killed"] == record["drawn"] - len(record["survivors"]) >= 0.9 * record["drawn"]
    assert record["branches"] >= 0.95
    assert [one["code"] for one in record["survivors"] if not one["why"]] == []
    assert tuple(record["modules"]) == DECIDING
    assert all((PROJECT_ROOT / "mnist_helpers" / file).is_file() for file in DECIDING)
