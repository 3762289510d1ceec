"""The digits on a page: ink cut into marks, specks and lines left out, in reading order; every step can be seen."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mnist_helpers.handwriting.paper import flatten
from mnist_helpers.handwriting.parts import Part, around, fill, is_drawn, join, leave_out, local_threshold
from mnist_helpers.handwriting.prepare import stroke_width
from mnist_helpers.handwriting.writing import lines_of_writing

SOFT = 2  # pixels: a stroke's soft edge
WIDE = 1.2  # times its height: a mark may be two digits, if a column near its middle has little more ink than a line
CROSSING = 1.6  # times the stroke's width, and both sides of it are as tall as digits
FULL = 0.8  # of the height. Of training digits 0.2 % look so, of pairs pushed into one another a third


@dataclass(frozen=True)
class Mark:
    """What may be a digit: its box [x, y, width, height] in the file's pixels, its line of writing from 0, its ink.

    `ink` is (h, w) float32 from 0 to 1, other marks' left out, with soft edges. `touching`: it may be two digits.
    """

    box: tuple[int, int, int, int]
    line: int
    ink: np.ndarray
    touching: bool


@dataclass(frozen=True)
class Found:
    """A page looked at, step by step: grey values, ink, what is above threshold, parts joined, marks in order.

    All pictures are (H, W); `labels` int32 is 0 on paper and k on `marks[k - 1]`.
    """

    grey: np.ndarray
    ink: np.ndarray
    mask: np.ndarray
    labels: np.ndarray
    marks: tuple[Mark, ...]


def find_marks(grey: np.ndarray, scale: float = 1.0) -> Found:
    """Find what may be digits in a page's grey values (H, W) from 0 to 1; `scale` is `Photo.scale`."""
    ink = flatten(grey)
    mask, pieces = local_threshold(ink)
    digits = [digit for digit in join(leave_out(pieces, mask.shape)) if is_drawn(digit, mask.shape)]
    lines, order = lines_of_writing([around(digit) for digit in digits])
    labels = np.zeros(mask.shape, np.int32)
    for number, index in enumerate(order, 1):
        for part in digits[index]:
            labels[tuple(part.pixels.T)] = number
    marks = [_mark(ink, labels, digits[index], lines[index], scale) for index in order]
    return Found(grey, ink, mask, labels, tuple(marks))


def is_touching(filled: np.ndarray) -> bool:
    """Say whether a mark's mask (h, w) bool looks like two digits that touch. Many such do not: see `FULL`."""
    height, width = filled.shape
    if width < WIDE * height:
        return False
    thin = filled.sum(0) <= CROSSING * stroke_width(filled.astype(float))
    return any(
        thin[column] and min(_height(filled[:, :column]), _height(filled[:, column + 1 :])) >= FULL * height
        for column in range(int(0.3 * width), int(0.7 * width) + 1)
    )


def _height(filled: np.ndarray) -> int:
    rows = np.flatnonzero(filled.any(1))
    return int(rows[-1] - rows[0] + 1) if rows.size else 0


def _mark(ink: np.ndarray, labels: np.ndarray, digit: list[Part], line: int, scale: float) -> Mark:
    top, left, bottom, right = around(digit)
    window = (slice(max(top - SOFT, 0), bottom + SOFT), slice(max(left - SOFT, 0), right + SOFT))
    own = labels[window] == labels[tuple(digit[0].pixels[0])]
    own |= ndimage.binary_dilation(own, iterations=SOFT) & (labels[window] == 0)
    values = np.where(own, np.clip(ink[window] / max(part.strength for part in digit), 0, 1), 0)
    x, y, width, height = (round(scale * length) for length in (left, top, right - left, bottom - top))
    return Mark((x, y, width, height), line, values.astype(np.float32), is_touching(fill(digit)))
