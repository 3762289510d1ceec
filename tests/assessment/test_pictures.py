"""The pictures show what they are given."""

import matplotlib.pyplot as plt
import pytest

from mnist_helpers.assessment import plot_among_the_ledger, plot_mistakes, plot_place
from mnist_helpers.sweeps import read_study


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize(("mine", "theirs"), [([0, 1, 2, 5], [2, 3]), ([], [4]), ([4], [])])
def test_every_digit_that_somebody_misreads_is_drawn_once_in_its_class(mine, theirs):
    targets = [7, 7, 7, 3, 0, 9]
    (axis,) = plot_mistakes(mine, theirs, targets, ("yours", "final")).axes
    groups = (set(mine) - set(theirs), set(mine) & set(theirs), set(theirs) - set(mine))
    for bars, images in zip(axis.containers, groups, strict=True):
        assert [bar.get_height() for bar in bars] == [sum(targets[i] == digit for i in images) for digit in range(10)]
    tops = [sum(bars[digit].get_height() for bars in axis.containers) for digit in range(10)]
    last = axis.containers[-1]
    assert [bar.get_y() + bar.get_height() for bar in last] == tops


def test_a_study_stands_at_its_size_and_error_and_the_ticks_fit_a_bad_one():
    study = read_study("tiny").model_copy(update={"name": "mine"})
    bad = study.test_accuracy.model_copy(update={"mean": 0.5})
    (axis,) = plot_place(study.model_copy(update={"test_accuracy": bad})).axes
    (diamond,) = [line for line in axis.lines if str(line.get_label()).startswith("mine: mean")]
    assert (diamond.get_xdata()[0], diamond.get_ydata()[0]) == (3_898, 50)
    assert [tick.get_text() for tick in axis.get_yticklabels()][-1] in ("30", "60")
    rows = plot_among_the_ledger(study).axes[0].get_yticklabels()
    assert rows[-1].get_text() == "mine"
