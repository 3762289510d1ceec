"""One trial and what came of it; the table of all."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from mnist_helpers.benchmarks import Record
from mnist_helpers.sweeps import CodeVersion

NOTES = 5  # of a row that are kept


@dataclass(frozen=True)
class Trial:
    """What fell short: work that is gone, something wrong that was taken for right, an error that names nothing."""

    lost: str = ""
    silent: str = ""
    unnamed: str = ""
    skipped: str = ""  # why it could not be tried here


@dataclass(frozen=True)
class Kind:
    """One kind of trials: each gets random numbers and an empty folder; so many are tried at most."""

    name: str
    run: Callable[[random.Random, Path], Trial]
    most: int


class Row(BaseModel, frozen=True):
    """The trials of one kind, counted, with the first notes on those that fell short."""

    name: str
    tried: int
    lost: int
    silent: int
    unnamed: int
    notes: list[str]


class Torture(Record, frozen=True):
    """What `make torture` counted, on what processor, by which code."""

    NAME = "torture"
    code: CodeVersion
    rows: list[Row]


def count(name: str, trials: Sequence[Trial]) -> Row:
    """Return the row of these trials of one kind."""
    tried = [trial for trial in trials if not trial.skipped]
    notes = [trial.lost or trial.silent or trial.unnamed or trial.skipped for trial in trials]
    return Row(
        name=name,
        tried=len(tried),
        lost=sum(bool(trial.lost) for trial in tried),
        silent=sum(bool(trial.silent) for trial in tried),
        unnamed=sum(bool(trial.unnamed) for trial in tried),
        notes=list(dict.fromkeys(note for note in notes if note))[:NOTES],
    )


def fell_short(rows: Sequence[Row]) -> int:
    """Return how many trials lost something, took something wrong for right, or named nothing."""
    return sum(row.lost + row.silent + row.unnamed for row in rows)


def format_rows(rows: Sequence[Row]) -> str:
    """Return the closing table, the notes of a row below it."""
    lines = [f"{'tried':44s} {'how often':>9s} {'lost':>6s} {'silent':>7s} {'unnamed':>8s}"]
    for row in rows:
        lines.append(f"{row.name:44s} {row.tried:9,} {row.lost:6} {row.silent:7} {row.unnamed:8}")
        lines += [f"    {note}" for note in row.notes]
    return "\n".join(lines)
