"""Pages to digits: all of them, in reading order, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers.handwriting import draw_page, find_marks, load_reader, read_page
from mnist_helpers.handwriting.empty import KINDS, empty_pages
from mnist_helpers.handwriting.made import mnist_on_paper
from mnist_helpers.handwriting.pages import FIRST, LINES, PAGES, TO_A_LINE
from mnist_helpers.handwriting.paper import flatten
from mnist_helpers.handwriting.segment import is_touching
from mnist_helpers.handwriting.strokes import Pen, draw_digit
from mnist_helpers.handwriting.writing import lines_of_writing

PHOTOS = sorted(path for path in (Path(__file__).parent / "photos").iterdir() if path.suffix != ".md")


def draw(digit: int, height: float = 60, width: float = 5) -> np.ndarray:
    return draw_digit(digit, height, FIRST, Pen(width, ink=1, pressure=0), np.random.default_rng(digit))


def page_with(*placed: tuple[np.ndarray, int, int], size: tuple[int, int] = (200, 400)) -> np.ndarray:
    """Black ink at (top, left) on white paper, with a little noise."""
    grey = np.full(size, 0.9)
    for ink, top, left in placed:
        window = grey[top : top + ink.shape[0], left : left + ink.shape[1]]
        window -= 0.8 * ink[: window.shape[0], : window.shape[1]]
    return np.clip(grey + np.random.default_rng(0).normal(0, 0.01, size), 0, 1)


@pytest.mark.parametrize("name", [name for name in PAGES if name != "scattered"])
def test_every_digit_of_a_drawn_page_is_found_in_order(name):
    page = draw_page(name, seed=3)
    marks = find_marks(page.grey / 255).marks
    assert len(marks) == len(page.digits)
    for mark, (_, box) in zip(marks, page.digits, strict=True):
        assert np.abs(np.subtract(mark.box, box)).max() <= 6
    assert [mark.line for mark in marks] == [place // TO_A_LINE for place in range(LINES * TO_A_LINE)]


@pytest.mark.parametrize("kind", KINDS)
def test_little_is_found_where_nothing_is_written(kind):
    page = next(page for page in empty_pages(1, [kind]))
    assert len(find_marks(page.grey / 255).marks) <= 2


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_labelled_photos_are_read(path):
    labels = [int(sign) for sign in path.stem.rpartition("_")[2]]
    digits = read_page(path, load_reader()).digits
    assert len(digits) == len(labels)
    wrong = [
        (one.reading, label)
        for one, label in zip(digits, labels, strict=True)
        if one.reading.digit not in (None, label)
    ]
    assert not wrong
    assert sum(one.reading.digit is not None for one in digits) >= 0.8 * len(labels)


def test_dark_paper_is_read_as_light_paper_is():
    grey = page_with((draw(3), 60, 50), (draw(8), 60, 200))
    light, dark = find_marks(grey).marks, find_marks(1 - grey).marks
    assert [mark.box for mark in light] == [mark.box for mark in dark]
    assert len(light) == 2


def test_noise_on_dark_paper_is_no_table_beside_the_page(mnist):
    train, _ = mnist
    chosen = 50_000 + torch.randperm(10_000, generator=torch.Generator().manual_seed(104))[:640]
    *_, page = mnist_on_paper(train.take(chosen), 104)  # a third of it was once taken for a table
    assert np.median(page.grey) < 30
    assert len(find_marks(page.grey / 255).marks) >= len(page.digits) - 1


def test_a_bar_apart_and_a_broken_stroke_are_parts_of_their_digits():
    five = np.zeros((60, 44))
    five[:, :] = np.pad(draw(5, 60), ((0, 60), (0, 60)))[:60, :44]
    bar = np.ones((5, 22))
    broken = draw(1, 60).copy()
    broken[28:34] = 0
    marks = find_marks(page_with((five, 80, 60), (bar, 70, 80), (broken, 80, 200), (draw(8), 80, 280))).marks
    assert len(marks) == 3
    assert marks[0].box[1] <= 71
    assert marks[1].box[3] >= 55


def test_a_long_bar_beside_its_five_is_part_of_it():
    five = draw(5)[12:]
    bar = np.ones((6, 55))
    (mark,) = find_marks(page_with((five, 92, 60), (bar, 86, 90))).marks
    assert mark.box[1] <= 87


def test_the_bar_of_a_five_may_begin_where_its_bow_ends_and_the_next_digit_may_not():
    bow, bar = draw(5)[36:], np.zeros((20, 44))
    for column in range(44):
        bar[(43 - column) // 3 :, column][:6] = 1
    begin = 60 + bow.shape[1] - 12  # no more than a quarter of the bow lies below the bar
    others = [(draw(8), 80, 220), (draw(8), 80, 300)]
    found = find_marks(page_with((bow, 106, 60), (bar, 84, begin), *others)).marks
    assert len(found) == 3
    assert found[0].box[1] <= 85
    assert found[0].box[2] >= begin - 60 + 40
    three, two = (draw(3), 20, 60 + draw(2).shape[1] - 16), (draw(2), 88, 60)  # lines of writing, close together
    assert len(find_marks(page_with(three, two, *others)).marks) == 4


def test_two_halves_of_a_digit_taller_than_the_others_are_joined_and_two_lines_are_not():
    eight = draw(8, 90)
    eight[43:47] = 0
    low = [(draw(3), 80, 140 + 60 * place) for place in range(4)]
    assert len(find_marks(page_with((eight, 60, 50), *low)).marks) == 5
    above = [(draw(2), 15, 140 + 60 * place) for place in range(4)]
    assert len(find_marks(page_with(*low, *above)).marks) == 8


def test_neighbours_are_not_joined():
    ones = [(draw(1), 80, 40 + 16 * place) for place in range(6)]
    assert len(find_marks(page_with(*ones)).marks) == 6


@pytest.mark.parametrize("radius", [10, 30, 38])
def test_specks_blots_lines_and_what_the_edge_cuts_are_left_out(radius):
    y, x = np.mgrid[-40:40, -40:40]
    blot, speck, line = (np.hypot(x, y) < radius) * 1.0, np.ones((3, 3)), np.ones((2, 300))
    marks = find_marks(
        page_with((draw(4), 60, 50), (blot, 90, 290), (speck, 40, 200), (line, 180, 40), (draw(8), 60, 380))
    ).marks
    assert len(marks) == 1


def test_a_mark_holds_its_own_ink_only():
    found = find_marks(page_with((draw(7), 60, 60), (draw(1), 60, 112)))
    assert len(found.marks) == 2
    for number, mark in enumerate(found.marks, 1):
        assert mark.ink.dtype == np.float32
        assert 0 <= mark.ink.min() <= mark.ink.max() == 1
        inside = (found.labels == number).sum()
        assert (mark.ink > 0.45).sum() == pytest.approx(inside, rel=0.15)


def test_boxes_are_in_the_files_pixels():
    grey = page_with((draw(3), 60, 50))
    (once,), (twice,) = find_marks(grey).marks, find_marks(grey, scale=2).marks
    assert [2 * length for length in once.box] == list(twice.box)


def test_digits_pushed_into_one_another_are_told_from_one():
    seven, two = draw(7) > 0.5, draw(2) > 0.5
    height = max(len(seven), len(two))
    pair = np.zeros((height, seven.shape[1] + two.shape[1] - 2), bool)
    pair[: len(seven), : seven.shape[1]] = seven
    pair[height - len(two) :, seven.shape[1] - 2 :] |= two
    assert is_touching(pair)
    assert is_touching(np.hstack([pair, pair]))
    assert not any(is_touching(draw(digit) > 0.5) for digit in range(10))
    wide = np.hstack([draw(5) > 0.5, np.zeros((len(draw(5)), 60), bool)])
    wide[2:8, 20:] = True
    assert not is_touching(wide)  # its bar is long


def test_what_may_be_two_digits_is_never_answered():
    zero = draw(0)
    pair = np.hstack([zero, np.zeros((len(zero), 4)), zero])
    pair[50:54, zero.shape[1] - 12 : zero.shape[1] + 16] = 1
    (mark,) = find_marks(page := page_with((pair, 60, 50))).marks
    assert mark.touching
    (digit,) = read_page(page, replace(load_reader(), threshold=0)).digits
    assert digit.reading.digit is None
    assert digit.reading.why


@settings(deadline=None, max_examples=40)
@given(
    tilt=st.floats(-12, 12),
    lines=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_tilted_lines_are_read_line_by_line(tilt, lines, seed):
    random = np.random.default_rng(seed)
    turn = np.radians(tilt)
    boxes = []
    for line in range(lines):
        for place in range(6):
            x, y = 100 * place, 130 * line + random.uniform(-6, 6)
            x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
            boxes.append((int(y), int(x), int(y + random.uniform(55, 65)), int(x + 40)))
    shuffled = random.permutation(len(boxes))
    found, order = lines_of_writing([boxes[index] for index in shuffled])
    assert [int(shuffled[index]) for index in order] == list(range(len(boxes)))
    assert [found[index] for index in order] == [place // 6 for place in range(len(boxes))]


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["random", "black", "white", "grey"]))
def test_any_picture_is_looked_at_without_complaint(height, width, kind):
    plain = {"black": 0, "white": 1, "grey": 0.5}
    grey = (
        np.full((height, width), plain[kind]) if kind in plain else np.random.default_rng(0).random((height, width))
    )
    ink = flatten(grey)
    assert ink.shape == grey.shape
    assert ink.min() >= 0
    assert ink.max() <= 1
    if kind in plain:
        assert not find_marks(grey).marks
