"""Where a submission stands: among the course's networks by size, and which test digits only it gets wrong."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from mnist_helpers.data import CLASSES
from mnist_helpers.experiments import LEDGER_ROWS, plot_frontier, read_frontier
from mnist_helpers.looking import BLUE, GREEN, ORANGE, panels, plot_studies
from mnist_helpers.sweeps import Study, read_study

ERRORS = (0.2, 0.3, 0.4, 0.6, 1, 2, 3, 6, 10, 20, 30, 60)  # %, where a logarithmic axis of any length has its ticks


def plot_place(study: Study) -> Figure:
    """Draw the frontier, error against parameters, with a study's seeds and their mean in it."""
    figure = plot_frontier(read_frontier())
    (axis,) = figure.axes
    errors = [100 * (1 - run.final_test_accuracy) for run in study.runs]
    axis.plot([study.parameters] * len(errors), errors, "o", color=GREEN, alpha=0.4, markersize=5)
    mean = 100 * (1 - study.test_accuracy.mean)
    axis.plot(study.parameters, mean, "D", color=GREEN, markersize=10, label=f"{study.name}: mean (dots: seeds)")
    axis.legend(fontsize=8, loc="lower left")  # few errors with few parameters: nobody is there
    _mark_errors(axis.yaxis)
    return figure


def plot_among_the_ledger(study: Study) -> Figure:
    """Draw the errors of every seed of every iteration of the course, a study's below them."""
    studies = [*(read_study(each.name) for each in LEDGER_ROWS), study]
    figure = plot_studies(studies, "Beside the course's iterations")
    _mark_errors(figure.axes[0].xaxis)
    return figure


def _mark_errors(axis: Axis) -> None:
    low, high = sorted(axis.get_view_interval())
    ticks = [error for error in ERRORS if low <= error <= high]
    axis.set_ticks([], minor=True)
    axis.set_ticks(ticks, [f"{error:g}" for error in ticks])


def plot_mistakes(
    mine: Sequence[int], theirs: Sequence[int], targets: Sequence[int], names: tuple[str, str]
) -> Figure:
    """Draw by class how many test digits only one of two networks, both, or only the other gets wrong."""
    mine, theirs = set(mine), set(theirs)
    groups = (
        (f"only {names[0]}", mine - theirs, GREEN),
        ("both", mine & theirs, ORANGE),
        (f"only {names[1]}", theirs - mine, BLUE),
    )
    figure, axis = panels(3)
    bottom = np.zeros(CLASSES)
    for label, images, colour in groups:
        labels = np.array([targets[image] for image in images], dtype=int)
        counts = np.bincount(labels, minlength=CLASSES)
        axis.bar(range(CLASSES), counts, bottom=bottom, color=colour, label=f"{label}: {len(images)}")
        bottom += counts
    axis.set(title="Test digits read wrong, by class", xlabel="label", ylabel="test digits", xticks=range(CLASSES))
    axis.legend()
    return figure
