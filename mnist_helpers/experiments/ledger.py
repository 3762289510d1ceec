"""The ledger: what every iteration of the course cost, timed by `make ledger`, and reached, as the studies say."""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

import torch
from matplotlib.figure import Figure

from mnist_helpers.benchmarks import MEMORY, Record, Taken, epoch_seconds, take_turns, timed
from mnist_helpers.data import load_split
from mnist_helpers.experiments.experiment import FASTER, ITERATIONS, SMALLER, Experiment
from mnist_helpers.looking import BLUE, draw_studies, panels
from mnist_helpers.networks import WINDOWED, build_model, layer_table
from mnist_helpers.sweeps import format_spread, read_study
from mnist_helpers.training import describe_environment, train

ROWS = (*ITERATIONS, *FASTER, *SMALLER)
TIMED_BATCHES, REPEATS = 40, 3
HEADER = ("iteration", "parameters", "field", "multiply-adds", "epochs", "seconds", "test accuracy", "seeds")
SHORTER = ("iteration", "parameters", "field", "mul-adds", "epochs", "seconds", "test accuracy", "n")  # 88 wide


class Ledger(Record, frozen=True):
    """What an epoch of every iteration took, training and evaluation, measured in turn."""

    NAME = "ledger"
    seconds_per_epoch: dict[str, float]


read_ledger = Ledger.read


def time_epochs(repeat: int) -> Iterator[Taken]:
    """Time an epoch of every iteration, evaluation included; a recipe whose epochs differ is run whole."""
    split = load_split("data", validation_size=5_000, train_size=None, seed=repeat)
    configs = {step.name: read_study(step.name).runs[0].config for step in ROWS}
    for name, config in configs.items():
        if config.learning_epochs:
            whole, _ = timed(partial(train, config.build, split, config, show=False, keep_checkpoints=False))
            yield Taken(name, whole / config.epochs)
        else:
            yield Taken(name, epoch_seconds(MEMORY, config, split, TIMED_BATCHES))


def _cells(ledger: Ledger, step: Experiment) -> tuple[str, ...]:
    study = read_study(step.name)
    config = study.runs[0].config
    layers, kinds = layer_table(build_model(config.model)), {kind.__name__ for kind in WINDOWED}
    # what a value sees before the global average or the dense layers; a window over all places is an average
    fields = [row.receptive_field for row in layers if row.kind in kinds and row.output_shape[1] > 1]
    return (
        step.change,
        f"{study.parameters:,}",
        f"{fields[-1]}",
        f"{sum(row.multiply_adds for row in layers) / 1e6:.1f} M",
        f"{config.epochs}",
        f"{config.epochs * ledger.seconds_per_epoch[step.name]:.0f}",
        format_spread(study.test_accuracy),
        f"{study.test_accuracy.n}",
    )


def format_ledger(ledger: Ledger, until: str = ROWS[-1].name) -> str:
    """Return the ledger as aligned text, up to and including the iteration named `until`."""
    names = [step.name for step in ROWS]
    lines = [SHORTER, *(_cells(ledger, step) for step in ROWS[: names.index(until) + 1])]
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    line = " ".join([f"{{:{first}s}}", *(f"{{:>{width}s}}" for width in others)])
    return "\n".join(line.format(*cells) for cells in lines)


def markdown_ledger(ledger: Ledger) -> str:
    """Return the ledger as the table of `outputs/README.md`, each iteration linked to its notebook."""
    lines = ["| notebook | " + " | ".join(HEADER) + " |", "|---|---" + "|--:" * (len(HEADER) - 1) + "|"]
    for step in ROWS:
        link = f"[{step.notebook[:2]}](../notebooks/{step.notebook}.ipynb)"
        lines.append(f"| {link} | " + " | ".join(_cells(ledger, step)) + " |")
    return "\n".join(lines)


def plot_ledger(ledger: Ledger) -> Figure:
    """Draw the error of every seed of every iteration, and its parameters beside it."""
    steps = [step for step in ROWS if step.name in ledger.seconds_per_epoch]
    studies = [read_study(step.name) for step in steps]
    figure, (left, right) = panels(4, 1, 2, sharey=True, width_ratios=(3, 1))
    draw_studies(left, studies, [f"{step.notebook[:2]}  {step.change}" for step in steps])
    left.set_title("From the baseline to the final network and beyond")
    left.set_xlabel("wrong on the test set (%), dashed: 0.6 %")
    right.plot([study.parameters for study in studies], range(len(studies)), "o", color=BLUE)
    for row, study in enumerate(studies):
        place = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
        right.annotate(f"{study.parameters:,}", (study.parameters, row), fontsize=8, **place)
    right.set(title="Parameters", xlabel="parameters", xscale="log", xlim=(1_000, 3e7))
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Time, save, draw and print."""
    argparse.ArgumentParser(prog="python -m mnist_helpers ledger", description=__doc__).parse_args(arguments)
    repeats = take_turns(time_epochs, REPEATS)
    seconds = {name: round(median(taken.seconds for taken in of_one), 2) for name, of_one in repeats.items()}
    ledger = Ledger(environment=describe_environment(torch.device("cpu")), seconds_per_epoch=seconds)
    ledger.write(ledger=plot_ledger(ledger))
    print(markdown_ledger(ledger))
    return 0
