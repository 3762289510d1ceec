"""The ledger: what every iteration of the course cost and reached, one row each.

`make ledger` writes `outputs/ledger.json` and `.png` from the recorded studies and prints the README's table.
"""

import statistics

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from mnist_helpers.bench_epoch import MEMORY, epoch_seconds
from mnist_helpers.config import PUBLISHED_FOLDER, RunConfig
from mnist_helpers.data import Split, load_split
from mnist_helpers.files import write_text_atomically
from mnist_helpers.iterations import FASTER, ITERATIONS, SMALLER, Iteration
from mnist_helpers.layer_table import WINDOWED, layer_table
from mnist_helpers.measure import timed
from mnist_helpers.models import build_model, count_parameters
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.plots import BLUE, WIDTH
from mnist_helpers.results import Environment, describe_environment
from mnist_helpers.study import Spread, format_spread, read_study
from mnist_helpers.study_plots import draw_studies
from mnist_helpers.training import train

LEDGER = f"{PUBLISHED_FOLDER}/ledger.json"
PICTURE = f"{PUBLISHED_FOLDER}/ledger.png"
ROWS = (*ITERATIONS, *FASTER, *SMALLER)
TIMED_BATCHES, REPEATS = 40, 3
HEADER = ("iteration", "parameters", "field", "multiply-adds", "epochs", "seconds", "test accuracy", "seeds")


class LedgerRow(BaseModel):
    """One iteration; accuracies are shares after the last epoch."""

    model_config = ConfigDict(frozen=True)

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


class Ledger(BaseModel):
    """All iterations in order, those beyond the goal last, and what their seconds were measured on."""

    model_config = ConfigDict(frozen=True)

    environment: Environment
    rows: list[LedgerRow]


def measure_ledger() -> Ledger:
    """Return the ledger of the recorded studies, with an epoch of each iteration timed here.

    Raises:
        FileNotFoundError: a study has not been run (`make studies`, `make seeds`).
    """
    configs = {step.name: read_study(step.name).runs[0].config for step in ROWS}
    split = load_split("data", validation_size=5_000, train_size=None, seed=0)
    seconds: dict[str, list[float]] = {name: [] for name in configs}
    with tqdm(total=REPEATS * len(configs), unit="measurement") as bar:
        for _ in range(REPEATS):
            for name, config in configs.items():
                seconds[name].append(_seconds_per_epoch(config, split))
                bar.update()
    rows = [_row(step, configs[step.name], statistics.median(seconds[step.name])) for step in ROWS]
    return Ledger(environment=describe_environment(torch.device("cpu")), rows=rows)


def _seconds_per_epoch(config: RunConfig, split: Split) -> float:
    """Return the seconds of an epoch with its evaluation; a recipe whose epochs differ is run whole."""
    if config.learning_epochs:
        whole, _ = timed(lambda: train(config, split, show=False, keep_checkpoints=False))
        return whole / config.epochs
    return epoch_seconds(MEMORY, config, split, TIMED_BATCHES)


def _row(step: Iteration, config: RunConfig, seconds: float) -> LedgerRow:
    model, study = build_model(config.model), read_study(step.name)
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
    return Ledger.model_validate_json((PROJECT_ROOT / LEDGER).read_text(encoding="utf-8"))


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


def main() -> None:
    """Measure, save, draw and print."""
    ledger = measure_ledger()
    write_text_atomically(resolve(LEDGER), ledger.model_dump_json(indent=1) + "\n")
    plot_ledger(ledger).savefig(resolve(PICTURE), dpi=100)
    print(markdown_ledger(ledger))


if __name__ == "__main__":
    main()
