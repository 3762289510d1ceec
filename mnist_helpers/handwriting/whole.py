"""A whole page read: every mark with its place, its line of writing, and what it was read as; as data, table, CSV."""

import csv
import io
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
            {"digit": one.reading.digit, "confidence": round(one.reading.confidence, 4)}
            | {"box": list(one.box), "line": one.line}
            for one in self.digits
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


def format_page(page: Page) -> str:
    """Return the readings line by line, and a row for every mark."""
    lines: dict[int, list[str]] = {}
    for digit in page.digits:
        lines.setdefault(digit.line, []).append(sign(digit.reading))
    rows = [f"{'line':>4}  {'digit':>8}  {'confidence':>10}  box (x, y, width, height)"]
    rows += [
        f"{one.line:4d}  {sign(one.reading, words=True):>8}  {one.reading.confidence:10.1%}  {str(one.box)[1:-1]}"
        for one in page.digits
    ]
    return "\n".join([" ".join(line) for line in lines.values()] + ["", *rows] if page.digits else ["nothing found"])


def page_csv(page: Page) -> str:
    """Return the table as CSV, a header first."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(["line", "digit", "confidence", "x", "y", "width", "height", "why"])
    for digit, data in zip(page.digits, page.as_data(), strict=True):
        table.writerow([digit.line, data["digit"], data["confidence"], *digit.box, digit.reading.why])
    return stream.getvalue()


def sign(reading: Reading, words: bool = False) -> str:
    """Return a digit, `?` where it is not sure and `–` where there is none; or the reason in `words`."""
    if reading.digit is not None:
        return str(reading.digit)
    return reading.why if words else "?" if reading.why == NOT_SURE else "–"
