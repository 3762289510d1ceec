"""Is one network better than another, or only luckier? Differences, intervals and paired tests.

Two things are random in an accuracy: the seed, drawn anew for every run, and the 10,000 test images, the same for
all. Each has its own interval and its own test.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_helpers.sweeps.study import FinishedRun, Spread, Study, spread
from mnist_helpers.training import accuracy_interval

TEST_IMAGES = 10_000
RESAMPLES = 20_000  # sign patterns, where there are too many to try all: a p-value's standard error is then ≤ 0.004


@dataclass(frozen=True)
class Comparison:
    """How one study does against another in test accuracy, over the seeds that both have; the p-values are of signs.

    `seeds_p` flips those of the seeds' differences; `images_p` those of every test image's difference in how many
    seeds read it wrong: for one seed, McNemar's exact test.
    """

    difference: Spread
    interval: tuple[float, float]
    seeds_p: float
    images_p: float


def difference(study: Study, other: Study, figure: str = "test_accuracy") -> Spread:
    """Return the spread of the `differences`."""
    return spread(differences(study, other, figure))


def differences(study: Study, other: Study, figure: str = "test_accuracy") -> list[float]:
    """Return how much higher a figure of the last epoch is in `study` than in `other`, for each seed both have.

    Pairs share the split and the order of images: they differ less than any two runs. ValueError where there is none.
    """
    return [getattr(one.history[-1], figure) - getattr(two.history[-1], figure) for one, two in _pairs(study, other)]


def _pairs(study: Study, other: Study) -> list[tuple[FinishedRun, FinishedRun]]:
    mine, theirs = ({run.config.seed: run for run in one.runs} for one in (study, other))
    if not mine.keys() & theirs.keys():
        raise ValueError(f"{study.name} has seeds {sorted(mine)}, {other.name} has {sorted(theirs)}: none in common")
    return [(mine[seed], theirs[seed]) for seed in sorted(mine.keys() & theirs.keys())]


def mean_interval(found: Spread) -> tuple[float, float]:
    """Return the 95 % interval of a mean over seeds by Student's t, for this test set; ValueError for one run."""
    if found.n < 2:
        raise ValueError(f"an interval needs two runs or more, given {found.n}")
    from scipy import stats  # in functions: half a second, which most commands need not wait for

    half = float(stats.t.ppf(0.975, found.n - 1)) * found.std / found.n**0.5
    return found.mean - half, found.mean + half


def images_interval(found: Spread) -> tuple[float, float]:
    """Return Wilson's 95 % interval for other test images, as if the mean were one network's accuracy on 10,000."""
    return accuracy_interval(round(found.mean * TEST_IMAGES), TEST_IMAGES)


def mcnemar(mistakes: Sequence[int], others: Sequence[int]) -> tuple[int, int, float]:
    """Test two networks on the images that one of them reads and the other does not (McNemar 1947, exact).

    Returns how many only the one gets wrong, how many only the other, and the two-sided p-value of so uneven a split.
    """
    only_one, only_other = len(set(mistakes) - set(others)), len(set(others) - set(mistakes))
    if only_one + only_other == 0:
        return 0, 0, 1.0
    from scipy import stats

    return only_one, only_other, float(stats.binomtest(only_one, only_one + only_other).pvalue)


def compare_studies(study: Study, other: Study) -> Comparison:
    """Compare two studies; ValueError with fewer than two seeds in common or a run without mistakes on record."""
    by_seed, pairs = differences(study, other), _pairs(study, other)
    ours, theirs = (_wrong_counts(study, [one for one, _ in pairs]), _wrong_counts(other, [two for _, two in pairs]))
    # images on which both do equally well add nothing to the statistic, whatever their sign
    by_image = [count for image in sorted(ours | theirs) if (count := theirs[image] - ours[image])]
    found = spread(by_seed)
    return Comparison(found, mean_interval(found), sign_flip_p(by_seed), sign_flip_p(by_image))


def _wrong_counts(study: Study, runs: Sequence[FinishedRun]) -> Counter[int]:
    if any(run.test_mistakes is None for run in runs):
        raise ValueError(f"{study.name} has runs whose mistakes are not on record; repeat them with --again")
    return Counter(image for run in runs for image in run.test_mistakes)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a mean this far from 0 if every difference were as likely to be its negative.

    Fisher 1935, The Design of Experiments. Exact where there are few differences, otherwise drawn with a fixed seed.
    """
    if not any(differences):
        return 1.0
    from scipy import stats

    values, random = np.asarray(differences, dtype=float), np.random.default_rng(0)
    found = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, rng=random)
    return float(found.pvalue)


def format_difference(found: Spread) -> str:
    """Return a `difference` in points, such as `+0.12 points, seed by seed from +0.05 to +0.20`."""
    points = (100 * value for value in (found.mean, found.minimum, found.maximum))
    return "{:+.2f} points, seed by seed from {:+.2f} to {:+.2f}".format(*points)


def format_interval(interval: tuple[float, float], sign: str = "+") -> str:
    """Return an interval of shares in percent or points, such as `+0.05 to +0.20`."""
    low, high = (100 * limit for limit in interval)
    return f"{low:{sign}.2f} to {high:{sign}.2f}"


def format_comparisons(pairs: Sequence[tuple[Study, Study]]) -> str:
    """Return one line a pair: the first against the second, the difference in points, its interval, both p-values."""
    names = [f"{study.name} against {other.name}" for study, other in pairs]
    line = f"{{:{max(map(len, names))}s}}{{:>11s}} {{:>16s}} {{:>9s}} {{:>10s}} {{:>6s}}"
    lines = [line.format("", "difference", "95 % over seeds", "p, seeds", "p, images", "seeds")]
    for name, (study, other) in zip(names, pairs, strict=True):
        found = compare_studies(study, other)
        mean, interval = f"{100 * found.difference.mean:+.2f}", format_interval(found.interval)
        p_values = (f"{found.seeds_p:.3f}", f"{found.images_p:.3f}")
        lines.append(line.format(name, mean, interval, *p_values, f"{found.difference.n}"))
    return "\n".join(lines)
