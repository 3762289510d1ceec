"""What notebooks 04 to 06 say of their live runs and of the records is what those say."""

import re

import nbformat
import pytest

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sweeps import difference, read_study

SEEDED = r"points, seed by seed from ([+-][\d.]+) to ([+-][\d.]+)"


def printed(stem: str) -> str:
    """Return all that the committed notebook printed."""
    cells = nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def numbers(pattern: str, text: str) -> list[float]:
    found = re.search(pattern, text)
    assert found, pattern
    return [float(group) for group in found.groups()]


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


@pytest.mark.parametrize(("better", "worse"), [("onecycle", "dropout"), ("augmentation", "without_batchnorm")])
def test_what_the_notebooks_call_a_gain_in_every_seed_is_one(better, worse):
    assert difference(read_study(better), read_study(worse)).minimum > 0


@pytest.mark.parametrize(
    ("one", "other"), [("augmentation", "onecycle"), ("augmentation", "without_dropout"), ("dropout", "batchnorm")]
)
def test_what_the_notebooks_call_no_visible_gain_is_less_than_its_spread(one, other):
    found = difference(read_study(one), read_study(other))
    assert found.minimum < 0 < found.maximum


def test_with_onecycle_the_recorded_seeds_lie_closer_together():
    assert read_study("onecycle").test_accuracy.std < 0.5 * read_study("dropout").test_accuracy.std


def test_geometry_is_the_part_of_augmentation_that_counts():
    for whole, without, none, figure in (
        ("augmentation", "without", "onecycle", "test_accuracy"),
        ("writers_final", "writers_final_without", "writers_final_without_augmentation", "validation_accuracy"),
    ):
        costs = {
            part: -difference(read_study(f"{without}_{part}"), read_study(whole), figure).mean
            for part in ("affine", "colour", "erasing")
        }
        assert max(costs, key=costs.get) == "affine"
        assert costs["affine"] > -difference(read_study(none), read_study(whole), figure).mean
