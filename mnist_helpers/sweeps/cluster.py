"""Runs on the machines of a Ray cluster that is already there (`pip install -e .[cluster]`).

Nodes need the packages of `requirements.txt` and no shared disk: the helpers, the data and networks of one's own
travel to them, records come back as values. https://docs.ray.io/en/latest/ray-core/handling-dependencies.html
"""

import logging
import shutil
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from mnist_helpers.paths import PACKAGE, PROJECT_ROOT
from mnist_helpers.runs import RunConfig, is_own, own_file
from mnist_helpers.sweeps.engines import TICK_SECONDS, Ended, Engine, attempt
from mnist_helpers.sweeps.study import CodeVersion, FailedRun, RunRecord

REACHABLE_SECONDS = 10
RETRIES = 3  # of a run whose node was lost


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message says what to do."""


def cluster_engine(address: str) -> Engine:
    """Return the engine of a Ray cluster at `HOST:PORT`, `ray://HOST:PORT` or `auto`; ClusterError without Ray."""
    try:
        import ray
    except ImportError:
        raise ClusterError("a cluster needs Ray, which is not installed; run: pip install -e .[cluster]") from None
    return partial(_run_on_cluster, ray=ray, address=address)


def _run_on_cluster(configs: Sequence[RunConfig], code: CodeVersion, ray: ModuleType, address: str) -> Ended:
    with TemporaryDirectory() as folder:
        pack(configs, Path(folder))
        try:
            _check_reachable(address)
            environment = {"working_dir": folder}
            ray.init(address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, ValueError, RuntimeError) as error:
            raise ClusterError(f"the Ray cluster at {address} cannot be used: {error}") from error
    try:
        remote_attempt = ray.remote(num_cpus=1, max_retries=RETRIES)(attempt)
        # a node's disk is not ours: without a checkpoint there, a run whose node is lost starts anew elsewhere
        running = {remote_attempt.remote(config, code, keep_checkpoints=False): config for config in configs}
        while running:
            ended, _ = ray.wait(list(running), num_returns=1, timeout=TICK_SECONDS)
            yield [_receive(ray, reference, running.pop(reference), code) for reference in ended]
    finally:
        ray.shutdown()


def pack(configs: Sequence[RunConfig], folder: Path) -> None:
    """Copy helpers, archives and the files of networks of one's own; ClusterError for one outside the project."""
    for source in (PACKAGE, PROJECT_ROOT / "data"):
        rest = shutil.ignore_patterns("__pycache__", "*-ubyte")  # what is made or extracted from the others
        shutil.copytree(source, folder / source.name, ignore=rest)
    for file in {own_file(config.model) for config in configs if is_own(config.model)}:
        if not file.is_relative_to(PROJECT_ROOT):
            raise ClusterError(
                f"{file} is outside the project and does not travel to a cluster; copy it to {PROJECT_ROOT} or below"
            )
        there = folder / file.relative_to(PROJECT_ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, there)


def _check_reachable(address: str) -> None:
    """Raise OSError when nothing answers at `address`: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:  # there is none in `auto`
        socket.create_connection((host, int(port)), timeout=REACHABLE_SECONDS).close()


def _receive(ray: ModuleType, reference: object, config: RunConfig, code: CodeVersion) -> RunRecord:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return FailedRun(code=code, config=config, error=f"{type(error).__name__}: {str(error).splitlines()[-1]}")
