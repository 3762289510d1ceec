"""Made pages are the same each time, and what they say is on them is on them."""

import numpy as np
import pytest
import torch

from mnist_helpers.handwriting.empty import KINDS, empty_pages
from mnist_helpers.handwriting.made import mnist_on_paper
from mnist_helpers.handwriting.pages import FIRST, SIZE, draw_page
from mnist_helpers.handwriting.strokes import BOX, PATHS, Pen, draw_digit, follow


def test_a_seed_always_gives_the_same_page(digits):
    for make in (
        lambda seed: draw_page("rows", seed),
        lambda seed: next(mnist_on_paper(digits.take(torch.arange(5)), seed)),
    ):
        assert np.array_equal(make(1).grey, make(1).grey)
        assert not np.array_equal(make(1).grey, make(2).grey)


@pytest.mark.parametrize("name", ["squared", "tilted", "two_sizes"])
def test_boxes_hold_the_ink_of_their_digits(name):
    page = draw_page(name)
    assert page.grey.shape == SIZE
    assert page.grey.dtype == np.uint8
    for _, (x, y, width, height) in page.digits:
        window = page.grey[y : y + height, x : x + width]
        dark = window < 0.6 * np.median(page.grey)
        assert dark[:3].any()
        assert dark[-3:].any()
        assert dark[:, :3].any()
        assert dark[:, -3:].any()


def test_every_drawn_page_has_every_digit():
    assert all({digit for digit, _ in draw_page(name).digits} == set(range(10)) for name in ("rows", "another_hand"))


def test_digits_on_paper_are_all_there_five_to_a_line(digits):
    pages = list(mnist_on_paper(digits, 0))
    assert [len(page.digits) for page in pages] == [40, 24]
    assert [digit for page in pages for digit, _ in page.digits] == digits.targets.tolist()
    tops = [box[1] for _, box in pages[0].digits]
    assert all(max(tops[line : line + 5]) - min(tops[line : line + 5]) < 120 for line in range(0, 40, 5))


def test_fifty_pages_are_empty_and_all_different():
    assert len(KINDS) == 10
    page = [page for page in empty_pages(2, ["blots", "shadow"])]
    assert len(page) == 4
    assert not any(one.digits for one in page)
    assert len({one.grey.tobytes() for one in page}) == 4


@pytest.mark.parametrize("digit", PATHS)
def test_paths_stay_near_their_box(digit):
    for path in PATHS[digit]:
        strokes = follow(path, np.zeros((64, 2)))
        points = np.concatenate(strokes)
        assert points.min() > -8
        assert (points.max(0) < np.array(BOX) + 8).all()
        assert all(np.linalg.norm(np.diff(stroke, axis=0), axis=1).max() < 1 for stroke in strokes)


@pytest.mark.parametrize("height", [30, 120])
def test_a_digit_is_drawn_as_tall_as_told(height):
    ink = draw_digit(1, height, FIRST, Pen(4), np.random.default_rng(0))
    assert ink.shape[0] == pytest.approx(height + 4, abs=0.08 * height)
    assert 0 <= ink.min() < ink.max() <= 1
