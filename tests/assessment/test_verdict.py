"""Three outcomes and what parts them; limits that no accuracy makes up for."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mnist_helpers.assessment.verdict import (
    NOT_YET,
    OPEN,
    PASSED,
    REFUSED,
    STATUS,
    judge,
    read_verdict,
    write_verdict,
)
from mnist_helpers.runs import ACCURACY_GOAL
from mnist_helpers.sweeps import Spread, spread

KEPT = {"parameters": 19_999, "epochs": 19}


@settings(deadline=None)
@given(st.lists(st.floats(0.98, 1), min_size=2, max_size=20))
def test_the_outcome_is_where_students_interval_lies(accuracies):
    verdict = judge(spread(accuracies), **KEPT)
    mean, half = math.fsum(accuracies) / len(accuracies), 0.0
    if len(set(accuracies)) > 1:
        half = stats.sem(accuracies) * stats.t.ppf(0.975, len(accuracies) - 1)
    if abs(mean - half - ACCURACY_GOAL) > 1e-9 and abs(mean + half - ACCURACY_GOAL) > 1e-9:
        expected = PASSED if mean - half > ACCURACY_GOAL else NOT_YET if mean + half < ACCURACY_GOAL else OPEN
        assert verdict.outcome == expected
    assert verdict.sentence.startswith(verdict.outcome)
    assert verdict.interval == pytest.approx((max(mean - half, 0), min(mean + half, 1)))


def test_two_seeds_far_apart_say_nothing_but_no_accuracy_beyond_0_and_100():
    verdict = judge(spread([0.45, 0.77]), **KEPT)
    assert verdict.interval == (0, 1)
    assert "0.000 to 100.000 %" in verdict.sentence


def same(value: float) -> Spread:
    return Spread(mean=value, std=0, minimum=value, maximum=value, n=5)


def test_an_end_on_the_line_is_neither_above_nor_below():
    above, below = math.nextafter(ACCURACY_GOAL, 1), math.nextafter(ACCURACY_GOAL, 0)
    outcomes = [judge(same(value), **KEPT).outcome for value in (below, ACCURACY_GOAL, above)]
    assert outcomes == [NOT_YET, OPEN, PASSED]


def test_five_seeds_are_judged_by_2_776_standard_errors():
    found = Spread(mean=0.9950, std=0.0005, minimum=0.99, maximum=1, n=5)
    assert judge(found, **KEPT).interval[0] == pytest.approx(0.9950 - 2.7764 * 0.0005 / 5**0.5, abs=1e-7)


@pytest.mark.parametrize("beyond", [{"parameters": 20_000}, {"epochs": 20}])
def test_limits_that_are_not_kept_are_refused_whatever_the_accuracy(beyond):
    verdict = judge(same(1.0), **KEPT | beyond)
    assert verdict.outcome == REFUSED
    assert "allowed: fewer than 20,000 parameters and fewer than 20 epochs" in verdict.sentence


def test_one_seed_is_no_verdict():
    with pytest.raises(ValueError, match="an interval needs two runs or more"):
        judge(spread([0.999]), **KEPT)


def test_a_verdict_survives_the_disk_and_every_outcome_has_its_own_exit_status(tmp_path):
    verdict = judge(same(0.995), **KEPT)
    write_verdict(verdict, tmp_path)
    assert read_verdict(tmp_path) == verdict
    assert len(set(STATUS.values())) == 4
    assert 2 not in STATUS.values()
