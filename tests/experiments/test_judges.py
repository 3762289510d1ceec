"""How far a way of holding out foretells the test: measured on studies whose truth is known."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sweeps.scripted import with_last

from mnist_helpers.experiments import judges
from mnist_helpers.experiments.judges import JUDGED, NETWORKS, WAYS, foretell, format_judges, plot_judges
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps import read_study
from mnist_helpers.sweeps.study import FinishedRun, make_study

TEST = np.linspace(0.02, 0.01, len(NETWORKS))[:, None] + np.zeros((len(NETWORKS), 10))


def studies(held_out: np.ndarray, test: np.ndarray = TEST) -> list:
    """Studies with these errors, (networks, seeds)."""
    run = read_study("sprint").runs[0]

    def finished(seed: int, errors: tuple[float, float]) -> FinishedRun:
        last = {"validation_accuracy": 1 - errors[0], "test_accuracy": 1 - errors[1]}
        return run.model_copy(update={"config": run.config.but(seed=seed), **with_last(run, **last)})

    return [
        make_study("made", {}, [finished(seed, pair) for seed, pair in enumerate(zip(*rows, strict=True))])
        for rows in zip(held_out, test, strict=True)
    ]


def test_a_judge_that_is_too_kind_has_a_bias_and_may_still_rank_well():
    found = foretell("last", studies(TEST - 0.002))
    assert found.bias.mean == pytest.approx(-0.002)
    assert found.correlation == found.alone == pytest.approx(1)
    assert found.interval == pytest.approx((1, 1))


def test_the_bias_is_a_mean_over_networks_and_its_spread_that_over_seeds():
    kindness = np.linspace(0, 0.004, TEST.shape[1])[None] + np.linspace(-0.001, 0.001, len(NETWORKS))[:, None]
    found = foretell("last", studies(TEST - kindness))
    assert found.bias.n == TEST.shape[1]
    assert (found.bias.mean, found.bias.std) == pytest.approx((-0.002, kindness.mean(0).std(ddof=1)))


def test_every_judge_holds_out_a_sixth_of_the_digits():
    assert {experiment.settings.get("validation_size") for experiment in JUDGED.values()} == {10_000}


def test_every_network_is_judged_as_it_was_trained_for_the_record():
    for (_, network), experiment in JUDGED.items():
        recorded = read_study(experiment.name).runs[0].config
        assert (recorded.model, recorded.epochs) == (network, 3)
        assert make_config(**experiment.settings).epochs == 3
    assert len(format_judges([]).splitlines()) == 1  # nothing is judged by looking


def test_a_judge_that_sees_the_opposite_ranks_the_opposite_way():
    assert foretell("drawn", studies(TEST[::-1])).correlation == pytest.approx(-1)


def test_noise_widens_the_interval_and_hurts_a_single_seed_more_than_ten():
    noise = np.random.default_rng(0).normal(0, 0.004, TEST.shape)
    found = foretell("drawn", studies(TEST + noise))
    low, high = found.interval
    assert low < found.correlation <= high
    assert high - low > 0.05
    assert found.alone < found.correlation


def test_what_is_printed_and_drawn_is_what_was_found(monkeypatch):
    monkeypatch.setattr(judges, "RESAMPLES", 20)
    found = [foretell(way, studies(TEST - 0.001)) for way in WAYS]
    header, *lines = format_judges(found).splitlines()
    assert [line[:22].strip() for line in lines] == list(WAYS.values())
    assert all("-0.10" in line and len(line) == len(header) <= 88 for line in lines)
    assert (
        format_judges([foretell("last", studies(TEST + 0.05))]).split("the last of the file")[1].split()[0] == "+5.00"
    )
    axes = plot_judges(found).axes
    assert [axis.get_title() for axis in axes] == [f"Held out: {words}" for words in WAYS.values()]
    for axis in axes:
        points, *_ = axis.containers[0]
        assert points.get_ydata() == pytest.approx(points.get_xdata() - 0.1)
    uneven = [foretell(way, studies(TEST * times)) for way, times in zip(WAYS, (1, 2, 3), strict=True)]
    assert len({(axis.get_xlim(), axis.get_ylim()) for axis in plot_judges(uneven).axes}) == 1
    plt.close("all")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_judges_differ_in_nothing_but_what_they_hold_out(network):
    first, *others = (make_config(**judges.JUDGED[way, network].settings) for way in WAYS)
    assert all({line.split(":")[0] for line in first.training_differences(each)} == {"held_out"} for each in others)
    assert {tuple(each.seeds) for each in JUDGED.values()} == {tuple(range(10))}
