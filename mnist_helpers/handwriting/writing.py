"""Lines of writing: boxes on a page put into reading order, also where the page is tilted."""

import numpy as np

TILTS = np.radians(np.arange(-20, 20.1, 0.5))
APART = 0.55  # of the usual height, between the middles of two lines' neighbours
UPRIGHT = 0.02  # a tilt has to be so much better than none, for each 10 degrees


def lines_of_writing(boxes: list[tuple[int, int, int, int]]) -> tuple[list[int], list[int]]:
    """Sort boxes (top, left, bottom, right) into lines, from the top, each from the left.

    Returns each box's line, from 0, and the boxes' indices in reading order. The tilt is the one of up to 20°
    along which the boxes' middles fall on the fewest and sharpest lines.
    """
    if not boxes:
        return [], []
    top, left, bottom, right = np.array(boxes, float).T
    x, y, height = (left + right) / 2, (top + bottom) / 2, np.median(bottom - top)
    tilt = max(TILTS, key=lambda tilt: _sharpness(_across(x, y, tilt), height) - UPRIGHT * abs(tilt) / np.radians(10))
    across = _across(x, y, tilt)
    rising = np.argsort(across)
    steps = np.diff(across[rising]) > APART * height
    lines = np.empty(len(boxes), int)
    lines[rising] = np.concatenate([[0], np.cumsum(steps)])
    along = x * np.cos(tilt) + y * np.sin(tilt)
    return lines.tolist(), np.lexsort((along, lines)).tolist()


def _across(x: np.ndarray, y: np.ndarray, tilt: float) -> np.ndarray:
    return y * np.cos(tilt) - x * np.sin(tilt)


def _sharpness(across: np.ndarray, height: float) -> float:
    """Return the mean share of boxes seen at the same height as each: 1 for one line."""
    apart = (across[:, None] - across[None]) / (0.25 * height)
    return float(np.exp(-(apart**2) / 2).mean())
