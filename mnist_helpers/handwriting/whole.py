"""A whole page read: every mark on it with its place, its line of writing, and what it was read as."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnist_helpers.handwriting.given import Given, as_grey
from mnist_helpers.handwriting.photo import Photo, open_photo
from mnist_helpers.handwriting.prepare import prepare
from mnist_helpers.handwriting.reader import NOT_SURE, Reader, Reading
from mnist_helpers.handwriting.segment import find_marks


@dataclass(frozen=True)
class Digit:
    """One mark: its box [x, y, width, height] in the file's pixels, its line from 0, its picture (28, 28) uint8."""

    box: tuple[int, int, int, int]
    line: int
    reading: Reading
    pixels: Tensor


@dataclass(frozen=True)
class Page:
    """What was found on a photo, in reading order."""

    photo: Photo
    digits: tuple[Digit, ...]

    def as_data(self) -> list[dict[str, Any]]:
        """Return one entry a mark, as JSON has it: `digit` None where it is not sure, or no digit."""
        return [
            {
                "digit": digit.reading.digit,
                "confidence": round(digit.reading.confidence, 4),
                "box": list(digit.box),
                "line": digit.line,
            }
            for digit in self.digits
        ]


def read_page(image: Given | str | Path, reader: Reader) -> Page:
    """Read a page: an array, a tensor, a PIL image (see `as_grey`), or the photo at that path.

    Raises ValueError: `image` is not one picture; PhotoError, a ValueError: the file is no photo.
    """
    is_file = isinstance(image, str | Path)
    photo = open_photo(image) if is_file else Photo("page", as_grey(image).astype(np.float32))
    marks = find_marks(photo.grey, photo.scale).marks
    if not marks:
        return Page(photo, ())
    pixels = torch.from_numpy(np.stack([prepare(mark.ink) for mark in marks]))
    readings = [
        _maybe_two(reading) if mark.touching else reading
        for mark, reading in zip(marks, reader.read(pixels), strict=True)
    ]
    found = zip(marks, readings, pixels, strict=True)
    return Page(photo, tuple(Digit(mark.box, mark.line, reading, one) for mark, reading, one in found))


def _maybe_two(reading: Reading) -> Reading:
    """Return the reading of a mark that may be two digits: never a digit."""
    return Reading(None, reading.confidence, reading.why or NOT_SURE)
