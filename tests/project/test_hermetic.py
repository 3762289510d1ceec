"""No test can change what the project keeps, and none hangs on how busy the machine is."""

import os
import re
import shutil
from pathlib import Path

import pytest
from guard import OUTPUTS, WritesIntoOutputs, snapshot
from hypothesis import settings

from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import make_config, read_results, write_results
from mnist_helpers.sweeps import read_study

# where there is nothing: a guard that is broken must not cost a record
NOTHING = OUTPUTS / "nothing"


@pytest.mark.parametrize(
    "write",
    [
        lambda: NOTHING.write_text(""),
        lambda: os.open(NOTHING, os.O_WRONLY),
        lambda: (OUTPUTS / "ledger.json").open("r+").close(),
        lambda: NOTHING.unlink(),
        lambda: (OUTPUTS / "own" / "nothing").mkdir(parents=True),
        lambda: shutil.rmtree(NOTHING),
        lambda: os.replace(NOTHING, NOTHING / "x"),
        lambda: write_text_atomically(NOTHING, "{}"),
        lambda: write_results(read_results(), OUTPUTS),
    ],
)
def test_a_write_into_the_outputs_is_stopped_before_it_happens(write):
    before = snapshot()
    with pytest.raises(WritesIntoOutputs):
        write()
    assert snapshot() == before


def test_what_a_test_moves_into_the_outputs_is_stopped(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(WritesIntoOutputs):
        os.replace(tmp_path / "x", NOTHING)
    assert (tmp_path / "x").exists()


def test_a_folder_of_that_name_elsewhere_is_not_guarded(tmp_path, monkeypatch):
    """Python takes a tree away name by name, each from an open folder: where the process stands says nothing."""
    monkeypatch.chdir(PROJECT_ROOT)
    (tmp_path / "outputs" / "own").mkdir(parents=True)
    (tmp_path / "outputs" / "ledger.json").write_text("")
    shutil.rmtree(tmp_path / "outputs")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="an open folder's path is not to be known here")
def test_and_the_one_that_is_is_guarded_from_an_open_folder():
    folder = os.open(OUTPUTS, os.O_RDONLY)
    try:
        with pytest.raises(WritesIntoOutputs):
            os.unlink("nothing", dir_fd=folder)
        with pytest.raises(WritesIntoOutputs):
            os.mkdir("nothing", dir_fd=folder)
    finally:
        os.close(folder)


def test_records_are_read_as_ever_and_a_run_without_a_folder_has_one_of_the_tests():
    assert read_study("final").runs
    folder = make_config().output_folder()
    assert folder.is_dir()
    assert not folder.is_relative_to(PROJECT_ROOT)


def test_no_test_has_a_deadline_of_its_own():
    assert settings().deadline is None
    here = Path(__file__)
    for path in PROJECT_ROOT.joinpath("tests").rglob("*.py"):
        if path != here:
            assert set(re.findall(r"deadline=(\w+)", path.read_text(encoding="utf-8"))) <= {"None"}, path
