"""Room and leave to write are found missing before a run, not after it."""

import errno
import io
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from mnist_helpers.data import Images
from mnist_helpers.networks import WEIGHTS_FILE
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.runs import NOTEBOOK, PUBLISHED, ConfigError, make_config, places, save_weights
from mnist_helpers.runs.places import PRODUCTS, RESULTS_FILE, RUN_FIGURES, bytes_written
from mnist_helpers.training import KEEP, start

try:
    import resource
except ImportError:  # Windows
    resource = None

MODELS = ("final", "baseline", "fast", "best", "tiny", "compact_shared", "looped_14", "looped_views")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("others", [{}, {"optimizer": "adamw", "averaging": 0.9}])
def test_the_room_asked_for_is_what_a_run_takes(model, others, tmp_path):
    """At least what six checkpoints and one in the making take, and not much more."""
    config = make_config(model=model, output_dir=str(tmp_path), teacher=None, whitened=False, device="cpu", **others)
    images = Images(torch.zeros(4, 28, 28, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    state = start(config.build, images, config)
    for parameter in state.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    state.optimizer.step()
    stream = io.BytesIO()
    torch.save(state.snapshot(), stream)
    weights = save_weights(state.kept(), config, tmp_path).stat().st_size
    asked = bytes_written(config, state.network, averaged=config.averaging > 0) - PRODUCTS
    history = 10_000  # of nineteen epochs, in each
    assert asked >= (KEEP + 2) * (len(stream.getvalue()) + history) + weights - 2_000
    shared = model.startswith("looped") or model == "compact_shared"  # one tensor under several names, kept once
    assert asked <= (9 if shared else 2) * ((KEEP + 2) * (len(stream.getvalue()) + 2 * history) + weights)


def test_what_is_left_besides_checkpoints_fits_what_is_asked_for():
    folders = {name: resolve(PUBLISHED) for name in (RESULTS_FILE, NOTEBOOK)}
    folders |= {name: resolve("outputs/figures") for name in RUN_FIGURES}
    taken = sum((folder / name).stat().st_size for name, folder in folders.items())
    assert PRODUCTS / 4 < taken < PRODUCTS


def out_of(code: int):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_before_the_training(tmp_path, monkeypatch, code):
    monkeypatch.setattr(places.os, "posix_fallocate", out_of(code), raising=False)
    with pytest.raises(ConfigError, match=r"output_dir=.*allowed: a place with 2\.6 MB free"):
        make_config(output_dir=str(tmp_path / "new"))
    assert not list((tmp_path / "new").iterdir())


@pytest.fixture
def two_megabytes():
    """A real limit, of a file's size: what reserves nothing does not notice."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.skipif(resource is None, reason="limits of this kind are POSIX's")
def test_a_disk_without_room_is_found_by_taking_it(tmp_path, two_megabytes):
    with pytest.raises(ConfigError, match=r"output_dir=.*\(File too large\)"):
        make_config(output_dir=str(tmp_path))
    make_config(model="compact_574", output_dir=str(tmp_path))  # which has less to write


def test_a_larger_network_asks_for_more_and_a_resumed_run_for_less(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(places.os, "posix_fallocate", lambda *given: asked.append(given[2]), raising=False)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "epoch_01.pth").write_bytes(bytes(170_000))
    for changes in ({"model": "tiny"}, {}, {"model": "baseline"}, {"resume": True}):
        make_config(output_dir=str(tmp_path), **changes)
    assert asked[0] < asked[1] < asked[2] / 20
    assert asked[3] == asked[1] - 170_000


@pytest.mark.parametrize("name", [RESULTS_FILE, WEIGHTS_FILE, NOTEBOOK, *RUN_FIGURES])
def test_a_file_that_cannot_be_replaced_in_the_end_is_said_in_the_beginning(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match=rf"output_dir=.*{re.escape(name)} in it: Is a directory"):
        make_config(output_dir=str(tmp_path))


def test_files_of_an_earlier_run_are_as_they_were(tmp_path):
    for name in (RESULTS_FILE, WEIGHTS_FILE, NOTEBOOK, *RUN_FIGURES):
        (tmp_path / name).write_text("earlier")
    make_config(output_dir=str(tmp_path))
    assert {path.read_text() for path in tmp_path.iterdir()} == {"earlier"}


def test_a_file_in_the_checkpoints_place_is_said(tmp_path):
    (tmp_path / "checkpoints").touch()
    with pytest.raises(ConfigError, match=r"output_dir=.*checkpoints in it: Not a directory"):
        make_config(output_dir=str(tmp_path))


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="needs root, to mount a small disk",
)
def test_a_disk_of_another_size_is_enough_or_is_said(tmp_path):
    """A real file system in memory: full, too small, and large enough."""
    code = f"""
import subprocess
from mnist_helpers.runs import ConfigError, make_config
for options in ("size=1M", "remount,size=8M"):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", {str(tmp_path)!r}], check=True)
    try:
        print(make_config(output_dir={str(tmp_path)!r}).model)
    except ConfigError as error:
        print(error)
"""
    command = ["unshare", "-m", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("no mounting here")
    small, large = done.stdout.splitlines()
    assert small.endswith("(No space left on device); allowed: a place with 2.6 MB free")
    assert large == "final"
