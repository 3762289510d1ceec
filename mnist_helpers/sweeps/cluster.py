"""Runs on the machines of a Ray cluster that is already there (`pip install -e .[cluster]`).

Nodes need the packages of `requirements.txt` and no shared disk: the helpers, the data and networks of one's own
travel to them, records come back as values. https://docs.ray.io/en/latest/ray-core/handling-dependencies.html
"""

import logging
import os
import re
import socket
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import RunConfig, is_own, own_file
from mnist_helpers.sweeps.engines import TICK_SECONDS, Ended, Engine, attempt
from mnist_helpers.sweeps.provenance import CodeVersion
from mnist_helpers.sweeps.records import FailedRun, RunRecord

TRAVELLING = ("mnist_helpers", "data")
REACHABLE_SECONDS = 10
RETRIES = 3
"""How often a run is started again whose node was lost."""


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message says what to do."""


def cluster_engine(address: str, threads: int = 1) -> Engine:
    """Return the engine of the Ray cluster at `address`, such as `10.0.0.1:6379`, `ray://10.0.0.1:10001` or `auto`.

    A run takes as many of the cluster's CPUs as it has threads.

    Raises:
        ClusterError: Ray is not installed.
    """
    _ray()
    return partial(_run_on_cluster, address=address, threads=threads)


def _ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise ClusterError("a cluster needs Ray, which is not installed; run: pip install -e .[cluster]") from None
    return ray


def _run_on_cluster(configs: Sequence[RunConfig], code: CodeVersion, address: str, threads: int) -> Ended:
    ray, staying = _ray(), staying_files(own_files(configs))
    # what travels is said here; a network of one's own may lie where git does not look
    os.environ["RAY_RUNTIME_ENV_IGNORE_GITIGNORE"] = "1"
    try:
        _check_reachable(address)
        ray.init(
            address=address,
            runtime_env={"working_dir": str(PROJECT_ROOT), "excludes": staying},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(f"the Ray cluster at {address} cannot be used: {error}") from error
    try:
        remote_attempt = ray.remote(num_cpus=threads, max_retries=RETRIES)(attempt)
        # a node's disk is not ours: without a checkpoint there, a run whose node is lost starts anew elsewhere
        running = {remote_attempt.remote(config, code, threads, keep_checkpoints=False): config for config in configs}
        while running:
            ended, _ = ray.wait(list(running), num_returns=1, timeout=TICK_SECONDS)
            yield [_receive(reference, running.pop(reference), code) for reference in ended]
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise OSError when nothing answers at `address`: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:  # there is none in `auto`
        socket.create_connection((host, int(port)), timeout=REACHABLE_SECONDS).close()


def own_files(configs: Sequence[RunConfig]) -> set[Path]:
    """Return the files of the networks of one's own among these runs.

    Raises:
        ClusterError: one is outside the project.
    """
    files = {own_file(config.model) for config in configs if is_own(config.model)}
    for file in files:
        if not file.is_relative_to(PROJECT_ROOT):
            raise ClusterError(
                f"{file} is outside the project and does not travel to a cluster; copy it to {PROJECT_ROOT} or below"
            )
    return files


def staying_files(own: Collection[Path]) -> list[str]:
    """Return what nodes do not need, as in a .gitignore: of the data the archives travel, not what they hold."""
    travelling = {PROJECT_ROOT / name for name in TRAVELLING}
    own = {file for file in own if travelling.isdisjoint(file.parents)}
    # down to a file that travels, everything beside the way stays
    way = {folder for file in own for folder in file.parents if folder.is_relative_to(PROJECT_ROOT)} | {PROJECT_ROOT}
    staying = {path for folder in way for path in folder.iterdir()} - travelling - way - own
    names = sorted(re.sub(r"([][*?!\\# ])", r"\\\1", path.relative_to(PROJECT_ROOT).as_posix()) for path in staying)
    return [*(f"/{name}" for name in names), "__pycache__", "*-ubyte"]


def _receive(reference: object, config: RunConfig, code: CodeVersion) -> RunRecord:
    ray = _ray()
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return FailedRun(code=code, config=config, error=f"{type(error).__name__}: {str(error).splitlines()[-1]}")
