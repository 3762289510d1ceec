"""Pieces of ink on a page: cut out by a local threshold, specks and lines left out, parts of one digit joined."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import label, regionprops

from mnist_helpers.handwriting.prepare import stroke_width

EDGE = 0.45  # of a mark's own darkest ink: there its edge is
CLEAR = 1.5  # times the palest ink on the page: what is not, is a ragged piece of a smudge
PALE = 0.3  # of the page's usual ink: what is fainter is a smudge, or shows through
SPECK = 0.2  # of the usual height, in both directions
LEAST_PIXELS = 8  # the longer side of a mark,
LEAST_SHARE = 0.015  # … also of the photo's longer side
BLURRED = 2  # pixels along the photo's edge
SMALL_PART = 0.7  # of its neighbour's height: a bar or a piece of a broken stroke
NEAR = 0.3  # of the longer one's length, between two parts of a digit
OVER = 0.15  # of the narrower one's width, that one part is over the other where no row has both: the bar of a 5
BESIDE = 0.15  # … where they stand side by side
FLAT = 0.35  # of the other's height: a bar
TALL, CLOSE = 1.1, 0.12  # times the usual height, that two halves of a digit may be
TALL_CLOSE = 1.6  # … where they are nearer than `CLOSE` of the longer one
TALLEST, LONGEST_BAR = 1.5, 2.2  # times the longer part, that both together may be; with a bar
LONGEST = 60  # times its stroke's width is a line's length; a fine pen's 1 has up to 50
SOLID = 0.36  # of its longer side is a blot's stroke width: half for a disc, up to 0.31 for training digits


@dataclass(frozen=True)
class Part:
    """A connected piece of ink: its label, box (top, left, bottom, right), darkest ink, and pixels (n, 2)."""

    label: int
    box: tuple[int, int, int, int]
    strength: float
    pixels: np.ndarray

    @property
    def height(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def width(self) -> int:
        return self.box[3] - self.box[1]


def local_threshold(ink: np.ndarray) -> tuple[np.ndarray, list[Part]]:
    """Cut each connected piece of ink at `EDGE` of its own darkest, so that pale and dark pens keep their width.

    Returns the mask (H, W) bool and its connected parts.
    """
    rough = label(ink > 0, connectivity=2)
    if not rough.any():
        return rough > 0, []
    # near the darkest, not the darkest itself: one pixel of noise is no pen
    strengths, faintest = np.full(rough.max() + 1, np.inf), ink[ink > 0].min()
    for region in regionprops(rough):
        strength = np.quantile(ink[tuple(region.coords.T)], 0.9)
        if strength > CLEAR * faintest:
            strengths[region.label] = strength
    mask = ink > EDGE * strengths[rough]
    return mask, [
        Part(region.label, region.bbox, float(strengths[rough[tuple(region.coords[0])]]), region.coords)
        for region in regionprops(label(mask, connectivity=2))
    ]


def leave_out(parts: list[Part], shape: tuple[int, int]) -> list[Part]:
    """Return the parts that are no specks, lines, smudges, or cut off by the photo's edge."""
    least = max(LEAST_PIXELS, LEAST_SHARE * max(shape))
    parts = [part for part in parts if max(part.height, part.width) >= LEAST_PIXELS / 2 and not _is_line(part)]
    whole = [part for part in parts if max(part.height, part.width) >= least]
    if not whole:
        return []
    areas = np.array([len(part.pixels) for part in whole], float)
    height = _weighted_median([max(part.height, part.width) for part in whole], areas)
    strength = _weighted_median([part.strength for part in whole], areas)
    return [
        part
        for part in parts
        if max(part.height, part.width) > SPECK * height and part.strength > PALE * strength and not _cut(part, shape)
    ]


def join(parts: list[Part]) -> list[list[Part]]:
    """Put the parts of one digit together: a 5 and its bar, the pieces of a broken stroke."""
    digits = [[part] for part in sorted(parts, key=lambda part: -len(part.pixels))]
    boxes = np.array([part.box for (part,) in digits]).reshape(-1, 4)
    areas = np.array([len(part.pixels) for (part,) in digits], float)
    usual = _weighted_median((boxes[:, 2] - boxes[:, 0]).tolist(), areas) if digits else 0
    for index in reversed(range(len(digits))):  # the smallest first, each to a larger one
        near = [
            (gap, other)
            for other in _neighbours(boxes, index, usual)
            if (gap := _gap(digits[index], digits[other], boxes[[index, other]])) is not None
        ]
        if near:
            other = min(near)[1]
            digits[other].extend(digits.pop(index))
            boxes[other] = [*np.minimum(boxes[other], boxes[index])[:2], *np.maximum(boxes[other], boxes[index])[2:]]
    return digits


