"""Measurements take turns in processes of their own and are compared within a repeat."""

import os
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.benchmarks import Taken, compare, take_turns, timed

positive = st.floats(0.01, 100)


def process_of(repeat):
    yield Taken("first", float(os.getpid()))
    yield Taken("second", float(repeat), test_accuracy=0.5)


def stops_early(repeat):
    yield Taken("first", 1.0)
    if repeat == 1:
        os._exit(1)


@pytest.mark.training
def test_repeats_are_processes_of_their_own():
    found = take_turns(process_of, repeats=2)
    processes = {taken.seconds for taken in found["first"]} | {os.getpid()}
    assert len(processes) == 3
    assert [taken.seconds for taken in found["second"]] == [0, 1]
    assert {taken.test_accuracy for taken in found["second"]} == {0.5}


@pytest.mark.training
def test_a_repeat_that_ends_early_is_an_error_not_a_smaller_sample():
    with pytest.raises(BrokenProcessPool):
        take_turns(stops_early, repeats=2)


def breaks(repeat):
    yield Taken("first", 1.0)
    raise ValueError("no such contestant")


@pytest.mark.training
def test_the_error_of_a_repeat_is_told():
    with pytest.raises(ValueError, match="no such contestant"):
        take_turns(breaks, repeats=1)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=9), st.floats(0.1, 10))
def test_a_machine_that_slows_down_between_repeats_does_not_change_a_ratio(repeats, factor):
    """Every repeat's contestants are `factor` apart, whatever the repeat's own pace."""
    found = {
        "slow": [Taken("slow", pace) for pace, _ in repeats],
        "fast": [Taken("fast", pace * factor) for pace, _ in repeats],
    }
    measured = compare(found, ["slow"])
    assert measured["slow"].ratios == {"slow": 1.0}
    assert measured["fast"].ratios["slow"] == pytest.approx(factor, abs=1e-5)


def test_timed_returns_seconds_and_result():
    seconds, result = timed(partial(sum, [1, 2]))
    assert result == 3
    assert 0 <= seconds < 1
