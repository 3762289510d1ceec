"""What pictures show and leave out."""

from types import SimpleNamespace

import pytest

from mnist_helpers.looking import plot_history, plot_symptoms
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


def test_symptoms_are_losses_in_tens_one_batch_and_the_last_gradients_up_to_the_frame():
    early, late = {"first": 9.0, "last": 9.0}, {"first": 2.0, "last": 1e6}
    whole = SimpleNamespace(losses=[1.0] * 10 + [3.0] * 10 + [99.0] * 5, gradients=[early] * 20 + [late] * 63)
    batch = SimpleNamespace(losses=[2.0, 1.0, 0.5], gradients=[late] * 3)
    left, middle, right = plot_symptoms({"healthy": (whole, batch), "patient": (whole, batch)}).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["healthy", "patient"]
    assert left.lines[0].get_xydata().tolist() == [[10, 1], [20, 3]]
    assert middle.lines[0].get_xydata().tolist() == [[1, 2], [2, 1], [3, 0.5]]
    assert right.lines[0].get_ydata().tolist() == [2, right.get_ylim()[1]]
    assert all(axis.lines[-1].get_ydata()[0] == pytest.approx(2.302585) for axis in (left, middle))