def _neighbours(boxes: np.ndarray, index: int, usual: float) -> list[int]:
    """Return which of the larger digits' boxes are near enough for one digit with this, and together not too tall.

    This one is much the smaller, or it stands above or below the other and both are as tall as the `usual` digit.
    What stands beside has to be closer, unless it is as flat as no digit is.
    """
    one, others = boxes[index], boxes[:index]
    together = np.maximum(others[:, 2:], one[2:]) - np.minimum(others[:, :2], one[:2])
    lengths, own = others[:, 2:] - others[:, :2], one[2:] - one[:2]
    size = np.maximum(lengths.max(1), own.max())
    apart = np.maximum(others[:, :2] - one[2:], one[:2] - others[:, 2:])
    above = -apart[:, 1] >= np.minimum(own[1], lengths[:, 1]) * np.where(apart[:, 0] >= 0, OVER, 1 / 2)
    lower, higher = np.minimum(own[0], lengths[:, 0]), np.maximum(own[0], lengths[:, 0])
    flat = lower <= FLAT * higher
    part = (lower <= SMALL_PART * higher) & (together.max(1) <= np.where(flat, LONGEST_BAR, TALLEST) * size)
    half = above & (together[:, 0] <= np.where(apart.max(1) <= CLOSE * size, TALL_CLOSE, TALL) * usual)
    near = np.where(above | flat, NEAR, BESIDE)
    return np.flatnonzero((part | half) & (apart.max(1) <= near * size)).tolist()


def _gap(small: list[Part], large: list[Part], boxes: np.ndarray) -> float | None:
    """Return how many pixels the two are apart; None: too far for parts of one digit."""
    least, most = sorted((boxes[:, 2:] - boxes[:, :2]).max(1))
    pixels, others = (np.concatenate([part.pixels for part in parts]) for parts in (small, large))
    gap = float(cKDTree(others).query(pixels)[0].min())
    return gap if gap <= NEAR * min(most, 3 * least) else None


def around(parts: list[Part]) -> tuple[int, int, int, int]:
    """Return the box (top, left, bottom, right) around parts."""
    boxes = np.array([part.box for part in parts])
    return (*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist())


def fill(digit: list[Part]) -> np.ndarray:
    """Return a digit's parts as a mask (h, w) bool in the box around them."""
    top, left, bottom, right = around(digit)
    filled = np.zeros((bottom - top, right - left), bool)
    for part in digit:
        filled[tuple((part.pixels - [top, left]).T)] = True
    return filled


def is_drawn(digit: list[Part], shape: tuple[int, int]) -> bool:
    """Say whether joined parts on a photo of this `shape` are large enough, and drawn by a pen: no blot."""
    top, left, bottom, right = around(digit)
    longer = max(bottom - top, right - left)
    # a ragged outline would be longer
    smooth = ndimage.gaussian_filter(np.pad(fill(digit).astype(float), 3), longer / 40)
    return longer >= max(LEAST_PIXELS, LEAST_SHARE * max(shape)) and stroke_width(smooth) <= SOLID * longer


def _is_line(part: Part) -> bool:
    """Say whether a part is as long and straight as no stroke: a ruled line, a page's edge."""
    longer, shorter = max(part.height, part.width), min(part.height, part.width)
    return longer > LONGEST * max(1, len(part.pixels) / longer) and shorter < longer / 8


def _cut(part: Part, shape: tuple[int, int]) -> bool:
    top, left, bottom, right = part.box
    return min(top, left, shape[0] - bottom, shape[1] - right) < BLURRED


def _weighted_median(values: list[float], weights: np.ndarray) -> float:
    order = np.argsort(values)
    rising = np.cumsum(weights[order])
    return float(np.asarray(values)[order][np.searchsorted(rising, rising[-1] / 2)])
