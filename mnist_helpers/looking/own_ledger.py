"""A ledger of one's own: runs noted in notebook after notebook, and their picture beside the recorded ones."""

from matplotlib.figure import Figure
from pydantic import BaseModel, Field

from mnist_helpers.looking.plots import BLUE, ORANGE, panels
from mnist_helpers.looking.run_plots import label_plainly
from mnist_helpers.paths import resolve
from mnist_helpers.records import read_record, write_record
from mnist_helpers.runs import OWN
from mnist_helpers.sweeps import read_study
from mnist_helpers.training import Results

FILE = f"{OWN}/ledger.json"


class Noted(BaseModel, frozen=True, extra="forbid"):
    """One run in the ledger; its test accuracy is a share from 0 to 1, after the last epoch."""

    name: str
    seed: int
    parameters: int
    epochs: int
    train_size: int | None  # None: all that validation left
    test_accuracy: float = Field(ge=0, le=1)


def note(name: str, results: Results, test_accuracy: float | None = None) -> None:
    """Write a run into the ledger, `outputs/own/ledger.json`; it takes the place of the run of this name and seed.

    A run that was trained without test images is given its accuracy on them, a share from 0 to 1. A name has one
    setting: earlier runs of it with other parameters, epochs or images leave the ledger. A `name` that is also a
    recorded study's ("dropout") is drawn beside it. ValueError: no test accuracy, or the file is no ledger.
    """
    accuracy = results.final_test_accuracy if test_accuracy is None else test_accuracy
    if accuracy is None:
        raise ValueError(
            f"the run {name!r} had no test images; give its accuracy on them: note(name, results, share)"
        )
    size, count = results.config.train_size, results.total_parameters
    setting = {"name": name, "parameters": count, "epochs": results.total_epochs, "train_size": size}
    run = Noted(**setting, seed=results.config.seed, test_accuracy=accuracy)
    kept = (old for old in read_own_ledger() if old.name != name or setting.items() <= old.model_dump().items())
    runs = {(old.name, old.seed): old for old in kept} | {(name, run.seed): run}
    path = resolve(FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, [*runs.values()])


def read_own_ledger() -> list[Noted]:
    """Return the noted runs in the order of their first note. ValueError: the file is no ledger."""
    path = resolve(FILE)
    return read_record(path, list[Noted], "a ledger", "delete it and train again") if path.is_file() else []


def plot_own_ledger() -> Figure:
    """Draw the error of every noted run, a row for each name, and the recorded runs of that name beside it, if any.

    Dots are seeds, bars their mean. ValueError: nothing is noted yet.
    """
    names: dict[str, list[Noted]] = {}
    for run in read_own_ledger():
        names.setdefault(run.name, []).append(run)
    if not names:
        raise ValueError("your ledger is empty; train a network and call note(name, results)")
    recorded = [_recorded(name) for name in names]
    own = [[run.test_accuracy for run in runs] for runs in names.values()]
    figure, axes = panels(0.5 * len(names) + 1.3, 1, 2, sharey=True)
    parts = (("Your runs", ORANGE, own), ("The course's record", BLUE, recorded))
    for axis, (title, colour, rows) in zip(axes, parts, strict=True):
        for row, accuracies in enumerate(rows):
            errors = [100 * (1 - accuracy) for accuracy in accuracies]
            if not errors:
                continue
            mean = sum(errors) / len(errors)
            axis.plot(errors, [row] * len(errors), "o", color=colour, alpha=0.6)
            axis.plot([mean], [row], "|", color=colour, markersize=16, markeredgewidth=3)
            axis.annotate(f"{mean:.2f}", (mean, row), (0, 8), textcoords="offset points", ha="center", fontsize=8)
        axis.set(title=title, xlabel="wrong on the test set (%)", xscale="log")
        label_plainly(axis.xaxis)
    axes[0].set_yticks(range(len(names)), [_label(runs[0]) for runs in names.values()], fontsize=8)
    axes[0].set_ylim(len(names) - 0.5, -0.7)
    return figure


def _label(run: Noted) -> str:
    digits = "all" if run.train_size is None else f"{run.train_size:,}"
    return f"{run.name}: {run.parameters:,} parameters\n{digits} digits, {run.epochs} epochs"


def _recorded(name: str) -> list[float]:
    """Return the test accuracies of a recorded study's runs; none where no study has this name."""
    try:
        return [run.final_test_accuracy for run in read_study(name).runs]
    except FileNotFoundError:
        return []
