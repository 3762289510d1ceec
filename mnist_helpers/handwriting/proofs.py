"""What the reader makes of pages whose truth is known: digits on paper, drawn pages, empty ones, letters."""

from collections.abc import Iterable

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from mnist_helpers.data import Images
from mnist_helpers.handwriting.letters import Typeface, capitals
from mnist_helpers.handwriting.made import Box, MadePage, mnist_on_paper
from mnist_helpers.handwriting.prepare import prepare
from mnist_helpers.handwriting.reader import NO_DIGIT, Reader
from mnist_helpers.handwriting.whole import Digit, read_page
from mnist_helpers.training import predict_logits

SAME = 0.5  # of the area that two boxes cover together, at least, where they are of the same digit

FOUND = 0.995  # the marks: digits on paper found,
LOST = 0.005  # … and this share fewer of them right, at most, than of the same digits as MNIST has them
REFUSED = 0.9  # letters


class Outcome(BaseModel, frozen=True):
    """What became of the `digits` of some pages.

    `right`: found, not refused, and the network's first choice is right, sure or not. `answered`, of them `wrong`,
    are what one sees. `extra`: read where there is no digit. `in_order`: right from the first to the last.
    """

    name: str
    digits: int
    found: int
    right: int
    answered: int
    wrong: int
    extra: int
    in_order: bool


class Draw(BaseModel, frozen=True):
    """Digits of MNIST put on paper, and how many of the same are right as MNIST has them."""

    seed: int
    clean: int
    outcome: Outcome


class Letters(BaseModel, frozen=True):
    """The capitals of one typeface, and how many were not read as digits."""

    typeface: str
    letters: int
    refused: int


class Proof(BaseModel, frozen=True):
    """All of it, by one network."""

    network: str
    threshold: float
    draws: tuple[Draw, ...]
    pages: tuple[Outcome, ...]
    empty: dict[str, int]  # what was read on each empty page
    letters: tuple[Letters, ...]

    def marks(self, most_lost: float = LOST) -> dict[str, bool]:
        """Return each mark with what was found, and whether it is reached."""
        digits = sum(draw.outcome.digits for draw in self.draws)
        found = sum(draw.outcome.found for draw in self.draws) / digits
        lost = sum(draw.clean - draw.outcome.right for draw in self.draws) / digits
        whole = [page for page in self.pages if page.right == page.digits and not page.extra]
        letters = sum(each.letters for each in self.letters)
        refused = sum(each.refused for each in self.letters) / max(1, letters)
        return {
            f"digits on paper found, at least {FOUND:.1%}: {found:.2%}": found >= FOUND,
            f"of these fewer right than clean, at most {most_lost:.1%}: {lost:.2%}": lost <= most_lost,
            f"pages drawn by strokes, every digit right: {len(whole)} of {len(self.pages)}": whole == [*self.pages],
            f"digits read on {len(self.empty)} empty pages: {sum(self.empty.values())}": not any(self.empty.values()),
            f"capitals refused, at least {REFUSED:.0%}: {refused:.1%} of {letters}": refused >= REFUSED
            or not letters,
        }


def prove_page(page: MadePage, reader: Reader) -> Outcome:
    """Read a page and hold what was found against its truth."""
    marks = read_page(page.grey, reader).digits
    pixels = torch.stack([mark.pixels for mark in marks]) if marks else torch.empty(0, 28, 28, dtype=torch.uint8)
    firsts = [
        None if mark.reading.why == NO_DIGIT else first
        for mark, first in zip(marks, _first_choices(pixels, reader), strict=True)
    ]
    found = [(digit, _same(box, marks)) for digit, box in page.digits]
    right = sum(index is not None and firsts[index] == digit for digit, index in found)
    answers = [marks[index].reading.digit for _, index in found if index is not None]
    truth = [digit for digit, index in found if index is not None]
    known = {index for _, index in found}
    return Outcome(
        name=page.name,
        digits=len(page.digits),
        found=len(truth),
        right=right,
        answered=sum(answer is not None for answer in answers),
        wrong=sum(answer not in (None, digit) for answer, digit in zip(answers, truth, strict=True)),
        extra=sum(mark.reading.digit is not None for index, mark in enumerate(marks) if index not in known),
        in_order=firsts == [digit for digit, _ in page.digits],
    )


def prove_on_paper(images: Images, seed: int, reader: Reader) -> Draw:
    """Put digits on paper, and read them there and as they were."""
    outcomes = [prove_page(page, reader) for page in mnist_on_paper(images, seed)]
    clean = sum(
        first == digit
        for first, digit in zip(_first_choices(images.pixels, reader), images.targets.tolist(), strict=True)
    )
    sums = {
        name: sum(getattr(outcome, name) for outcome in outcomes)
        for name in ("digits", "found", "right", "answered", "wrong", "extra")
    }
    whole = Outcome(name=f"draw {seed}", in_order=all(outcome.in_order for outcome in outcomes), **sums)
    return Draw(seed=seed, clean=clean, outcome=whole)


def prove_letters(typefaces: Iterable[Typeface], reader: Reader) -> tuple[Letters, ...]:
    """Show the reader capitals. Raises FileNotFoundError: a typeface is not installed."""
    found = []
    for typeface in typefaces:
        if (path := typeface.find()) is None:
            raise FileNotFoundError(
                f"the typeface {typeface.name} is not there; run: apt-get install {typeface.package}"
            )
        readings = reader.read(torch.from_numpy(np.stack([prepare(ink) for ink in capitals(path)])))
        refused = sum(reading.digit is None for reading in readings)
        found.append(Letters(typeface=typeface.name, letters=len(readings), refused=refused))
    return tuple(found)


def _first_choices(pixels: Tensor, reader: Reader) -> list[int | None]:
    """Return what the network takes each of pixels (N, 28, 28) for, sure or not; None: it is refused."""
    readings = reader.read(pixels)
    choices = predict_logits(reader.network, pixels).argmax(1).tolist() if readings else []
    return [None if reading.why == NO_DIGIT else choice for reading, choice in zip(readings, choices, strict=True)]


def _same(box: Box, marks: tuple[Digit, ...]) -> int | None:
    """Return the index of the mark that covers the same digit, by their boxes' intersection over union."""
    shares = [_overlap(box, mark.box) for mark in marks]
    return int(np.argmax(shares)) if max(shares, default=0) >= SAME else None


def _overlap(one: Box, other: Box) -> float:
    sides = [min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0, sides[0]) * max(0, sides[1])
    return both / (one[2] * one[3] + other[2] * other[3] - both)
