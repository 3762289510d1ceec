"""What pictures show and leave out."""

import pytest

from mnist_helpers.looking import plot_history
from mnist_helpers.training import EpochRecord

RECORD = EpochRecord(
    epoch=1, train_loss=0.5, train_accuracy=0.7, validation_loss=0.1, validation_accuracy=0.9, test_loss=0.2,
    test_accuracy=0.6, learning_rate=0.1, seconds=1,
)  # fmt: skip
WITHOUT_TEST = RECORD.model_copy(update={"test_loss": None, "test_accuracy": None})


@pytest.mark.parametrize(
    ("record", "lines", "worst"),
    [(RECORD, ["train", "validation", "test"], 40), (WITHOUT_TEST, ["train", "validation"], 30)],
)
def test_a_history_has_a_line_for_each_set_of_images_that_was_measured(record, lines, worst):
    losses, errors = plot_history([record, record.model_copy(update={"epoch": 2})]).axes
    assert [line.get_label() for line in losses.lines] == lines
    assert errors.get_ylim() == (0, pytest.approx(1.2 * worst))
