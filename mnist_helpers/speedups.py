"""The steps from the final network to the fast one, one change each, and what was tried beside them.

`make speedups` trains each over seeds on 50,000 images, by whose 10,000 held-out ones it was chosen, and times all of
them in turn into `outputs/speedups.json`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict

from mnist_helpers.config import PUBLISHED_FOLDER, TRIAL_FOLDER, RunConfig, make_config
from mnist_helpers.data import load_split
from mnist_helpers.files import write_text_atomically
from mnist_helpers.measure import Measured, Taken, compare, take_turns, timed
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.recipes import FAST, GENTLE, NO_COLOUR_NO_BLANKING
from mnist_helpers.results import Environment, describe_environment
from mnist_helpers.study import format_spread, read_study
from mnist_helpers.sweep import add_engine_options, run_from_options, run_studies
from mnist_helpers.training import fit

RECORD = f"{PUBLISHED_FOLDER}/speedups.json"
HELD_OUT = {"validation_size": 10_000}
LONG, SHORT = 15, 6  # a run of more epochs is timed over one and scaled
REPEATS = 3


@dataclass(frozen=True)
class Step:
    """One change; `settings` are complete, `name` is that of its record in `outputs/studies`."""

    name: str
    change: str
    settings: dict[str, Any]
    seeds: tuple[int, ...] = tuple(range(10))


# the final network's recipe in the words of `RunConfig`, so that the fast one's does not fill in
FINAL = {name: getattr(RunConfig(), name) for name in FAST}
GENTLER = {**FINAL, "augmentation": GENTLE | NO_COLOUR_NO_BLANKING}
SCHEDULE = ("epochs", "batch_size", "max_lr", "pct_start", "final_div_factor", "base_momentum", "max_momentum")
HURRIED = {**GENTLER, **{name: FAST[name] for name in SCHEDULE}, "epochs": 4}
SMOOTHED = {**HURRIED, "label_smoothing": FAST["label_smoothing"]}
WHITENED = {**SMOOTHED, "whitened": True}
FROZEN = {**WHITENED, "learning_epochs": (1, 3)}
FEW = (0, 1, 2)

STEPS = (
    Step("speed_final", "the final network and recipe", {**HELD_OUT, **FINAL, "model": "final"}, FEW),
    Step("speed_strided", "a network strided at once", {**HELD_OUT, **FINAL, "model": "fast"}, FEW),
    Step("speed_gentler", "gentler augmentation, no colours", {**HELD_OUT, **GENTLER, "model": "fast"}, FEW),
    Step("speed_hurried", "4 epochs at five times the rate", {**HELD_OUT, **HURRIED, "model": "fast"}),
    Step("speed_smoothed", "+ label smoothing", {**HELD_OUT, **SMOOTHED, "model": "fast"}),
    Step("speed_whitened", "+ whitened first convolution", {**HELD_OUT, **WHITENED, "model": "fast"}),
    Step("speed_frozen", "+ blocks stop learning in turn", {**HELD_OUT, **FROZEN, "model": "fast"}),
    Step("speed_fast", "3 epochs: fast", {**HELD_OUT, "model": "fast"}),
)
TRIED = (
    Step("speed_never_learns", "first block never learns", {**HELD_OUT, "model": "fast", "learning_epochs": (0, 2)}),
    Step("speed_batch_128", "batches of 128", {**HELD_OUT, "model": "fast", "batch_size": 128}),
    Step("speed_batch_384", "batches of 384", {**HELD_OUT, "model": "fast", "batch_size": 384}),
    Step("speed_bfloat16", "in bfloat16", {**HELD_OUT, "model": "fast", "precision": "bfloat16"}),
    Step("speed_two_epochs", "2 epochs", {**HELD_OUT, "model": "fast", "epochs": 2}),
    Step("speed_plain", "no augmentation", {**HELD_OUT, "model": "fast", "augmentation": None}),
)


class Speedups(BaseModel):
    """Seconds of every step's whole training on 50,000 images, evaluation excluded, the steps timed in turn."""

    model_config = ConfigDict(frozen=True)

    environment: Environment
    steps: dict[str, Measured]


def time_steps(repeat: int) -> Iterator[Taken]:
    """Time the training of every step once; long runs by their first epoch."""
    for step in (*STEPS, *TRIED):
        config = make_config(**step.settings, seed=repeat, output_dir=TRIAL_FOLDER, device="cpu")
        images = load_split(config.data_dir, config.validation_size, config.train_size, repeat).train
        share = 1 if config.epochs <= SHORT else config.epochs
        shorter = config.model_copy(update={"epochs": config.epochs // share})
        yield Taken(step.name, share * timed(partial(fit, shorter, images))[0])


def read_speedups() -> Speedups:
    """Read `outputs/speedups.json`.

    Raises:
        FileNotFoundError: `make speedups` has not been run.
    """
    return Speedups.model_validate_json((PROJECT_ROOT / RECORD).read_text(encoding="utf-8"))


def format_speedups(speedups: Speedups, steps: Sequence[Step]) -> str:
    """Return one line a step: seconds, how many times the step before, held-out accuracy, seeds."""
    lines = [f"{'':34s} {'seconds':>8s} {'to the first':>13s} {'held-out accuracy':>18s}  seeds"]
    for step in steps:
        measured, accuracy = speedups.steps[step.name], read_study(step.name).validation_accuracy
        ratio = f"1/{1 / measured.ratios[STEPS[0].name]:.1f}"
        figures = f"{measured.median_seconds:8.1f} {ratio:>13s} {format_spread(accuracy):>18s}  {accuracy.n:5d}"
        lines.append(f"{step.change:34s} {figures}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is not on record, time every step, save and print."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.speedups", description=__doc__)
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    for seeds in (FEW, tuple(range(10))):
        settings = {step.name: step.settings for step in (*STEPS, *TRIED) if step.seeds == seeds}
        if status := run_from_options(
            options, lambda settings=settings, seeds=seeds, **how: run_studies(settings, seeds, **how)
        ):
            return status
    found = take_turns(time_steps, [step.name for step in (*STEPS, *TRIED)], REPEATS)
    speedups = Speedups(environment=describe_environment(torch.device("cpu")), steps=compare(found, [STEPS[0].name]))
    write_text_atomically(resolve(RECORD), speedups.model_dump_json(indent=1) + "\n")
    print(format_speedups(speedups, (*STEPS, *TRIED)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
