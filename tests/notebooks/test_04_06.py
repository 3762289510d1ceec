"""What notebooks 04 to 06 say of their live runs and of the records is what those say."""

import pytest
from notebooks.told import numbers, printed, prose

from mnist_helpers.experiments import read_verdicts
from mnist_helpers.experiments.judge import PARTS
from mnist_helpers.sweeps import difference, differences, mean_interval, read_study, spread

SEEDED = r"points, seed by seed from ([+-][\d.]+) to ([+-][\d.]+)"


OWN = r"(?s).*of its own digits it reads ([\d.]+)%"
TEST = r"(?s).*of its own digits it reads [\d.]+%, of the test digits ([\d.]+)%"


@pytest.mark.parametrize(
    ("told", "text", "by", "pattern"),
    [
        ("05_learning_rate", "and ended at {:.2f} %", "04_batchnorm_and_dropout", TEST),
        ("solutions/04_batchnorm_and_dropout", "reads {:.2f} % of its own", "04_batchnorm_and_dropout", OWN),
        ("solutions/05_learning_rate", "at the constant rate end at {:.1f} %", "05_learning_rate",
         r"constant 0\.01 +validation accuracy ([\d.]+)%"),
        ("solutions/05_learning_rate", "constant rate of 0.1 ends at {:.1f} %", "05_learning_rate",
         r"constant 0\.1 +validation accuracy ([\d.]+)%"),
        ("solutions/05_learning_rate", "and OneCycle at {:.1f} %", "05_learning_rate",
         r"OneCycle to 0\.1 +validation accuracy ([\d.]+)%"),
        ("solutions/06_augmentation", "plain run in the notebook ({:.1f} %)", "06_augmentation",
         r"plain +own digits +[\d.]+%, new digits +([\d.]+)%"),
        ("solutions/06_augmentation", "augmented run ({:.2f} % of its own digits", "06_augmentation",
         r"augmented +own digits +([\d.]+)%"),
        ("solutions/06_augmentation", "its own digits, {:.2f} % of new ones)", "06_augmentation",
         r"augmented +own digits +[\d.]+%, new digits +([\d.]+)%"),
    ],
)  # fmt: skip
def test_what_is_told_of_another_notebooks_live_run_is_what_that_printed(told, text, by, pattern):
    assert text.format(*numbers(pattern, printed(by))) in prose(told)


def test_onecycle_beats_both_constant_rates_in_the_live_runs():
    text = printed("05_learning_rate")
    rates = ("constant 0.01", "constant 0.1", "OneCycle to 0.1")
    small, large, onecycle = (numbers(rf"{rate} +([\d.]+)%", text)[0] for rate in rates)
    assert onecycle > max(small, large)


def test_augmentation_gains_in_every_live_seed_and_stops_learning_by_heart():
    text = printed("06_augmentation")
    low, _ = numbers(rf"augmentation gains [+-][\d.]+ {SEEDED}", text)
    assert low > 0.3
    plain, augmented = (
        numbers(rf"{name} +own digits +([\d.]+)%, new digits +([\d.]+)%", text) for name in ("plain", "augmented")
    )
    assert plain[0] > 99.5
    assert augmented[0] - augmented[1] < plain[0] - plain[1]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("batchnorm", "skeleton"),
        ("onecycle", "dropout"),
        ("augmentation", "without_batchnorm"),
        ("augmentation", "constant_rate_0.1"),
    ],
)
def test_what_the_notebooks_call_a_gain_in_every_seed_is_one(better, worse):
    assert difference(read_study(better), read_study(worse)).minimum > 0


@pytest.mark.parametrize(
    ("one", "other", "figure"),
    [
        ("dropout", "batchnorm", "test_accuracy"),
        ("batchnorm", "baseline", "test_accuracy"),
        ("writers_final_without_dropout", "writers_final", "validation_accuracy"),
        ("writers_final_without_colour", "writers_final", "validation_accuracy"),
        ("writers_final_without_erasing", "writers_final", "validation_accuracy"),
        ("writers_final_without_augmentation", "writers_final", "validation_accuracy"),
    ],
)
def test_what_the_notebooks_call_no_clear_gain_has_both_signs(one, other, figure):
    found = difference(read_study(one), read_study(other), figure)
    assert found.minimum < 0 < found.maximum


