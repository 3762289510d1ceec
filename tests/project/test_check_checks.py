"""The check of the checks tells a mutation that is caught from one that survives, and is itself up to date."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from check_checks import MUTATIONS, ROOT, CheckError, Mutation, main, mutate, run

PLUS = Mutation("plus", "sums.py", "a + b", "a - b", ["tests/test_sums.py::test_add"])


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository of one helper with one test."""
    files = {
        "mnist_helpers/__init__.py": "",
        "mnist_helpers/sums.py": "# adds\ndef add(a, b):\n    return a + b\n",
        "tests/test_sums.py": "from mnist_helpers.sums import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_no_mutation_has_gone_stale(mutation):
    text = (ROOT / "mnist_helpers" / mutation.file).read_text(encoding="utf-8")
    broken = mutate(text, mutation)
    assert broken != text
    compile(broken, mutation.file, "exec")


def test_names_are_unique():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_a_stale_mutation_is_named():
    with pytest.raises(CheckError, match=r"plus has gone stale: sums\.py holds 'a \+ b' 2 times, not once"):
        mutate("a + b, a + b", PLUS)


def test_a_broken_helper_is_caught_and_a_broken_comment_survives(repository, capsys):
    before = (repository / "mnist_helpers" / "sums.py").read_text()
    assert run([PLUS, replace(PLUS, name="comment", old="# adds", new="# sums")], repository) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "plus"
    assert lines[0].endswith("s  tests/test_sums.py::test_add")
    assert lines[1].split()[0] == "comment"
    assert "SURVIVED" in lines[1]
    assert lines[2:] == ["1 of 2 caught"]
    assert (repository / "mnist_helpers" / "sums.py").read_text() == before


def test_a_check_that_is_red_anyway_or_not_there_proves_nothing(repository):
    with pytest.raises(CheckError, match="could not run"):
        run([replace(PLUS, checks=["tests/test_sums.py::test_subtract"])], repository)
    (repository / "mnist_helpers" / "sums.py").write_text("def add(a, b):\n    return a + b + 1\n")
    with pytest.raises(CheckError, match=r"red before anything is broken:\ntests/test_sums.py::test_add"):
        run([PLUS], repository)


def test_a_survivor_fails_the_command(repository, monkeypatch, capsys):
    monkeypatch.setattr("check_checks.MUTATIONS", [replace(PLUS, new="b + a")])
    monkeypatch.setattr("check_checks.run", lambda mutations: run(mutations, repository))
    assert main([]) == 1
    assert capsys.readouterr().out.endswith("0 of 1 caught\n")
    monkeypatch.setattr("check_checks.MUTATIONS", [PLUS])
    assert main([]) == 0
