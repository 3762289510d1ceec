"""When the reader answers and when it does not, and that its record is true."""

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers.data import load_split
from mnist_helpers.handwriting import (
    MARK,
    NO_DIGIT,
    NOT_SURE,
    Reader,
    capitals,
    count_answers,
    load_reader,
    load_refusal,
    read_thresholds,
)
from mnist_helpers.handwriting.calibrate import HELD_OUT, LEARNT, ODDITIES, answer, calibrate
from mnist_helpers.handwriting.oddities import make_oddities
from mnist_helpers.handwriting.prepare import prepare
from mnist_helpers.handwriting.refusal import FOLDER
from mnist_helpers.handwriting.thresholds import WANTED, choose_threshold
from mnist_helpers.networks import SHARED, WEIGHTS_FILE, load
from mnist_helpers.paths import resolve


@pytest.fixture(scope="module")
def held_out():
    """Three hundred training digits by writers that neither thresholds' networks nor refusal have seen."""
    split = load_split("data", HELD_OUT["validation_size"], None, HELD_OUT["seed"], "writers", HELD_OUT["fold"])
    return split.validation.take(torch.arange(300))


@pytest.fixture(scope="module")
def reader():
    return load_reader("tiny")


def test_digits_are_read_and_anything_else_is_not(reader, held_out):
    readings = reader.read(held_out.pixels)
    right = [one.digit == label for one, label in zip(readings, held_out.targets.tolist(), strict=True)]
    assert sum(right) > 270
    assert sum(one.why == NO_DIGIT for one in readings) < 6
    blank = torch.zeros(1, 28, 28, dtype=torch.uint8)
    assert [one.why for one in reader.read(blank)] == [NO_DIGIT]
    assert reader.read(blank[:0]) == []


def test_no_answer_is_without_its_reason(reader, held_out):
    strict = Reader(reader.network, reader.refusal, threshold=0.97)
    for one in (*reader.read(held_out.pixels), *(answers := strict.read(held_out.pixels))):
        assert (one.digit is None) == (one.why in (NOT_SURE, NO_DIGIT))
        assert 0.1 <= one.confidence <= 1
    assert {one.why for one in answers if one.confidence < 0.97} <= {NOT_SURE, NO_DIGIT}
    assert all(one.why != NOT_SURE for one in answers if one.confidence >= 0.97)
    assert NOT_SURE in {one.why for one in answers}


def test_letters_blots_and_scribbles_are_refused():
    """New ones of each kind; those that the refusal was measured by are on record."""
    things = make_oddities(
        torch.zeros(0, 28, 28), {kind: 40 for kind in ODDITIES if kind != "grown together"}, seed=5
    )
    for kind, pixels in things.items():
        assert pixels.shape == (40, 28, 28)
        assert pixels.dtype == torch.uint8
        assert load_refusal().refuses(pixels).sum() >= 32, kind
    again = make_oddities(torch.zeros(0, 28, 28), {"letter": 3, "blot": 2}, seed=5)
    assert torch.equal(again["letter"], things["letter"][:3])


def test_capitals_of_typefaces_never_learnt_from_are_refused():
    found = [typeface.find() for typeface in MARK]
    if not all(found):
        missing = {typeface.package for typeface, path in zip(MARK, found, strict=True) if not path}
        pytest.skip(f"not installed: {', '.join(sorted(missing))} (make fonts)")
    pixels = torch.from_numpy(np.stack([prepare(ink) for path in found for ink in capitals(path)]))
    assert load_refusal().refuses(pixels).double().mean() >= 0.9


def test_the_refusal_is_small_enough_for_a_page():
    assert (resolve(FOLDER) / WEIGHTS_FILE).stat().st_size < 25_000


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(5, 50), st.booleans()), min_size=1, max_size=60), st.floats(0.5, 1))
def test_a_threshold_is_the_least_that_gives_what_is_wanted(answers, wanted):
    """Against every threshold there could be, one by one."""
    confidence = torch.tensor([c / 50 for c, _ in answers], dtype=torch.float32)
    right = torch.tensor([r for _, r in answers])

    def accuracy(threshold):
        counted = count_answers(confidence, right, threshold)
        return counted.accuracy if counted.answered else 0

    good = [value for value in confidence.double().tolist() if accuracy(value) >= wanted]
    if not good:
        with pytest.raises(ValueError, match="no confidence"):
            choose_threshold(confidence, right, wanted)
        return
    chosen = choose_threshold(confidence, right, wanted)
    assert accuracy(chosen) >= wanted
    assert count_answers(confidence, right, chosen) == count_answers(confidence, right, min(good))


def test_the_record_holds_what_was_promised():
    record = read_thresholds()
    assert record.wanted == WANTED
    assert set(record.networks) == set(SHARED)
    for name, one in record.networks.items():
        assert one.config.model == name
        assert (one.config.held_out, one.config.fold) == ("writers", 0)
        assert one.held_out.digits == 11_000
        assert one.held_out.accuracy >= WANTED
        assert one.test.digits == 10_000
        assert one.test.coverage > 0.9
    assert record.refusal.learnt == LEARNT
    assert record.refusal.digits_refused <= 0.01 * record.refusal.digits


@pytest.mark.training
@pytest.mark.parametrize("name", [pytest.param("tiny", marks=pytest.mark.quick), "final"])
def test_the_record_counts_the_test_digits_as_they_are_answered(name, mnist):
    one = read_thresholds().networks[name]
    counted = count_answers(*answer(load(name), mnist[1]), one.threshold)
    assert counted.wrong == one.test.wrong
    assert abs(counted.answered - one.test.answered) <= 1  # another processor adds in another order


@pytest.mark.training
def test_what_is_on_record_is_not_trained_again(monkeypatch, tmp_path):
    before = read_thresholds()
    # the face hands on a function of the module's name
    module = import_module("mnist_helpers.handwriting.calibrate")
    monkeypatch.setattr(module, "fit", None)
    monkeypatch.setattr(module, "RECORD", tmp_path / "reading.json")
    after = calibrate(show=False)
    assert after.refusal == before.refusal
    assert {n: t.threshold for n, t in after.networks.items()} == {n: t.threshold for n, t in before.networks.items()}
