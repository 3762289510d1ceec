"""Ink told from its paper: uneven light flattened, dark or light ink found, ruled lines taken out."""

import numpy as np
from scipy import ndimage
from skimage.morphology import reconstruction

SMALL = 160  # pixels of the longer side of the copy in which light is estimated
WINDOW = 1 / 6  # of the longer side: wider than two strokes, narrower than most shadows
SMOOTH = 0.5  # pixels: standard deviation of the blur against a camera's noise
DARKEST_PAPER = 0.4  # of the usual paper: darker is a deep shadow, whose noise is not to be blown up
DIP = 0.1  # of the lightest paper: deeper ones are no shading
BLACK = 0.02  # paper is not darker than that
DARK_TABLE = 0.6  # of the page's grey value
LEAST_STEP = 0.1  # from there to the page: less may be noise on dark paper
SHARP = 0.15  # of the step between table and page, in one pixel: a blur of one pixel leaves 0.3, of eight 0.05
SHARP_SHARE = 0.09  # of a ring 25 pixels wide around the table: 0.11 to 0.14 there, at a shadow with digits to 0.07
MOST_BESIDE = 0.75  # of the photo
NOISE = 5.0  # standard deviations of the paper's grey that are no ink
LEAST_CONTRAST = 0.07  # of the paper's light: fainter than pencil
RULES = 3  # parallel lines at least
ACROSS = 0.6  # of the page, that a ruled line covers
TILTS = np.radians(np.arange(-15, 15.01, 0.25))
SOFT = 2  # pixels: how far a line's blurred edge reaches
OPAQUE = 1.6  # times a rule's contrast: there a pen went over it


def flatten(grey: np.ndarray) -> np.ndarray:
    """Return the ink (H, W) float32 in a page's grey values (H, W) from 0 to 1: 0 on paper, 1 for black on white.

    Light that is uneven is divided out, ruled and squared paper taken away, light ink on dark turned round.
    """
    contrast = without_rules(find_contrast(grey))
    on_page = contrast[contrast != 0]
    # the standard deviation of a normal distribution with this median deviation (Hampel 1974)
    noise = 1.4826 * np.median(np.abs(on_page - np.median(on_page))) if on_page.size else 0
    return np.where(contrast > max(LEAST_CONTRAST, NOISE * noise), np.clip(contrast, 0, 1), 0).astype(np.float32)


def find_contrast(grey: np.ndarray) -> np.ndarray:
    """Return how much darker each pixel is than its paper, or lighter on dark paper: (H, W), 1 for black on white."""
    grey = ndimage.gaussian_filter(np.asarray(grey, np.float32), SMOOTH)
    beside = find_beside(grey)
    paper = find_paper(grey, beside)
    difference = np.where(beside, 0, paper - grey)
    # ink is what is far from the paper: third powers let it outweigh noise and texture
    if (difference**3).sum() < 0:
        difference, paper = -difference, 1 - paper
    blots = find_blots(paper)
    difference, paper = difference + np.where(beside, 0, blots), paper + blots
    return difference / np.maximum(paper, max(BLACK, DARKEST_PAPER * np.median(paper)))


