"""Is one network better than another, or only luckier? Intervals and paired tests over seeds and over test images.

Two things are random in an accuracy: the seed, drawn anew for every run, and the 10,000 test images, the same for
all. Each has its own interval and its own test.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mnist_helpers.evaluation import accuracy_interval
from mnist_helpers.results import RunResults
from mnist_helpers.study import Spread, Study, differences, spread

TEST_IMAGES = 10_000
RESAMPLES = 20_000
"""Sign patterns drawn where there are too many to try all: a p-value's standard error is then at most 0.004."""


@dataclass(frozen=True)
class Comparison:
    """How one study does against another, over the seeds that both have."""

    difference: Spread
    """In test accuracy, seed by seed."""
    interval: tuple[float, float]
    """95 % interval of the mean difference over seeds (Student's t)."""
    seeds_p: float
    """Permutation test: how often the differences with random signs have a mean as far from 0."""
    images_p: float
    """The same with random signs for every test image's difference in how many seeds read it wrong: for one seed,
    McNemar's exact test."""


def mean_interval(found: Spread, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a mean over seeds by Student's t, for this test set; one run has none.

    Raises:
        ValueError: fewer than two runs.
    """
    if found.n < 2:
        raise ValueError(f"an interval needs two runs or more, given {found.n}")
    half = float(stats.t.ppf((1 + confidence) / 2, found.n - 1)) * found.std / found.n**0.5
    return found.mean - half, found.mean + half


def images_interval(found: Spread) -> tuple[float, float]:
    """Return Wilson's 95 % interval for other test images, as if the mean were one network's accuracy on 10,000."""
    return accuracy_interval(round(found.mean * TEST_IMAGES), TEST_IMAGES)


def mcnemar(mistakes: Sequence[int], others: Sequence[int]) -> tuple[int, int, float]:
    """Test two networks on the images that one of them reads and the other does not (McNemar 1947, exact).

    Args:
        mistakes: the test images that the one network gets wrong.
        others: those that the other gets wrong.

    Returns:
        How many only the one gets wrong, how many only the other, and the two-sided p-value of so uneven a split.
    """
    only_one, only_other = len(set(mistakes) - set(others)), len(set(others) - set(mistakes))
    if only_one + only_other == 0:
        return 0, 0, 1.0
    return only_one, only_other, float(stats.binomtest(only_one, only_one + only_other).pvalue)


def compare_studies(study: Study, other: Study) -> Comparison:
    """Compare two studies over the seeds both have.

    Raises:
        ValueError: they have fewer than two seeds in common, or a run without its mistakes on record.
    """
    ours, theirs = ({run.config.seed: run for run in one.runs} for one in (study, other))
    seeds = sorted(ours.keys() & theirs.keys())
    by_seed = differences(study, other)
    wrong = [_wrong_counts(one, [runs[seed] for seed in seeds]) for one, runs in ((study, ours), (other, theirs))]
    images = wrong[0].keys() | wrong[1].keys()
    # images on which both do equally well add nothing to the statistic, whatever their sign
    by_image = [count for image in sorted(images) if (count := wrong[1][image] - wrong[0][image])]
    found = spread(by_seed)
    return Comparison(found, mean_interval(found), sign_flip_p(by_seed), sign_flip_p(by_image))


def _wrong_counts(study: Study, runs: Sequence[RunResults]) -> Counter[int]:
    if any(run.test_mistakes is None for run in runs):
        raise ValueError(f"{study.name} has runs whose mistakes are not on record; repeat them with --again")
    return Counter(image for run in runs for image in run.test_mistakes)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a mean this far from 0 if every difference were as likely to be its negative.

    Fisher 1935, The Design of Experiments. Exact where there are few differences, otherwise drawn with a fixed seed.
    """
    if not any(differences):
        return 1.0
    found = stats.permutation_test(
        (np.asarray(differences, dtype=float),),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def format_comparisons(pairs: Sequence[tuple[Study, Study]]) -> str:
    """Return one line a pair: the first against the second, the difference in points, its interval, both p-values."""
    width = max(len(f"{study.name} against {other.name}") for study, other in pairs)
    header = ("difference", "95 % over seeds", "p, seeds", "p, images", "seeds")
    line = "{:>11s} {:>16s} {:>9s} {:>10s} {:>6s}"
    lines = [" " * width + line.format(*header)]
    for study, other in pairs:
        found = compare_studies(study, other)
        low, high = (100 * limit for limit in found.interval)
        figures = (
            f"{100 * found.difference.mean:+.2f}",
            f"{low:+.2f} to {high:+.2f}",
            f"{found.seeds_p:.3f}",
            f"{found.images_p:.3f}",
            f"{found.difference.n}",
        )
        lines.append(f"{f'{study.name} against {other.name}':{width}s}" + line.format(*figures))
    return "\n".join(lines)
