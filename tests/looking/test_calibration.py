"""Calibration measures on answers whose true reliability is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from mnist_helpers.looking import answers as answering
from mnist_helpers.looking import expected_calibration_error, reliability


def answers(confidence, accuracy, seed=0):
    """Probabilities (N, 10) with the given confidences, right with the given chances."""
    generator = np.random.default_rng(seed)
    confidence = np.asarray(confidence)
    probabilities = np.repeat((1 - confidence)[:, None] / 9, 10, axis=1)
    probabilities[:, 3] = confidence
    targets = np.where(generator.random(len(confidence)) < accuracy, 3, 7)
    return torch.from_numpy(probabilities).float(), torch.from_numpy(targets)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibrated_answers_have_no_gap(strategy):
    confidence = np.random.default_rng(1).uniform(0.2, 1, 100_000)
    assert expected_calibration_error(reliability(*answers(confidence, confidence), strategy)) < 0.01


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("gap", [-0.1, 0.05, 0.2])
def test_the_known_gap_is_found(strategy, gap):
    confidence = np.random.default_rng(1).uniform(0.4, 0.85, 100_000)
    bins = reliability(*answers(confidence, confidence - gap), strategy)
    assert expected_calibration_error(bins) == pytest.approx(abs(gap), abs=0.01)
    assert (np.sign(bins.confidence - bins.accuracy) == np.sign(gap)).all()


def test_the_error_weighs_bins_by_their_answers():
    """Three answers of 50 %, all wrong, and one of 100 %, right: three quarters of a gap of one half."""
    bins = reliability(*answers([0.5, 0.5, 0.5, 1.0], [0, 0, 0, 1]))
    assert bins.counts.tolist() == [3, 1]
    assert bins.correct.tolist() == [0, 1]
    assert expected_calibration_error(bins) == pytest.approx(0.375, abs=1e-6)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_bins_are_those_of_scikit_learn(strategy):
    confidence = np.random.default_rng(2).uniform(0.3, 1, 2_000)
    probabilities, targets = answers(confidence, confidence**2)
    right = (targets == 3).numpy()
    accuracy, mean = calibration_curve(right, probabilities[:, 3].double().numpy(), n_bins=15, strategy=strategy)
    bins = reliability(probabilities, targets, strategy)
    np.testing.assert_allclose(bins.accuracy, accuracy)
    np.testing.assert_allclose(bins.confidence, mean)


def test_quantile_bins_hold_equally_many():
    confidence = np.random.default_rng(3).uniform(0.3, 1, 1_500)
    assert np.ptp(reliability(*answers(confidence, 0.9), "quantile").counts) <= 1


@given(st.lists(st.floats(0.2, 1), min_size=1, max_size=40), st.sampled_from(["uniform", "quantile"]))
def test_every_answer_is_in_one_bin(confidence, strategy):
    bins = reliability(*answers(confidence, 0.5), strategy)
    assert bins.counts.sum() == len(confidence)
    assert (bins.counts > 0).all()
    assert ((bins.correct >= 0) & (bins.correct <= bins.counts)).all()
    assert 0 <= expected_calibration_error(bins) <= 1


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_an_answer_on_an_edge_is_in_scikit_learns_bin(strategy, monkeypatch):
    """With edges that are numbers of the data: half of the answers lie on one, on the same side as theirs."""
    monkeypatch.setattr(answering, "BINS", 4)
    confidence = np.repeat([0.25, 0.375, 0.5, 0.625, 0.75, 0.875], [3, 2, 4, 3, 2, 2])
    probabilities, targets = answers(confidence, confidence)
    right = (targets == 3).numpy()
    accuracy, mean = calibration_curve(right, probabilities[:, 3].double().numpy(), n_bins=4, strategy=strategy)
    bins = reliability(probabilities, targets, strategy)
    np.testing.assert_allclose(bins.accuracy, accuracy)
    np.testing.assert_allclose(bins.confidence, mean)
