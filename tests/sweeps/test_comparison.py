"""Intervals and paired tests against hand-computed values and against what they promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mnist_helpers.sweeps.comparison import (
    compare_studies,
    format_comparisons,
    format_difference,
    format_interval,
    images_interval,
    mcnemar,
    mean_interval,
    sign_flip_p,
)
from mnist_helpers.sweeps.study import make_study, read_study, spread


def study(name, mistakes):
    """A study of as many seeds as there are lists of mistakes, each right on all other test images."""
    (run, *_) = read_study("sprint").runs
    last = run.history[-1]
    runs = [
        run.model_copy(
            update={
                "config": run.config.model_copy(update={"seed": seed}),
                "final_test_accuracy": (accuracy := 1 - len(wrong) / 10_000),
                "history": [last.model_copy(update={"test_accuracy": accuracy})],
                "test_mistakes": wrong,
            }
        )
        for seed, wrong in enumerate(mistakes)
    ]
    return make_study(name, {}, runs)


def test_an_interval_is_printed_in_percent_or_points():
    assert format_interval((0.9945, 0.99526), sign="") == "99.45 to 99.53"
    assert format_interval((-0.0005, 0.0123)) == "-0.05 to +1.23"


def test_a_difference_is_printed_in_points_with_its_extremes():
    found = spread([0.1, 0.2, -0.3])
    assert format_difference(found) == "+0.00 points, seed by seed from -30.00 to +20.00"
    assert format_difference(spread([0.25])).startswith("+25.00 points")


def test_a_comparison_is_printed_in_points_with_its_interval_and_the_seeds():
    better, worse = study("better", [[0], [1], [2]]), study("worse", [range(100), range(1, 101), range(2, 105)])
    header, line = format_comparisons([(better, worse)]).splitlines()
    assert header.split()[0] == "difference"
    assert line.split()[:6] == ["better", "against", "worse", "+1.00", "+0.96", "to"]
    assert line.split()[-1] == "3"


def test_the_interval_of_a_mean_is_students():
    values = [0.995, 0.996, 0.9945, 0.9955]
    low, high = mean_interval(spread(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    with pytest.raises(ValueError, match="two runs or more, given 1"):
        mean_interval(spread([0.99]))


def test_the_interval_covers_the_mean_in_95_of_100_samples():
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(2_000):
        low, high = mean_interval(spread(list(random.normal(0.99, 0.001, 10))))
        hits += low < 0.99 < high
    assert 0.93 < hits / 2_000 < 0.97


def test_the_test_sets_own_interval_is_wilsons_for_10_000_images():
    low, high = images_interval(spread([0.9965, 0.9965]))
    assert (round(low, 4), round(high, 4)) == (0.9951, 0.9975)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=9))
def test_sign_flips_are_all_tried(differences):
    """By brute force over all 2ⁿ signs; scipy counts both tails, twice the smaller."""
    means = [np.dot(signs, differences) for signs in itertools.product((1, -1), repeat=len(differences))]
    observed = sum(differences)
    tail = min(np.mean([m >= observed for m in means]), np.mean([m <= observed for m in means]))
    assert sign_flip_p(differences) == pytest.approx(min(1, 2 * tail))


def test_mcnemar_looks_at_what_only_one_gets_wrong():
    assert mcnemar([1, 2, 3], [3, 4]) == (2, 1, 1.0)
    assert mcnemar([5], [5]) == (0, 0, 1.0)
    only_one, only_other, p = mcnemar(list(range(20)), list(range(18, 23)))
    assert (only_one, only_other) == (18, 3)
    assert p == pytest.approx(stats.binomtest(3, 21).pvalue)


def test_with_one_difference_an_image_the_permutation_test_is_mcnemars():
    first, other = study("a", [range(12), range(12)]), study("b", [range(9, 15), range(9, 15)])
    # both seeds alike: 9 images only the one gets wrong, 3 only the other, each twice
    found = compare_studies(first, other)
    assert found.images_p == pytest.approx(mcnemar(range(12), range(9, 15))[2], abs=0.01)
    assert found.difference.mean == pytest.approx(-6 / 10_000)


def test_a_clear_difference_is_told_from_none():
    worse, better = (study(name, [range(s, s + wrong) for s in range(10)]) for name, wrong in (("w", 60), ("b", 40)))
    clear, none = compare_studies(better, worse), compare_studies(better, better)
    assert clear.difference.mean == pytest.approx(20 / 10_000)
    assert clear.seeds_p == pytest.approx(2 / 2**10)
    assert clear.images_p < 0.01
    assert none.seeds_p == none.images_p == 1
    low, high = clear.interval
    assert low <= clear.difference.mean <= high


def test_studies_without_mistakes_on_record_cannot_be_compared_image_by_image():
    old = study("old", [range(3), range(4)])
    old = old.model_copy(update={"runs": [run.model_copy(update={"test_mistakes": None}) for run in old.runs]})
    with pytest.raises(ValueError, match="old has runs whose mistakes are not on record"):
        compare_studies(old, study("new", [range(3), range(4)]))


def test_only_the_seeds_that_both_have_are_compared():
    """What the others of a study get wrong says nothing: neither of seeds nor of images."""
    ours, theirs = [[1, 2], [2, 3]], [[1], [2]]
    found = compare_studies(study("a", ours), study("b", theirs))
    for more in ([list(range(100, 160))], [list(range(100, 160)), [7]]):
        longer = compare_studies(study("a", ours + more), study("b", theirs))
        assert longer == found
        assert compare_studies(study("a", ours), study("b", theirs + more)) == found
