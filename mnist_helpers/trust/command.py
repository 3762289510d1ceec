"""`make torture`: every kind of trial in turn, as many as fit the time, and one closing table."""

import argparse
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from mnist_helpers.sweeps import code_version
from mnist_helpers.training import describe_environment
from mnist_helpers.trust.damage import damages
from mnist_helpers.trust.disks import disks
from mnist_helpers.trust.runs import Reference
from mnist_helpers.trust.stops import stops
from mnist_helpers.trust.trial import Kind, Row, Torture, Trial, count, fell_short, format_rows
from mnist_helpers.trust.values import values

SEED = 16
MINUTES = {"quick": 2.0, "half an hour": 30.0, "full": float("inf")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, stop, fill, damage and mislead; count what fell short; return 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers torture", description=main.__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_const", dest="how", const="quick", help="two minutes; writes nothing")
    how.add_argument("--full", action="store_const", dest="how", const="full", help="all, for hours")
    parser.add_argument("--only", default="", help="kinds whose name holds this; writes nothing")
    options = parser.parse_args(arguments)
    chosen = options.how or "half an hour"
    torch.set_num_threads(1)
    rows = torture(60 * MINUTES[chosen], options.only)
    print(format_rows(rows))
    if chosen != "quick" and not options.only:
        environment = describe_environment(torch.device("cpu"))
        Torture(environment=environment, code=code_version(), rows=rows).write()
    return int(fell_short(rows) > 0)


def torture(seconds: float, only: str = "") -> list[Row]:
    """Return a row for each kind of trial; the kinds take turns until the time is up, the same ones every time."""
    found: dict[str, list[Trial]] = defaultdict(list)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="torture_", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        reference = Reference(Path(place) / "reference")
        kinds = [*stops(reference), *disks(reference), *damages(reference, Path(place)), *values()]
        kinds = [kind for kind in kinds if only in kind.name]
        with tqdm(total=sum(kind.most for kind in kinds), unit="trial", disable=None) as bar:
            for seed in (0, 1):
                bar.set_description("whole runs")
                reference.folder(seed)
            for number in range(max(kind.most for kind in kinds)):
                for kind in kinds:
                    # every kind once, whatever the time
                    if number < kind.most and (number == 0 or time.monotonic() < end):
                        bar.set_description(kind.name)
                        found[kind.name].append(_try(kind, number, Path(place)))
                        bar.update()
    return [count(name, trials) for name, trials in found.items()]


def _try(kind: Kind, number: int, place: Path) -> Trial:
    """Return what came of one trial, whose random numbers its kind and number decide."""
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
        return kind.run(random.Random(f"{SEED} {kind.name} {number}"), Path(folder))
