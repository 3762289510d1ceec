"""Ten pages drawn stroke by stroke, by several hands and pens on several papers, with what is written on them."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mnist_helpers.handwriting.made import MadePage, on_paper
from mnist_helpers.handwriting.strokes import Hand, Pen, draw_digit

SIZE = (720, 1040)  # pixels, height and width
LINES, TO_A_LINE = 4, 8
LOOSE = 0.3  # of a line's spacing, up or down: neighbours may be nearer to the next line than to each other
RULE = 0.3  # how much of the paper's light a printed line takes

FIRST = Hand()
SECOND = Hand(style=1, slant=0.25, unsteady=1.5)
THIRD = Hand(style=1, slant=-0.05, unsteady=2.5)  # crosses its 7, flags its 1, closes its 4
BALLPOINT = Pen()
PENCIL = Pen(width=2.2, ink=0.45, pressure=0.2)
MARKER = Pen(width=11, ink=0.95, pressure=0.05)


@dataclass(frozen=True)
class Sheet:
    """How a page is written: hand, pen, the digits' heights in pixels, in turn, the lines' rise in degrees, paper."""

    hand: Hand = FIRST
    pen: Pen = BALLPOINT
    heights: tuple[int, ...] = (72,)
    tilt: float = 0
    loose: float = 0.05
    ruled: bool = False
    squared: bool = False
    shadow: bool = False
    noise: float = 0.015


PAGES = {
    "rows": Sheet(),
    "scattered": Sheet(hand=SECOND, loose=LOOSE, heights=(72, 60, 84)),
    "two_sizes": Sheet(heights=(44, 104), pen=Pen(width=4)),
    "ruled": Sheet(ruled=True),
    "squared": Sheet(hand=SECOND, squared=True, tilt=-1.5),
    "tilted": Sheet(tilt=9),
    "shadow": Sheet(hand=THIRD, shadow=True),
    "pencil": Sheet(pen=PENCIL, hand=SECOND, noise=0.02),
    "marker": Sheet(pen=MARKER, heights=(96,)),
    "another_hand": Sheet(hand=THIRD, pen=Pen(width=3.5, ink=0.8)),
}


def draw_page(name: str, seed: int = 0) -> MadePage:
    """Draw the page of that name in `PAGES`: 32 digits, four lines of eight; the same seed gives the same bytes."""
    sheet = PAGES[name]
    random = np.random.default_rng([seed, *name.encode()])
    cover = np.zeros(SIZE, np.float32)
    if sheet.ruled or sheet.squared:
        cover = draw_rules(random.uniform(40, 60), sheet.tilt, sheet.squared)
    spacing = np.array([SIZE[0] / (LINES + 0.5), SIZE[1] / (TO_A_LINE + 1)])
    tilt = np.radians(sheet.tilt)
    matrix = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])  # of y, x: lines rise
    written = random.permutation(np.arange(LINES * TO_A_LINE) % 10).tolist()
    digits = []
    for place, digit in enumerate(written):
        height = sheet.heights[place % len(sheet.heights)] * random.uniform(0.9, 1.1)
        ink = draw_digit(digit, height, sheet.hand, sheet.pen, random, sheet.tilt)
        steps = np.array(divmod(place, TO_A_LINE)) - [(LINES - 1) / 2, (TO_A_LINE - 1) / 2]
        steps = steps * (1 - 0.012 * abs(sheet.tilt)) + random.uniform(-1, 1, 2) * [sheet.loose, 0.1]
        y, x = (
            np.round(np.array(SIZE) / 2 + matrix @ (steps * spacing) - np.array(ink.shape) / 2).astype(int).tolist()
        )
        h, w = ink.shape
        cover[y : y + h, x : x + w] = np.maximum(cover[y : y + h, x : x + w], ink)
        digits.append((digit, (x, y, w, h)))
    light = corner_shadow(random) if sheet.shadow else 1.0
    return MadePage(
        name, on_paper(ndimage.gaussian_filter(cover, 0.6), random, sheet.noise, light=light), tuple(digits)
    )


def draw_rules(spacing: float, tilt: float, squared: bool, width: float = 2) -> np.ndarray:
    """Return the cover (H, W) of printed lines, `spacing` pixels apart, and of lines across them on squared paper."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    turned = np.radians(tilt)
    along = [y * np.cos(turned) + x * np.sin(turned)] + [x * np.cos(turned) - y * np.sin(turned)] * squared
    lines = [np.clip(width / 2 + 0.5 - np.abs((place % spacing) - spacing / 2), 0, 1) for place in along]
    return RULE * np.max(lines, axis=0)


def corner_shadow(random: np.random.Generator) -> np.ndarray:
    """Return light (H, W): 1, and about half of it where something stands before a corner."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    reach = random.uniform(0.5, 0.8)
    shaded = x / SIZE[1] + y / SIZE[0] < reach
    return 1 - random.uniform(0.35, 0.5) * ndimage.gaussian_filter(shaded.astype(np.float32), 8)