def test_with_batchnorm_every_recorded_run_learns_and_its_mean_gain_is_made_by_two_seeds():
    assert read_study("batchnorm").test_accuracy.minimum > 0.97
    gains = sorted(differences(read_study("batchnorm"), read_study("skeleton")))
    assert len(gains) == 10
    assert 0.002 < gains[0] < 0.0025
    assert 0.865 < gains[-1] < 0.875
    assert sum(gains[-2:]) > 0.5 * sum(gains)


def test_batchnorm_comes_within_half_a_point_of_the_baseline_and_passes_it_in_two_seeds():
    lead = differences(read_study("batchnorm"), read_study("baseline"))
    assert -0.005 < sum(lead) / len(lead) < -0.004
    assert sum(each > 0 for each in lead) == 2
    parameters = [read_study(name).parameters for name in ("baseline", "batchnorm")]
    assert round(parameters[0] / parameters[1]) == 63


def test_with_onecycle_the_worst_recorded_seed_is_above_the_best_without_and_they_lie_closer_together():
    onecycle, constant = (read_study(name).test_accuracy for name in ("onecycle", "dropout"))
    assert onecycle.minimum > constant.maximum
    assert onecycle.std < 0.1 * constant.std


def test_with_many_digits_and_four_epochs_augmentation_costs_a_little():
    for figure in ("test_accuracy", "validation_accuracy"):
        change = differences(read_study("onecycle"), read_study("augmentation"), figure)
        assert sum(each > 0 for each in change) == 9
        low, high = mean_interval(difference(read_study("onecycle"), read_study("augmentation"), figure))
        assert 0 < low < high < 0.0025


SHORT_PARTS = ("affine", "colour", "erasing", "dropout", "batchnorm")


@pytest.mark.parametrize("name", [*(f"without_{part}" for part in SHORT_PARTS), "constant_rate_0.1"])
def test_the_short_ablations_are_three_seeds_from_a_cpu(name):
    runs = read_study(name).runs
    assert [run.config.seed for run in runs] == [0, 1, 2]
    assert {run.environment.device for run in runs} == {"cpu"}


def test_onecycle_is_worth_most_and_batchnorm_four_tenths_of_a_point():
    whole = read_study("augmentation")
    changes = {name: difference(read_study(name), whole) for name in ("constant_rate_0.1", "without_batchnorm")}
    assert changes["constant_rate_0.1"].maximum < changes["without_batchnorm"].minimum
    assert -0.0045 < changes["without_batchnorm"].mean < -0.0035
    assert changes["without_batchnorm"].mean < difference(read_study("without_dropout"), whole).minimum
    against_small = difference(read_study("dropout"), read_study("onecycle")).mean
    assert changes["constant_rate_0.1"].mean < against_small


JUDGED = "validation_accuracy"


def test_geometry_is_the_part_of_augmentation_that_counts():
    whole = read_study("writers_final")
    without = {
        part: differences(read_study(f"writers_final_without_{part}"), whole, JUDGED)
        for part in ("affine", "colour", "erasing", "augmentation", "dropout")
    }
    assert {len(found) for found in without.values()} == {10}
    fewer = {part: sum(each < 0 for each in found) for part, found in without.items()}
    assert (fewer["affine"], fewer["augmentation"]) == (9, 8)
    high = {part: mean_interval(spread(found))[1] for part, found in without.items()}
    assert [part for part, end in high.items() if end < 0] == ["affine"]
    assert 0 <= high["augmentation"] < 1e-6  # it just reaches 0
    assert spread(without["augmentation"]).mean == pytest.approx(-0.0005, abs=2e-4)
    verdicts = read_verdicts(PARTS)
    assert len(verdicts) == 5
    assert [found.tried.name for found, p in verdicts if p < 0.05] == ["writers_final_without_affine"]


def test_without_dropout_no_short_or_long_record_is_worse():
    short = difference(read_study("without_dropout"), read_study("augmentation"))
    long = difference(read_study("writers_final_without_dropout"), read_study("writers_final"), "validation_accuracy")
    assert min(short.mean, long.mean) > 0