def find_paper(grey: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return what the paper alone would look like, (H, W): medians of a wide window, which keep a shadow's edge."""
    small = _small(grey)
    if beside.any():
        nearest = ndimage.distance_transform_edt(_small(beside) > 0.01, return_distances=False, return_indices=True)
        small = small[tuple(nearest)]
    window = 2 * int(max(small.shape) * WINDOW / 2) + 1
    return _large(ndimage.median_filter(small, window, mode="nearest"), grey.shape)


def find_blots(paper: np.ndarray) -> np.ndarray:
    """Return how much lighter `paper` (H, W) would be without dips as small as the window: blots that fill it.

    A shadow is larger or reaches the photo's edge. Dips are filled by reconstruction (Vincent 1993, Morphological
    grayscale reconstruction in image analysis).
    """
    small = _small(paper)
    if min(small.shape) < 3:
        return np.zeros_like(paper)
    seed = np.full_like(small, small.max())
    seed[[0, -1]], seed[:, [0, -1]] = small[[0, -1]], small[:, [0, -1]]
    depth = reconstruction(seed, small, method="erosion") - small
    dips, _ = ndimage.label(depth > DIP * small.max())
    areas = np.bincount(dips.ravel())
    areas[0] = 0
    depth[(areas[dips] == 0) | (areas[dips] > (WINDOW * max(small.shape)) ** 2)] = 0
    return _large(depth.astype(np.float32), paper.shape)


def find_beside(grey: np.ndarray) -> np.ndarray:
    """Return where `grey` (H, W) shows what the page lies on: dark, wide, up to the photo's edge, sharply cut off.

    A shadow's edge is soft. The result (H, W) is float32, 0 on the page.
    """
    page = np.quantile(grey, 0.9)
    dark = np.pad(_small((grey < DARK_TABLE * page).astype(np.float32)) > 0.5, 3, mode="edge")
    regions, _ = ndimage.label(ndimage.binary_opening(dark, np.ones((5, 5))))
    on_edge = np.unique(np.concatenate([regions[[0, -1]].ravel(), regions[:, [0, -1]].ravel()]))
    if not on_edge.any():
        return np.zeros_like(grey)
    steepness = ndimage.gaussian_gradient_magnitude(grey, 1)
    beside = np.zeros(dark.shape, bool)
    for number in on_edge[on_edge > 0]:
        region = regions == number
        ring = ndimage.binary_dilation(region, iterations=2) & ~ndimage.binary_erosion(region, iterations=2)
        inside, around = (_large(one[3:-3, 3:-3].astype(np.float32), grey.shape) > 0.5 for one in (region, ring))
        step = page - grey[inside].mean()
        if around.any() and step > LEAST_STEP and (steepness[around] > SHARP * step).mean() > SHARP_SHARE:
            beside |= ndimage.binary_dilation(region, iterations=2)
    if beside.mean() > MOST_BESIDE:  # the paper itself is dark
        beside[:] = False
    return np.ceil(_large(beside[3:-3, 3:-3].astype(np.float32), grey.shape))


def _small(picture: np.ndarray) -> np.ndarray:
    scale = min(1, SMALL / max(picture.shape))
    soft = ndimage.gaussian_filter(picture, 0.4 / scale)
    return ndimage.zoom(soft, scale, order=1, grid_mode=True, mode="nearest")


def _large(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    factors = [whole / part for whole, part in zip(shape, small.shape, strict=True)]
    return ndimage.zoom(small, factors, order=1, grid_mode=True, mode="nearest")


def without_rules(contrast: np.ndarray) -> np.ndarray:
    """Return `contrast` without the lines of ruled or squared paper, if there are any; pen strokes over them stay."""
    return _without_lines(_without_lines(contrast).T).T


def _without_lines(contrast: np.ndarray) -> np.ndarray:
    """Take away lines that run from side to side, at most 15° off."""
    height, width = contrast.shape
    ys, xs = np.nonzero(contrast[:, :: max(1, width // SMALL)] > LEAST_CONTRAST)
    xs = xs * max(1, width // SMALL)
    slope = np.tan(max(TILTS, key=lambda tilt: _sharpness(ys, xs, np.tan(tilt), width)))
    slope = max(slope + np.arange(-5, 6) * 1e-3, key=lambda slope: _sharpness(ys, xs, slope, width))

    # each row of `level` follows the slope; what it has outside the page is paper
    columns = np.arange(width)
    reach = int(np.ceil(abs(slope) * width))
    rows = np.arange(-reach, height + reach)[:, None] + np.round(slope * (columns - width / 2)).astype(int)
    inside = (rows >= 0) & (rows < height)
    level = np.where(inside, contrast[np.clip(rows, 0, height - 1), columns], 0)
    covered = (ndimage.maximum_filter1d(level, 3, axis=0) > LEAST_CONTRAST).sum(1)
    covered = covered / np.maximum(inside.sum(1), width / 4)
    bands, count = ndimage.label(covered > ACROSS)
    places = [place[0] for place in ndimage.find_objects(bands)]
    if (
        count < RULES
        or max(place.stop - place.start for place in places) * 4 > np.diff([p.start for p in places]).min()
    ):
        return contrast

    cleared = level.copy()
    for place in places:
        band = slice(max(place.start - SOFT, 0), place.stop + SOFT)
        rule = ndimage.median_filter(level[band], (1, width // 5), mode="nearest")
        rule = ndimage.maximum_filter1d(rule, 2 * SOFT + 1, axis=0)  # where the slope is rounded it lies a row off
        # a stroke that goes on beyond it
        ends = level[[max(band.start - 1, 0), min(band.stop, len(level) - 1)]].min(0)
        over = (level[band] > OPAQUE * rule) & (level[band] > LEAST_CONTRAST) | (ends > LEAST_CONTRAST)
        cleared[band] = np.where(over, level[band], 0)
    result = contrast.copy()
    result[rows[inside], np.broadcast_to(columns, rows.shape)[inside]] = cleared[inside]
    return result


def _sharpness(ys: np.ndarray, xs: np.ndarray, slope: float, width: int) -> float:
    """Return the sum of squares of the ink along each line of this slope: high where ink lies on few lines."""
    return (np.bincount(_rows(ys, xs, slope, width)) ** 2.0).sum()


def _rows(ys: np.ndarray, xs: np.ndarray, slope: float, width: int) -> np.ndarray:
    return np.round(ys - slope * xs + abs(slope) * width).astype(int)
