"""Three ways of holding out training digits, and how far each foretells the test error of six networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from mnist_helpers.experiments.experiment import SEEDS, Experiment
from mnist_helpers.experiments.speedups import STEPS
from mnist_helpers.looking import BLUE, GREEN, GREY, ORANGE, panels
from mnist_helpers.sweeps import Spread, Study, format_interval, mean_interval, read_study, spread

NETWORKS = ("compact_1904", "compact_2930", "tiny", "compact_5044", "fast", "compact_19546")
WAYS = {
    "drawn": "drawn at random",
    "last": "the last of the file",
    "writers": "by other writers",
}
JUDGED = {
    (way, network): Experiment(
        f"judge_{way}_{network}",
        f"{network}, held out {words}",
        {"model": network, "epochs": 3, "held_out": way, "validation_size": 10_000},
        SEEDS,
    )
    for way, words in WAYS.items()
    for network in NETWORKS
}
# with digits drawn, the fast network's recipe has been run already
JUDGED["drawn", "fast"] = STEPS[-1]
RESAMPLES = 2_000


@dataclass(frozen=True)
class Foretold:
    """What a judge says of the networks, beside the test: errors as shares, (networks, seeds) float64.

    `bias` is the spread over seeds of held-out minus test error, the mean over networks of each seed; `correlation`
    is Spearman's, of the networks' mean errors, with its 95 % interval over resampled seeds (bootstrap: Efron 1979,
    https://doi.org/10.1214/aos/1176344552); `alone` the mean of the correlations of single seeds.
    """

    way: str
    held_out: np.ndarray
    test: np.ndarray
    bias: Spread
    correlation: float
    interval: tuple[float, float]
    alone: float


def foretell(way: str, studies: Sequence[Study]) -> Foretold:
    """Return how far the held-out errors of these studies foretell their test errors; all have the same seeds."""
    held_out, test = (
        np.array([[1 - getattr(run.history[-1], figure) for run in study.runs] for study in studies])
        for figure in ("validation_accuracy", "test_accuracy")
    )
    random, seeds = np.random.default_rng(0), held_out.shape[1]
    drawn = [_rank(held_out[:, some], test[:, some]) for some in random.integers(seeds, size=(RESAMPLES, seeds))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    alone = np.mean([_rank(held_out[:, [seed]], test[:, [seed]]) for seed in range(seeds)])
    bias = spread((held_out - test).mean(0).tolist())
    return Foretold(way, held_out, test, bias, _rank(held_out, test), (float(low), float(high)), float(alone))


def _rank(held_out: np.ndarray, test: np.ndarray) -> float:
    return float(stats.spearmanr(held_out.mean(1), test.mean(1)).statistic)


def read_judges() -> list[Foretold]:
    """Return what each way of holding out foretold; FileNotFoundError where that is not on record (`make judge`)."""
    return [foretell(way, [read_study(JUDGED[way, network].name) for network in NETWORKS]) for way in WAYS]


def format_judges(found: Sequence[Foretold]) -> str:
    """Return one line a judge: held-out minus test error in points, the rank correlations, both with intervals."""
    header = f"{'held out':22s}{'bias':>7s}{'95 % interval':>17s}{'ranks':>8s}{'95 % interval':>16s}{'one seed':>10s}"
    lines = []
    for each in found:
        bias = f"{100 * each.bias.mean:+7.2f}{format_interval(mean_interval(each.bias)):>17s}"
        ranks = f"{each.correlation:8.2f}{'{:.2f} to {:.2f}'.format(*each.interval):>16s}{each.alone:10.2f}"
        lines.append(f"{WAYS[each.way]:22s}{bias}{ranks}")
    return "\n".join([header, *lines])


def plot_judges(found: Sequence[Foretold]) -> Figure:
    """Draw each network's held-out error against its test error, means and deviations over seeds, a judge a panel."""
    figure, axes = panels(3.4, 1, len(found), sharex=True, sharey=True)
    errors = 100 * np.array([(each.held_out, each.test) for each in found]).mean(-1)
    limits = [0.8 * errors.min(), 1.1 * errors.max()]
    for axis, each, colour in zip(axes, found, (BLUE, ORANGE, GREEN), strict=True):
        across, up = 100 * each.test, 100 * each.held_out
        axis.errorbar(
            across.mean(1), up.mean(1), yerr=up.std(1, ddof=1), xerr=across.std(1, ddof=1), fmt="o", color=colour
        )
        axis.plot(limits, limits, color=GREY, linewidth=1)
        axis.set(title=f"Held out: {WAYS[each.way]}", xlabel="test error (%)")
    axes[0].set_ylabel("held-out error (%)")
    return figure
