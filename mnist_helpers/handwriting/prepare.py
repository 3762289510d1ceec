"""One digit's ink, at any scale and place, put into MNIST's form: (28, 28) uint8, light on dark.

Steps, as LeCun et al. 1998 (Gradient-based learning applied to document recognition, section III) describe MNIST, and
Yadav & Bottou 2019 (https://arxiv.org/abs/1905.10498) made it again; the step for the pen's width is ours:

1. The ink is divided by its maximum and cut to the box of what is above `FAINT`; L is the box's longer side.
2. It is resized, aspect kept, to a longer side of 4 · 20 = 80 fine pixels; there its stroke width w is measured.
3. If w is between `THINNEST` and `THICKEST` (in MNIST's pixels), the cut is resized to a longer side of 20: go to 5.
4. Else t is the nearer of the two, but at most `MOST_CHANGE` from w. The digit's edges move with its strokes', so
   the cut is resized to a longer side of 4 · 20 · r fine pixels, r = (20 − t) / (20 − min(w, 10)). Each fine pixel
   becomes clamp(1/2 − d + 4 · (t − r · w) / 2, 0, 1), with d the distance to the edge of what is above half of the
   fine pixels' maximum (a hair line fills no fine pixel), negative inside. 4 × 4 fine pixels are averaged.
5. The centre of mass is moved to the middle of pixel (14, 14) of 28 × 28 by whole pixels. What leaves it is cut.

Resizing is separable: exact areas where it shrinks, linear interpolation where it enlarges.
"""

import numpy as np
from scipy.ndimage import distance_transform_edt

SIDE = 28
MIDDLE = 14.5  # where MNIST's centres of mass are, within half a pixel: the middle of pixel 14, the image's own is 14
LONGER = 20  # pixels of the digit's longer side
FINE = 4  # fine pixels to a pixel
FAINT = 0.1  # of the darkest ink: below it is paper
THINNEST, THICKEST = 2.0, 3.6  # pixels: of training digits 80 of 100 lie between, 15 are thinner
MOST_CHANGE = 3.0  # pixels that a stroke may gain or lose: a blot is not to become a line
TIE = 1e-3  # pixels: symmetrical digits lie half-way between two places, and rounding errors must not choose


def prepare(ink: np.ndarray) -> np.ndarray:
    """Return (28, 28) uint8, light on dark, of `ink` (H, W) in [0, 1], 1 where it is darkest and 0 on paper.

    Raises ValueError: there is no ink.
    """
    cut = crop(np.asarray(ink, np.float64))
    longer = max(cut.shape)
    width = stroke_width(resize(cut, LONGER * FINE / longer)) / FINE
    wanted = min(max(width, THINNEST), THICKEST)
    wanted = min(max(wanted, width - MOST_CHANGE), width + MOST_CHANGE)
    if wanted == width:
        small = resize(cut, LONGER / longer)
    else:
        ratio = (LONGER - wanted) / (LONGER - min(width, LONGER / 2))
        fine = resize(cut, FINE * LONGER * ratio / longer)
        small = average(move_edges(fine, FINE * (wanted - width * ratio) / 2))
    return centre(small)


def crop(ink: np.ndarray) -> np.ndarray:
    """Return `ink` divided by its maximum, cut to the box of what is above `FAINT`. Raises ValueError: no ink."""
    if ink.ndim != 2 or not ink.size or not ink.max() > 0:
        raise ValueError("there is no ink")
    ink = ink / ink.max()
    rows, columns = (np.flatnonzero((ink > FAINT).any(axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def resize(ink: np.ndarray, scale: float) -> np.ndarray:
    """Return `ink` (H, W) at `scale`, (⌈H · scale⌉, ⌈W · scale⌉): the last row and column may be covered in part."""
    vertical, horizontal = (_weights(length, scale) for length in ink.shape)
    return vertical @ ink @ horizontal.T


def stroke_width(ink: np.ndarray) -> float:
    """Return the mean stroke width in pixels: twice the area over the outline (see `looking.stroke_thickness`).

    The outline is the total variation, the gradient taken in cells of 2 × 2 pixels: right for one-pixel lines, too.
    """
    padded = np.pad(ink, 1)
    above, below = padded[:-1], padded[1:]
    across = (above[:, 1:] + below[:, 1:] - above[:, :-1] - below[:, :-1]) / 2
    down = (below[:, 1:] + below[:, :-1] - above[:, 1:] - above[:, :-1]) / 2
    return float(2 * ink.sum() / np.sqrt(across**2 + down**2).sum())


def move_edges(ink: np.ndarray, distance: float) -> np.ndarray:
    """Move the edges of what is above half the maximum outwards by `distance` pixels, inwards where it is negative.

    Returns ink with soft edges, larger by ⌈distance⌉ on each side where it grows. Distances are Euclidean, from a
    pixel's middle to another's, less half a pixel.
    """
    margin = max(0, int(np.ceil(distance)))
    inside = np.pad(ink, margin) > ink.max() / 2
    outwards = np.where(inside, 0.5 - distance_transform_edt(inside), distance_transform_edt(~inside) - 0.5)
    return np.clip(0.5 - outwards + distance, 0, 1)


def average(fine: np.ndarray) -> np.ndarray:
    """Return the means of 4 × 4 fine pixels; beyond the last row and column is paper."""
    height, width = (-length % FINE for length in fine.shape)
    fine = np.pad(fine, ((0, height), (0, width)))
    return fine.reshape(fine.shape[0] // FINE, FINE, -1, FINE).mean((1, 3))


def centre(ink: np.ndarray) -> np.ndarray:
    """Put `ink` (h, w) into (28, 28) uint8, its centre of mass as near as whole pixels allow to `MIDDLE`."""
    canvas = np.zeros((3 * SIDE, 3 * SIDE))
    place = []
    for axis in (0, 1):
        mass = ink.sum(1 - axis)
        middle = float((np.arange(len(mass)) + 0.5) @ mass / mass.sum())
        place.append(SIDE + int(np.floor(MIDDLE - middle + 0.5 - TIE)))
    canvas[place[0] : place[0] + ink.shape[0], place[1] : place[1] + ink.shape[1]] = ink
    return np.floor(255 * canvas[SIDE : 2 * SIDE, SIDE : 2 * SIDE] + 0.5).astype(np.uint8)


def _weights(length: int, scale: float) -> np.ndarray:
    """Return the (⌈length · scale⌉, length) matrix that resizes one axis."""
    count = int(np.ceil(length * scale - TIE))
    targets, sources = np.arange(count)[:, None], np.arange(length)[None]
    if scale < 1:
        overlap = np.minimum((targets + 1) / scale, sources + 1) - np.maximum(targets / scale, sources)
        return np.maximum(overlap, 0) * scale
    # beyond the first and last pixel's middle is paper
    return np.maximum(1 - np.abs((targets + 0.5) / scale - 0.5 - sources), 0)
