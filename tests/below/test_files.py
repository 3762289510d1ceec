"""Files are whole or not there; what dead processes left of them goes, what living ones are writing stays."""

import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers import files
from mnist_helpers.data import archives
from mnist_helpers.files import (
    FOREIGN_SECONDS,
    WriteError,
    remove_partials,
    write_atomically,
    write_text_atomically,
    write_together,
)
from mnist_helpers.paths import PROJECT_ROOT

resource = pytest.importorskip("resource", reason="limits a file's size")

WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from mnist_helpers.files import write_atomically

def write(stream):
    stream.write(b"half")
    stream.flush()
    print("writing", flush=True)
    time.sleep(600)

write_atomically(Path(sys.argv[1]), write)
"""


@pytest.fixture
def writer(tmp_path):
    """A process that is in the middle of writing `slow [1].json`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, str(tmp_path / "slow [1].json")],
        stdout=subprocess.PIPE,
        cwd=PROJECT_ROOT,
    )
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_a_living_process_is_writing_stays_and_goes_once_it_is_dead(tmp_path, writer):
    (before,) = tmp_path.iterdir()
    for _ in range(2):
        remove_partials(tmp_path)
    assert list(tmp_path.iterdir()) == [before]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    write_text_atomically(tmp_path / "another.json", "")  # of another name: not its business
    assert before.exists()
    write_text_atomically(tmp_path / "slow [1].json", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another.json", "slow [1].json"]


def test_a_number_given_to_another_process_since_is_not_taken_for_the_writer(tmp_path):
    left = tmp_path / f"a.json.{files._machine()}.{os.getpid()}.partial"
    left.write_text("half")
    remove_partials(tmp_path)
    assert left.exists()  # this process might be writing it
    os.utime(left, (1, 1))  # before this process began
    remove_partials(tmp_path)
    assert not left.exists()


def test_another_machines_partial_files_stay_for_a_day(tmp_path):
    left = tmp_path / "a.json.elsewhere.1.partial"
    left.write_text("half")
    remove_partials(tmp_path)
    assert left.exists()
    old = time.time() - FOREIGN_SECONDS - 1
    os.utime(left, (old, old))
    remove_partials(tmp_path)
    assert not left.exists()


def test_a_killed_extraction_leaves_nothing_once_the_data_are_used_again(tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = raw / f"t10k-images-idx3-ubyte.{files._machine()}.{gone.stdout.strip()}.partial"
    left.write_bytes(b"half")
    monkeypatch.setattr(archives, "_download", lambda *_: (_ for _ in ()).throw(OSError(errno.EROFS, "read only")))
    archives.prepare_raw_folder(tmp_path)
    assert not left.exists()


def refuse(stream):
    stream.write(b"half")
    raise OSError(errno.ENOSPC, "raw words of a library")


@pytest.mark.parametrize("content", [refuse, b"x" * 5_000_000])
def test_a_full_disk_is_said_with_file_and_space_and_the_old_file_stays(tmp_path, content):
    path = tmp_path / "results.json"
    write_text_atomically(path, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(WriteError) as caught:
            write_atomically(path, content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    reason = os.strerror(caught.value.errno)
    count = "4 bytes were written" if content is refuse else "5,000,000 bytes are needed"
    assert f"results.json cannot be written: {reason} ({count}, " in str(caught.value)
    assert str(caught.value).endswith(" are free); what was there before is as it was")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("results.json", "old")]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(WriteError, match=r"gone/a\.json cannot be written: No such file or directory"):
        write_text_atomically(tmp_path / "gone" / "a.json", "")


@given(failing=st.integers(0, 3), count=st.integers(1, 3))
def test_of_files_that_belong_together_all_are_new_or_none(tmp_path_factory, failing, count):
    folder = tmp_path_factory.mktemp("together")
    paths = [folder / f"{number}.txt" for number in range(count)]
    write_together({path: b"old" for path in paths})

    def write(number, stream):
        stream.write(b"new")
        if number == failing:
            raise KeyboardInterrupt

    contents = {path: partial(write, number) for number, path in enumerate(paths)}
    if failing < count:
        with pytest.raises(KeyboardInterrupt):
            write_together(contents)
    else:
        write_together(contents)
    assert {path.read_bytes() for path in paths} == {b"old" if failing < count else b"new"}
    assert sorted(folder.iterdir()) == paths
