"""Counts with and without the disputed labels, for answers chosen to make each count known."""

import pytest

from mnist_helpers.looking import DOUBTFUL_TEST_LABELS, count_right

NAMES = ["as labelled", "without the disputed digits", "disputed digits as most people read them"]


@pytest.mark.parametrize(("answer", "right"), [(4, 2), (9, 2), (1, 0)])
def test_either_reading_is_right_where_people_differ(mnist, answer, right):
    targets = mnist[1].targets
    answers = targets.clone()
    differ = [index for index, reading in DOUBTFUL_TEST_LABELS.items() if reading == "4 or 9"]
    answers[differ] = answer
    assert count_right(answers, targets)[NAMES[2]] == (9_985 + right, 9_997)


def test_answers_as_labelled_are_wrong_where_people_read_otherwise(mnist):
    targets = mnist[1].targets
    counts = count_right(targets, targets)
    assert list(counts) == NAMES
    # ten readings contradict the label, two leave it open, three are no digit
    assert list(counts.values()) == [(10_000, 10_000), (9_985, 9_985), (9_987, 9_997)]


def test_answers_as_people_read_are_wrong_where_labelled_otherwise(mnist):
    targets = mnist[1].targets
    answers = targets.clone()
    for index, reading in DOUBTFUL_TEST_LABELS.items():
        answers[index] = int(reading[0]) if reading != "no digit" else (answers[index] + 1) % 10
    assert list(count_right(answers, targets).values()) == [(9_987, 10_000), (9_985, 9_985), (9_997, 9_997)]


def test_an_error_elsewhere_counts_everywhere(mnist):
    targets = mnist[1].targets
    answers = targets.clone()
    answers[0] = (answers[0] + 1) % 10
    before, after = count_right(targets, targets), count_right(answers, targets)
    for name in NAMES:
        assert after[name] == (before[name][0] - 1, before[name][1])
