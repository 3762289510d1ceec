"""A page that was read, drawn: the photo with every digit boxed."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mnist_helpers.handwriting.photo import Photo
from mnist_helpers.handwriting.reader import NOT_SURE, Reading
from mnist_helpers.handwriting.segment import Mark
from mnist_helpers.handwriting.whole import Page, sign
from mnist_helpers.looking import BLUE, COLOURS, GREY, ORANGE, panels

WIDTH, TALLEST = 9, 12  # inches
SMALLEST, LARGEST = 6, 11  # points that are readable
SHOWN, SHADES = 600, 24  # pixels of a picture's longer side, and shades of grey


def plot_page(page: Page, title: str = "What was read: digit and confidence (%)") -> Figure:
    """Draw the photo with a box around every mark: blue where it was read, orange not sure, grey no digit."""
    colours = {"": BLUE, NOT_SURE: ORANGE}
    boxes = [(one.box, colours.get(one.reading.why, GREY), _label(one.reading)) for one in page.digits]
    return _plot_boxes(page.photo, boxes, title)


def plot_marks(photo: Photo, marks: Sequence[Mark]) -> Figure:
    """Draw the photo with what was found on it: numbers in reading order, a colour a line of writing."""
    boxes = [(mark.box, COLOURS[mark.line % len(COLOURS)], str(number)) for number, mark in enumerate(marks)]
    return _plot_boxes(photo, boxes, "What was found: reading order, and lines of writing by colour")


def plot_steps(pictures: Sequence[np.ndarray], names: Sequence[str], columns: int, title: str) -> Figure:
    """Draw pictures (H, W) of a photo, 0 black and 1 white, with their names."""
    rows = math.ceil(len(pictures) / columns)
    height, width = np.max([picture.shape for picture in pictures], axis=0)
    figure, axes = panels(rows * (WIDTH / columns * height / width + 0.3) + 0.4, rows, columns, squeeze=False)
    for axis, picture, name in zip(axes.flat, pictures, names, strict=True):
        _show(axis, picture)
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    figure.suptitle(title)
    return figure


def _show(axis: Axes, picture: np.ndarray) -> None:
    """Draw a picture without a camera's noise, which would make its file many times as large."""
    side = math.ceil(max(picture.shape) / SHOWN)
    height, width = (length // side * side for length in picture.shape)
    coarse = picture[:height, :width].reshape(height // side, side, width // side, side).mean((1, 3))
    shades = np.round(coarse * SHADES) / SHADES
    axis.imshow(shades, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0), interpolation="nearest")


def _plot_boxes(photo: Photo, boxes: Sequence[tuple[tuple, str, str]], title: str) -> Figure:
    height, width = photo.grey.shape
    figure, axis = panels(min(TALLEST, 0.4 + WIDTH * height / width))
    _show(axis, photo.grey)
    axis.axis("off")
    axis.set_title(title)
    points = 72 * min(WIDTH / width, TALLEST / height)  # a pixel's side
    for box, colour, text in boxes:
        x, y, w, h = (length / photo.scale for length in box)
        axis.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=colour, linewidth=1.5))
        size = min(LARGEST, max(SMALLEST, 0.25 * h * points))
        axis.text(x, y, text, color=colour, fontsize=size, va="bottom", weight="bold")
    return figure


def _label(reading: Reading) -> str:
    return f"{sign(reading)} {100 * reading.confidence:.0f}" if reading.why in ("", NOT_SURE) else "–"
