"""The ledger: what every iteration of the course cost and reached, one row each.

`make ledger` writes it from the recorded studies, draws it and prints the README's table.
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from pydantic import BaseModel

from mnist_helpers.benchmarks import MEMORY, Taken, compare, epoch_seconds, take_turns, timed
from mnist_helpers.data import load_split
from mnist_helpers.experiments.course import FASTER, ITERATIONS, SMALLER
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.files import write_text_atomically
from mnist_helpers.looking import BLUE, WIDTH, draw_studies
from mnist_helpers.networks import WINDOWED, build_model, count_parameters, layer_table
from mnist_helpers.paths import resolve
from mnist_helpers.runs import FIGURES, RECORDS
from mnist_helpers.sweeps import Spread, Study, format_spread, read_study
from mnist_helpers.training import Environment, describe_environment, train

LEDGER = f"{RECORDS}/ledger.json"
PICTURE = f"{FIGURES}/ledger.png"
ROWS = (*ITERATIONS, *FASTER, *SMALLER)
TIMED_BATCHES, REPEATS = 40, 3
HEADER = ("iteration", "parameters", "field", "multiply-adds", "epochs", "seconds", "test accuracy", "seeds")


class LedgerRow(BaseModel, frozen=True):
    """One iteration; accuracies are shares after the last epoch."""

    name: str
    notebook: str
    change: str
    parameters: int
    receptive_field: int
    """Side in pixels of what a value sees before the global average or the dense layers."""
    multiply_adds: int
    """For one image."""
    epochs: int
    training_images: int
    seconds_per_epoch: float
    """Training and evaluation on this machine, the iterations measured in turn."""
    validation_accuracy: Spread
    test_accuracy: Spread


class Ledger(BaseModel, frozen=True):
    """All iterations in order, those beyond the goal last, and what their seconds were measured on."""

    environment: Environment
    rows: list[LedgerRow]


def measure_ledger() -> Ledger:
    """Return the ledger of the recorded studies, with an epoch of each iteration timed here.

    Raises:
        FileNotFoundError: a study has not been run (`python -m mnist_helpers experiments`).
    """
    studies = {step.name: read_study(step.name) for step in ROWS}
    seconds = compare(take_turns(time_epochs, list(studies), REPEATS), against=())
    rows = [_row(step, studies[step.name], seconds[step.name].median_seconds) for step in ROWS]
    return Ledger(environment=describe_environment(torch.device("cpu")), rows=rows)


def time_epochs(repeat: int) -> Iterator[Taken]:
    """Time an epoch of every iteration, evaluation included; a recipe whose epochs differ is run whole."""
    split = load_split("data", validation_size=5_000, train_size=None, seed=repeat)
    for step in ROWS:
        config = read_study(step.name).runs[0].config
        if config.learning_epochs:
            whole, _ = timed(partial(train, config.build, split, config, show=False, keep_checkpoints=False))
            yield Taken(step.name, whole / config.epochs)
        else:
            yield Taken(step.name, epoch_seconds(MEMORY, config, split, TIMED_BATCHES))


def _row(step: Experiment, study: Study, seconds: float) -> LedgerRow:
    config = study.runs[0].config
    model = build_model(config.model)
    layers = layer_table(model)
    kinds = {kind.__name__ for kind in WINDOWED}
    # a window over all places, one value a channel, is an average
    windows = [row for row in layers if row.kind in kinds and row.output_shape[1] > 1]
    return LedgerRow(
        name=step.name,
        notebook=step.notebook,
        change=step.change,
        parameters=count_parameters(model),
        receptive_field=windows[-1].receptive_field,
        multiply_adds=sum(row.multiply_adds for row in layers),
        epochs=config.epochs,
        training_images=60_000 - config.validation_size,
        seconds_per_epoch=round(seconds, 2),
        validation_accuracy=study.validation_accuracy,
        test_accuracy=study.test_accuracy,
    )


def read_ledger() -> Ledger:
    """Read `outputs/ledger.json`.

    Raises:
        FileNotFoundError: `make ledger` has not been run.
    """
    return Ledger.model_validate_json(resolve(LEDGER).read_bytes())


def _cells(row: LedgerRow) -> tuple[str, ...]:
    return (
        row.change,
        f"{row.parameters:,}",
        f"{row.receptive_field}",
        f"{row.multiply_adds / 1e6:.1f} M",
        f"{row.epochs}",
        f"{row.epochs * row.seconds_per_epoch:.0f}",
        format_spread(row.test_accuracy),
        f"{row.test_accuracy.n}",
    )


def format_ledger(ledger: Ledger, until: str | None = None) -> str:
    """Return the ledger as aligned text, up to and including the iteration named `until`."""
    names = [row.name for row in ledger.rows]
    rows = ledger.rows[: names.index(until) + 1 if until else None]
    lines = [HEADER, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def markdown_ledger(ledger: Ledger) -> str:
    """Return the ledger as the README's table, each iteration linked to its notebook."""
    lines = ["| notebook | " + " | ".join(HEADER) + " |", "|---|---" + "|--:" * (len(HEADER) - 1) + "|"]
    for row in ledger.rows:
        lines.append(f"| [{row.notebook[:2]}](notebooks/{row.notebook}.ipynb) | " + " | ".join(_cells(row)) + " |")
    return "\n".join(lines)


def plot_ledger(ledger: Ledger) -> Figure:
    """Draw the error of every seed of every iteration, and its parameters beside it."""
    labels = [f"{row.notebook[:2]}  {row.change}" for row in ledger.rows]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(WIDTH, 4), layout="constrained", sharey=True, width_ratios=(3, 1)
    )
    draw_studies(left, [read_study(row.name) for row in ledger.rows], labels)
    left.set(
        title="From the baseline to the final network and beyond", xlabel="wrong on the test set (%), dashed: 0.6 %"
    )
    bars = right.barh(range(len(labels)), [row.parameters for row in ledger.rows], color=BLUE, height=0.5)
    right.bar_label(bars, [f" {row.parameters:,}" for row in ledger.rows], fontsize=8)
    right.set(title="Parameters", xlabel="parameters", xscale="log", xlim=(1_000, 1e8))
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, save, draw and print."""
    argparse.ArgumentParser(prog="python -m mnist_helpers ledger", description=__doc__).parse_args(arguments)
    ledger = measure_ledger()
    write_text_atomically(resolve(LEDGER), ledger.model_dump_json(indent=1) + "\n")
    plot_ledger(ledger).savefig(resolve(PICTURE), dpi=100)
    print(markdown_ledger(ledger))
    return 0
