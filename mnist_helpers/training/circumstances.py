"""What besides its settings decides a run's exact numbers: versions, device, threads, and the code."""

import hashlib
import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

import torch
from pydantic import BaseModel

from mnist_helpers.paths import PACKAGE

DECIDING = ("data", "networks", "training", "runs")
"""Rooms whose code moves a run's numbers, or may: a comment counts too, better one repeat too many."""
NOT_DECIDING = {"python", "torchvision", "processor"}
"""torchvision reads the files, whose content is checked; of a processor its `cpu_capability` decides."""


class Environment(BaseModel, frozen=True):
    """What besides the settings decides the exact numbers: the same of both gives the same weights."""

    python: str
    torch: str
    torchvision: str
    platform: str
    device: str
    cpu_capability: str
    threads: int
    processor: str | None = None  # its name, for the seconds; None from before that was kept
    sources: str | None = None  # hash of the code (`source_hash`); None from before that was kept

    def differences(self, other: Self) -> list[str]:
        """Name the fields that may move a run's numbers and differ in the two, as `name: this one, other one`."""
        mine, theirs = (each.model_dump(exclude=NOT_DECIDING) for each in (self, other))
        return [f"{name}: {mine[name]}, {theirs[name]}" for name in mine if mine[name] != theirs[name]]


def describe_environment(device: torch.device) -> Environment:
    """Return the versions, device, threads and code of this process."""
    import torchvision  # here: seconds, which only who trains or measures should wait for

    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=torchvision.__version__,
        platform=f"{platform.system()} {platform.machine()}",
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        processor=processor(),
        sources=_own_hash(),
    )


@cache
def processor() -> str:
    """Return the name of the processor as its system gives it."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if found := re.search(r"^model name\s*: (.*)$", text, re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()


def source_hash(package: Path = PACKAGE) -> str:
    """Return a hash of the names and texts of all modules in the rooms in `DECIDING`; line ends do not count."""
    digest = hashlib.sha256()
    for path in sorted(path for room in DECIDING for path in (package / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8").encode()
        # lengths keep a line that moves from one file to the next from going unseen
        digest.update(f"{path.relative_to(package).as_posix()} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


@cache
def _own_hash() -> str:
    return source_hash()  # a file that changes later is not the code that this process runs
