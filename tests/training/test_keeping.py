"""A run has its folder to itself, says what it keeps when it is stopped, and goes on where it was made only."""

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from training.test_training import run, small_config

from mnist_helpers.data import Split
from mnist_helpers.files import WriteError
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.training import CheckpointError, FolderInUseError, Interrupted, describe_environment, train
from mnist_helpers.training import circumstances as where
from mnist_helpers.training.checkpoints import BEST, load_checkpoint, pack, save_checkpoint
from mnist_helpers.training.interruption import stopping, telling
from mnist_helpers.training.ownership import HOLDER_FILE, owned

CPU = torch.device("cpu")


@pytest.fixture
def few(mnist) -> Split:
    """Twenty digits to train on, ten to validate."""
    images, _ = mnist
    return Split(images.take(torch.arange(20)), images.take(torch.arange(20, 30)), None)


def test_the_second_run_in_a_folder_is_told_who_holds_it_and_leaves_it_as_it_is(tmp_path, few):
    folder = tmp_path / "out"
    holding = (
        "import sys, time; from pathlib import Path; from mnist_helpers.training.ownership import owned\n"
        f"with owned(Path({str(folder)!r})): print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, cwd=PROJECT_ROOT)
    try:
        assert holder.stdout.readline() == b"held\n"
        since = json.loads((folder / HOLDER_FILE).read_text())["since"]
        before = sorted(folder.iterdir())
        config = small_config(folder)
        with pytest.raises(FolderInUseError) as caught:
            train(config.build, few, config, show=False)
        assert f"(process {holder.pid} on {platform.node()}, since {since})" in str(caught.value)
        assert str(caught.value).endswith("end it, or give this run another output_dir")
        assert sorted(folder.iterdir()) == before
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with owned(folder):  # the lock ends with its process
        assert json.loads((folder / HOLDER_FILE).read_text())["process"] == os.getpid()
    assert not (folder / HOLDER_FILE).exists()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WriteError, match=r"file/out cannot be written to \(Not a directory\)"),
        owned(tmp_path / "file" / "out"),
    ):
        pass


@pytest.fixture
def heeded():
    """Signals as a terminal's programs find them: whoever starts the tests with nohup has SIGHUP ignored."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", None])
def test_whoever_stops_a_run_reads_one_line(name, monkeypatch, heeded):
    def work():
        with telling(lambda: "in epoch 2 of 3: epoch 1 is kept"):
            if name is None:
                raise KeyboardInterrupt
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(60)

    # as in a notebook, whose kernel lives on
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: 1))
    with pytest.raises(Interrupted) as caught:
        work()
    line = f"stopped by {name or 'an interrupt'} in epoch 2 of 3: epoch 1 is kept"
    assert caught.value._render_traceback_() == [line]
    assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping() as came:
            os.kill(os.getpid(), signal.SIGHUP)
        assert came == []
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


STOP = """
import os, signal
calls, step = [], training.train_step
def train_step(*arguments):
    calls.append(1)
    if len(calls) == 15:
        os.kill(os.getpid(), signal.{name})
    return step(*arguments)
