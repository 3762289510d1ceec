"""Seconds that can be compared: contestants take turns, in processes of their own, and are read as ratios."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import Any, ClassVar, Self, TypeVar

import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from tqdm import tqdm

from mnist_helpers.paths import resolve
from mnist_helpers.records import read_record, write_record
from mnist_helpers.runs import FIGURES, RECORDS
from mnist_helpers.training import Environment

Result = TypeVar("Result")


@dataclass(frozen=True)
class Taken:
    """One measurement of one contestant; accuracy where it was trained to its end, memory of its process so far."""

    name: str
    seconds: float
    test_accuracy: float | None = None
    peak_memory_bytes: int | None = None


class Measured(BaseModel, frozen=True):
    """One contestant's repeats, and their median ratios to another contestant's in the same repeat, by its name."""

    seconds: list[float]
    median_seconds: float
    ratios: dict[str, float]


class Record(BaseModel, frozen=True):
    """What a command measured, and on what: `outputs/NAME.json`."""

    NAME: ClassVar[str]
    environment: Environment

    @classmethod
    def read(cls) -> Self:
        """Read the file; FileNotFoundError: it was not measured; DamagedError: it is not as it was written."""
        return read_record(resolve(RECORDS) / f"{cls.NAME}.json", cls, f"a record of {cls.NAME}", "measure it again")

    def write(self, **pictures: Figure) -> None:
        """Write the file, and each picture into `outputs/figures` under its own name."""
        write_record(resolve(RECORDS) / f"{self.NAME}.json", self)
        for picture, figure in pictures.items():
            figure.savefig(resolve(FIGURES) / f"{picture}.png", dpi=100)


def take_turns(measure: Callable[[int], Iterator[Taken]], repeats: int) -> dict[str, list[Taken]]:
    """Return what `measure(repeat)` yields, by name, for every repeat; print each measurement as it comes."""
    found = defaultdict(list)
    for repeat in tqdm(range(repeats), unit="repeat"):
        for taken in alone(_print_all, measure, repeat):
            found[taken.name].append(taken)
    return dict(found)


def alone(work: Callable[..., Result], *given: Any) -> Result:
    """Return `work(*given)` from a process of its own: kept memory or compiled kernels reach nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given).result()


def _print_all(measure: Callable[[int], Iterator[Taken]], repeat: int) -> list[Taken]:
    found = []
    for taken in measure(repeat):
        print(f"{repeat:3d}  {taken.name:48s} {taken.seconds:9.3f} s", flush=True)
        found.append(taken)
    return found


def timed(work: Callable[[], Result], device: torch.device | None = None) -> tuple[float, Result]:
    """Return the seconds until `work()` is done, on a GPU too if `device` is one, and what it returns."""
    started = perf_counter()
    result = work()
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter() - started, result


def compare(found: dict[str, list[Taken]], against: Sequence[str]) -> dict[str, Measured]:
    """Return each contestant's seconds, their median, and the median ratios to those named in `against`."""
    seconds = {name: [taken.seconds for taken in repeats] for name, repeats in found.items()}
    return {
        name: Measured(
            seconds=[round(value, 4) for value in values],
            median_seconds=round(statistics.median(values), 4),
            ratios={
                other: round(statistics.median(a / b for a, b in zip(values, seconds[other], strict=True)), 5)
                for other in against
            },
        )
        for name, values in seconds.items()
    }
