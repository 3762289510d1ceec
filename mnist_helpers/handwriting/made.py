"""Made pages with their truth: MNIST's digits on paper, pages drawn stroke by stroke, and pages without any digit."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mnist_helpers.data import Images

Box = tuple[int, int, int, int]  # x, y, width, height

SIZES = (1.5, 4.0)  # times MNIST's 28 pixels: digits of 30 to 80 pixels
CELL = 120  # pixels that each has, both ways
TO_A_LINE, TO_A_PAGE = 5, 40


@dataclass(frozen=True)
class MadePage:
    """A page's grey values (H, W) uint8, and its digits with their boxes in reading order."""

    name: str
    grey: np.ndarray
    digits: tuple[tuple[int, Box], ...]


def mnist_on_paper(images: Images, seed: int) -> Iterator[MadePage]:
    """Put `images` on grey, uneven, noisy paper, five to a line, eight lines to a page; a seed always gives the same.

    Each digit is `SIZES` times as large as in MNIST, turned by up to 10°, with an ink of its own. A quarter of the
    pages are light on dark.
    """
    random = np.random.default_rng(seed)
    pages = zip(images.pixels.split(TO_A_PAGE), images.targets.split(TO_A_PAGE), strict=True)
    for number, (pixels, targets) in enumerate(pages):
        yield _page_of(f"digits {seed}.{number}", Images(pixels, targets), random)


def _page_of(name: str, images: Images, random: np.random.Generator) -> MadePage:
    cover = np.zeros((-(-len(images.targets) // TO_A_LINE) * CELL, TO_A_LINE * CELL))
    digits = []
    for place, (pixels, digit) in enumerate(zip(images.pixels.numpy(), images.targets.tolist(), strict=True)):
        ink = enlarge(pixels / 255, random.uniform(*SIZES), random.uniform(-10, 10))
        shares = random.uniform(0.3, 0.7, 2)  # of the room in its cell that is above it, and left of it
        corner = np.array(divmod(place, TO_A_LINE)) * CELL + (CELL - np.array(ink.shape)) * shares
        y, x = corner.astype(int).tolist()
        cover[y : y + ink.shape[0], x : x + ink.shape[1]] = ink * random.uniform(0.5, 1)
        digits.append((digit, (x, y, ink.shape[1], ink.shape[0])))
    return MadePage(name, on_paper(cover, random, dark=random.random() < 0.25), tuple(digits))


def enlarge(ink: np.ndarray, scale: float, degrees: float) -> np.ndarray:
    """Return `ink` (H, W) turned and larger, by one cubic interpolation, cut to the box of what is above 1/2."""
    turn, side = np.radians(degrees), int(2 * scale * max(ink.shape))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    offset = (np.array(ink.shape) - 1) / 2 - matrix @ np.full(2, (side - 1) / 2)
    larger = np.clip(ndimage.affine_transform(ink, matrix, offset, (side, side)), 0, 1)
    rows, columns = (np.flatnonzero((larger > 0.5).any(axis)) for axis in (1, 0))
    return larger[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def on_paper(
    cover: np.ndarray,
    random: np.random.Generator,
    noise: float = 0.02,
    dark: bool = False,
    light: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Return (H, W) uint8: paper of an uneven grey, where `cover` (H, W) from 0 to 1 says how much ink hides it.

    `noise` is the standard deviation of a camera's noise, as a share of white; `light` is what falls on the page.
    """
    coarse, factors = random.uniform(0.85, 1, (3, 3)), [length / 3 for length in cover.shape]
    light = light * ndimage.zoom(coarse, factors, order=1, grid_mode=True, mode="nearest")
    paper, ink = random.uniform(0.7, 0.95), random.uniform(0.05, 0.2)
    if dark:
        paper, ink = ink, paper
    grey = light * (paper + (ink - paper) * cover) + random.normal(0, noise, cover.shape)
    return (255 * np.clip(grey, 0, 1)).round().astype(np.uint8)
