"""A sweep on a Ray cluster: what travels, and what happens when driver, node or cluster is gone."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sweeps.scripted import PLAN, files, start, wait_for

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps import cluster
from mnist_helpers.sweeps.cluster import ClusterError, cluster_engine, pack
from mnist_helpers.sweeps.sweep import run_sweep


def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=re.escape("run: pip install -e .[cluster]")):
        cluster_engine("auto")


def test_a_network_outside_the_project_is_refused_in_words(tmp_path):
    outside = RunConfig(model=f"{tmp_path}/net.py:Net")
    with pytest.raises(
        ClusterError, match=r"net\.py is outside the project and does not travel to a cluster; copy it"
    ):
        pack([RunConfig(), outside], tmp_path / "packed")


def test_helpers_data_and_the_networks_file_travel_and_nothing_beside_them(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(cluster, "PACKAGE", tmp_path / "mnist_helpers")
    travelling = {"mnist_helpers/a.py", "data/b.gz", "my nets/deep/net.py"}
    staying = ("my nets/other.py", "my nets/deep/[1]!.py", "outputs/c.json", "README.md", "data/raw/b-ubyte")
    for name in (*travelling, *staying, "mnist_helpers/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    own = f"{tmp_path}/my nets/deep/net.py:Net"
    pack([RunConfig(), RunConfig(model=own), RunConfig(model=own, seed=1)], tmp_path / "packed")
    packed = [path for path in (tmp_path / "packed").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "packed").as_posix() for path in packed} == travelling
    assert (tmp_path / "packed" / "my nets" / "deep" / "net.py").read_text() == "my nets/deep/net.py"


def command(folder: Path, *arguments: str) -> list[str]:
    small = ["--set", "epochs=1", "--set", "train_size=200", "--set", "device=cpu"]
    return [sys.executable, "-m", "mnist_helpers", "sweep", "--folder", str(folder), *small, *arguments]


@pytest.fixture
def nodes() -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A Ray head and a second node on this machine, of one CPU each; only these are ended, by their own processes."""
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    # not tmp_path: a path to a Unix socket may have 107 characters
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        ray = [
            str(Path(sys.executable).with_name("ray")),
            "start",
            "--block",
            "--num-cpus=1",
            "--disable-usage-stats",
        ]
        ray += ["--object-store-memory=100000000", "--node-ip-address=127.0.0.1"]
        head = [
            *ray,
            "--head",
            f"--port={address.split(':')[1]}",
            "--include-dashboard=false",
            f"--temp-dir={folder}",
        ]
        started = []
        try:
            for arguments in (head, [*ray, f"--address={address}"]):
                log = Path(folder) / f"start_{len(started)}.log"
                with log.open("w") as stream:
                    # nodes start elsewhere: what they know of the helpers has travelled
                    started.append(subprocess.Popen(arguments, cwd=folder, stdout=stream, stderr=stream))
                wait_for(lambda log=log: "Ray runtime started" in log.read_text())
            yield address, started
        finally:
            for node in started:
                end(node)


def end(node: subprocess.Popen) -> None:
    """Kill a node with everything it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    node.wait()


def attempts(node: subprocess.Popen) -> list[psutil.Process]:
    """Return the processes of a node that train a run right now."""
    found = []
    for process in psutil.Process(node.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if process.cmdline()[:1] == ["ray::attempt"]:
                found.append(process)
    return found


@pytest.mark.cluster
def test_a_cluster_loses_driver_and_node_and_still_runs_everything_once(tmp_path, nodes):
    address, (head, second) = nodes
    arguments = command(tmp_path, "--name", "far", "--seeds", *"012345", "--cluster", address)
    driver = start(*arguments)
    wait_for(lambda: attempts(head))
    wait_for(lambda: attempts(second))
    running = tmp_path / "far" / "running"
    wait_for(lambda: files(running))
    driver.kill()
    driver.communicate()
    wait_for(lambda: not attempts(head) + attempts(second))  # no run goes on for nobody
    before = files(running)
    assert 0 < len(before) < 6

    again = start(*arguments)
    wait_for(lambda: attempts(second))
    end(second)
    out, err = again.communicate(timeout=300)
    assert (again.returncode, err) == (0, ""), err
    after = files(tmp_path / "far")
    (study,) = map(json.loads, after.values())
    assert [run["config"]["seed"] for run in study["runs"]] == list(range(6))
    assert all(json.loads(run) in study["runs"] for run in before.values())
    assert files(running) == {}
    assert out.splitlines()[-1].split()[-1] == "6"  # above it Ray tells of the lost node

    done = start(*arguments)
    assert out.endswith(done.communicate(timeout=100)[0])
    assert files(tmp_path / "far") == after


@pytest.mark.cluster
def test_a_cluster_that_does_not_answer_is_an_error_not_a_wait(tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(ClusterError, match=r"the Ray cluster at 127\.0\.0\.1:1 cannot be used"):
        run_sweep(PLAN, cluster_engine("127.0.0.1:1"), folder=str(tmp_path))


@pytest.mark.cluster
def test_a_network_of_ones_own_travels_with_the_project(tmp_path, nodes):
    address, _ = nodes
    with tempfile.TemporaryDirectory(dir=PROJECT_ROOT / "outputs" / "own", prefix="nets ") as folder:
        file = Path(folder) / "plain.py"
        file.write_text("from torch.nn import *\n\nplain = lambda: Sequential(Flatten(), Linear(784, 10))\n")
        out, err = start(
            *command(tmp_path, "--name", "own", "--set", f"model={file}:plain", "--cluster", address)
        ).communicate(timeout=300)
    assert out.splitlines()[-1].split()[-1] == "3", err
