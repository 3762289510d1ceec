"""Is this machine ready? Python, versions, device, data, disk: one line each (`make env-update`)."""

import argparse
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

import torch

from mnist_helpers.data import load_mnist
from mnist_helpers.paths import INSTALLED, PROJECT_ROOT
from mnist_helpers.runs import RunConfig, multiplies_bfloat16_fast

MINIMUM_PYTHON = (3, 11)
FREE_BYTES_NEEDED = 500_000_000


def check_python() -> str:
    if sys.version_info < MINIMUM_PYTHON:
        raise RuntimeError(f"{platform.python_version()}, needs {'.'.join(map(str, MINIMUM_PYTHON))} or newer")
    return platform.python_version()


def check_packages() -> str:
    """Compare what is installed with the pins of requirements.txt, which the package's metadata repeat."""
    file, advice = PROJECT_ROOT / "requirements.txt", "touch requirements.txt && make setup"
    lines = requires("mnist-helpers") if INSTALLED else file.read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and ";" not in line)  # no extras
    if wrong := [f"{name} {_found(name)} instead of {pin}" for name, pin in pins.items() if _found(name) != pin]:
        raise RuntimeError(f"{', '.join(wrong)}; {'install mnist-helpers again' if INSTALLED else f'run: {advice}'}")
    return f"{len(pins)} packages as pinned, torch {torch.__version__}"


def _found(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def check_device() -> str:
    device = RunConfig().torch_device()
    cpu = f"cpu, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    name = torch.cuda.get_device_name() if device.type == "cuda" else cpu
    return f"{name}, precision=bfloat16 {'gains' if multiplies_bfloat16_fast(device) else 'costs'} time"


def check_data() -> str:
    train, test = load_mnist()
    return f"{len(train):,} training and {len(test):,} test images, hashes as published"


def check_disk() -> str:
    free = shutil.disk_usage(PROJECT_ROOT).free
    if free < FREE_BYTES_NEEDED:
        raise RuntimeError(f"{free / 1e9:.1f} GB free, needs {FREE_BYTES_NEEDED / 1e9:.1f} GB")
    return f"{free / 1e9:.1f} GB free"


CHECKS: dict[str, Callable[[], str]] = {
    "Python": check_python,
    "packages": check_packages,
    "device": check_device,
    "data": check_data,
    "disk": check_disk,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each check; return 1 if any failed."""
    argparse.ArgumentParser(prog="python -m mnist_helpers environment", description=__doc__).parse_args(arguments)
    failed = False
    for name, check in CHECKS.items():
        try:
            print(f"ok   {name}: {check()}")
        except RuntimeError as error:  # that of a check, or DataError: says what to do
            failed = True
            print(f"FAIL {name}: {error}")
    return int(failed)
