"""Seconds that can be compared: contestants take turns, in processes of their own, and are read as ratios."""

import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

Result = TypeVar("Result")


@dataclass(frozen=True)
class Taken:
    """One measurement of one contestant."""

    name: str
    seconds: float
    test_accuracy: float | None = None
    """Where its network was trained to its end."""
    peak_memory_bytes: int | None = None
    """Of its process so far, where it was asked for."""


class Measured(BaseModel):
    """One contestant's repeats."""

    model_config = ConfigDict(frozen=True)

    seconds: list[float]
    median_seconds: float
    ratios: dict[str, float]
    """Median over the repeats of these seconds to another contestant's in the same repeat, by its name."""


def take_turns(
    measure: Callable[[int], Iterator[Taken]], names: Sequence[str], repeats: int
) -> dict[str, list[Taken]]:
    """Return what `measure(repeat)` yields, by name, for every repeat; each repeat is a process of its own.

    What one repeat does to its process (kept memory, compiled kernels) does not reach the next.

    Raises:
        RuntimeError: a repeat ended early; its own error is on stderr.
    """
    found: dict[str, list[Taken]] = {name: [] for name in names}
    context = multiprocessing.get_context("spawn")
    with tqdm(total=repeats * len(names), unit="measurement") as bar:
        for repeat in range(repeats):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_send, args=(sender, measure, repeat))
            process.start()
            sender.close()
            for _ in names:
                try:
                    taken = receiver.recv()
                except EOFError:
                    raise RuntimeError(f"repeat {repeat} ended before every measurement was taken") from None
                bar.set_postfix_str(taken.name)
                found[taken.name].append(taken)
                bar.update()
            process.join()
    return found


def _send(sender: Connection, measure: Callable[[int], Iterator[Taken]], repeat: int) -> None:
    for taken in measure(repeat):
        sender.send(taken)


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds that `work()` takes, and what it returns."""
    started = perf_counter()
    result = work()
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