training.train_step = train_step
"""


@pytest.mark.training
@pytest.mark.parametrize("name", ["SIGINT", pytest.param("SIGTERM", marks=pytest.mark.quick), "SIGHUP"])
def test_a_script_ends_by_the_signal_with_one_line_and_resumes(tmp_path, name):
    stopped = run(tmp_path, STOP.format(name=name))
    assert stopped.returncode == -getattr(signal, name)
    by = "an interrupt" if name == "SIGINT" else name
    assert stopped.stderr.splitlines() == [
        f"stopped by {by} in epoch 2 of 3: epoch 1 is kept in {tmp_path}/checkpoints; the same run with resume=True "
        "goes on from there"
    ]
    assert run(tmp_path, resume=True).returncode == 0


# after the room was checked
FILL = """
import resource
step = training.train_step
def train_step(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    return step(*arguments)
training.train_step = train_step
"""


@pytest.mark.training
def test_a_disk_that_fills_is_said_and_the_run_goes_on_when_there_is_room(tmp_path):
    full = run(tmp_path, FILL)
    assert full.returncode == 1
    last = full.stderr.splitlines()[-1]
    assert "best_model.pth cannot be written: File too large (" in last
    assert last.endswith("what was there before is as it was")
    assert [path for path in (tmp_path / "checkpoints").iterdir()] == []
    assert run(tmp_path, resume=True).returncode == 0


def elsewhere(**changes):
    """What another machine's describe_environment would say."""
    return lambda device: describe_environment(device).model_copy(update=changes)


CHANGES = {"threads": 99, "torch": "1.0", "sources": "0123456789abcdef", "device": "NVIDIA X", "cpu_capability": "Z"}


@pytest.mark.parametrize("name", CHANGES)
def test_other_circumstances_are_told_and_resumed_only_when_told_to(tmp_path, monkeypatch, few, name):
    config = small_config(tmp_path, model="compact_574", batch_size=10)
    with monkeypatch.context() as patch:
        patch.setattr("mnist_helpers.training.state.describe_environment", elsewhere(**{name: CHANGES[name]}))
        patch.setattr("mnist_helpers.training.state.TrainingState.last_is_best", lambda state: 1 / (2 - state.epoch))
        with pytest.raises(ZeroDivisionError):
            train(config.build, few, config, show=False)
    again = config.but(resume=True)
    now = getattr(describe_environment(CPU), name)
    told = re.escape(f"circumstances (now, then): {name}: {now}, {CHANGES[name]}. ")
    with pytest.raises(CheckpointError, match=told):
        train(again.build, few, again, show=False)
    anyway = config.but(resume="anyway")
    _, results = train(anyway.build, few, anyway, show=False)
    (stretch,) = results.earlier
    assert (stretch.last_epoch, getattr(stretch.environment, name)) == (1, CHANGES[name])
    assert getattr(results.environment, name) == now


def test_a_finished_run_is_read_again_anywhere_and_keeps_where_it_ran(tmp_path, monkeypatch, few):
    config = small_config(tmp_path, model="compact_574", batch_size=10)
    _, first = train(config.build, few, config, show=False)
    monkeypatch.setattr("mnist_helpers.training.state.describe_environment", elsewhere(threads=99))
    again = config.but(resume=True)
    _, second = train(again.build, few, again, show=False)
    assert (second.run, second.environment, second.earlier) == (first.run, first.environment, [])


def test_the_code_counts_as_it_was_when_the_process_began(monkeypatch):
    before = describe_environment(CPU).sources
    assert before == where.source_hash()
    monkeypatch.setattr(where, "source_hash", lambda: "changed on disk")
    assert describe_environment(CPU).sources == before


def test_every_bit_of_a_checkpoint_counts(tmp_path):
    state = {"epoch": 1, "model": {"weight": torch.arange(3.0)}}
    save_checkpoint(tmp_path, state, is_best=True)
    path = tmp_path / "epoch_01.pth"
    data = path.read_bytes()
    assert torch.equal(torch.load(path)["model"]["weight"], torch.arange(3.0))  # for everybody else torch's own file
    unseen = []
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        with contextlib.suppress(CheckpointError):
            load_checkpoint(path)
            unseen.append(place)
    assert unseen == []


def test_a_checkpoint_of_another_epoch_than_its_name_says_is_refused(tmp_path):
    (tmp_path / "epoch_02.pth").write_bytes(pack({"epoch": 1}))
    with pytest.raises(CheckpointError, match=r"epoch_02\.pth in .* \(it is of epoch 1\)"):
        load_checkpoint(tmp_path / "epoch_02.pth")
    (tmp_path / BEST).write_bytes(pack({"epoch": 1}))
    assert load_checkpoint(tmp_path / BEST) == {"epoch": 1}
