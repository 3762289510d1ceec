"""Digits drawn stroke by stroke, as hands draw them: paths of our own, no typeface, each time a little different."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

FINER = 4  # fine pixels along a pixel's side while drawing
BOX = (60, 100)  # width and height that the paths are drawn in

# M moves the pen, L draws a line, C a cubic Bézier curve, as in SVG (https://www.w3.org/TR/SVG2/paths.html)
PATHS = {
    0: (
        "M 30 2 C 5 2 0 40 2 60 C 4 90 20 100 32 99 C 52 98 60 70 58 45 C 56 15 45 2 28 3",
        "M 38 6 C 15 -2 2 30 4 60 C 6 95 35 105 48 85 C 62 60 58 20 34 3",
    ),
    1: ("M 30 0 C 29 30 29 70 28 100", "M 12 26 L 32 2 L 31 100", "M 2 40 L 34 2 C 34 40 33 70 32 100"),
    2: (
        "M 5 22 C 10 0 55 -4 54 26 C 53 50 20 75 3 98 C 20 94 40 96 60 97",
        "M 6 18 C 20 -6 56 0 52 28 C 48 55 25 80 10 94 C 2 100 0 86 12 84 C 28 84 40 104 60 92",
    ),
    3: (
        "M 6 12 C 20 -4 52 -2 50 22 C 49 40 30 46 20 47 C 40 46 58 56 56 74 C 54 100 16 106 2 86",
        "M 6 2 L 52 3 L 26 38 C 50 38 60 55 56 75 C 50 100 16 104 3 88",
    ),
    4: (
        "M 14 2 C 10 25 6 45 4 60 C 20 62 45 60 60 58 M 46 28 C 46 50 45 80 44 100",
        "M 44 100 C 45 70 45 40 46 2 C 35 25 18 48 2 66 L 60 65",
    ),
    5: (
        "M 54 3 L 14 4 L 9 43 C 30 33 58 44 54 70 C 50 100 14 104 2 88",
        "M 12 6 C 10 20 8 32 8 42 C 30 32 58 44 54 70 C 50 100 14 104 2 88 M 20 3 L 56 1",
    ),
    6: (
        "M 44 2 C 20 14 2 50 4 74 C 6 104 52 106 54 76 C 55 52 18 50 6 72",
        "M 36 0 C 14 30 4 60 6 78 C 10 104 48 102 50 80 C 50 60 20 56 8 80",
    ),
    7: ("M 4 5 C 20 4 40 4 56 3 C 44 30 28 60 20 100", "M 4 5 C 20 4 40 4 56 3 C 44 30 30 60 24 100 M 14 52 L 54 48"),
    8: (
        "M 48 12 C 36 -6 8 0 10 22 C 12 44 54 50 54 76 C 54 104 6 106 6 78 C 6 54 44 42 48 14",
        "M 30 2 C 2 2 4 44 30 46 C 56 44 56 2 30 2 M 30 46 C -2 50 -2 100 30 99 C 62 98 62 50 30 46",
    ),
    9: (
        "M 50 16 C 40 -6 4 0 6 28 C 8 54 48 52 50 20 C 52 45 50 75 46 100",
        "M 50 22 C 46 -6 6 -2 6 26 C 8 56 50 48 50 22 C 54 60 52 104 12 94",
    ),
}


@dataclass(frozen=True)
class Hand:
    """How a person writes: which path of each digit (the first where it has fewer), slant, and how unsteadily."""

    style: int = 0
    slant: float = 0.1  # x per y, to the right
    unsteady: float = 2.0  # standard deviation of each point, in the paths' hundredths of a height
    turn: float = 3.0  # degrees, standard deviation


@dataclass(frozen=True)
class Pen:
    """How wide a pen draws, in pixels, how dark from 0 to 1, and how much the hand's pressure varies both."""

    width: float = 5.0
    ink: float = 0.9
    pressure: float = 0.1


def draw_digit(
    digit: int, height: float, hand: Hand, pen: Pen, random: np.random.Generator, tilt: float = 0
) -> np.ndarray:
    """Return how much ink covers each pixel, (h, w) float32 from 0 to 1, cut to the digit's box.

    `height` is in pixels, `tilt` in degrees, its writing's rise to the right.
    """
    paths = PATHS[digit]
    turn = -np.radians(random.normal(tilt, hand.turn))
    shear = np.array([[1, -hand.slant], [0, 1]])
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ shear * height / BOX[1] * FINER
    strokes = [
        points @ matrix.T
        for points in follow(paths[hand.style % len(paths)], random.normal(0, hand.unsteady, (64, 2)))
    ]
    margin = pen.width * (1 + 3 * pen.pressure) * FINER
    corner = np.min([stroke.min(0) for stroke in strokes], axis=0) - margin
    extent = np.max([stroke.max(0) for stroke in strokes], axis=0) + margin - corner
    fine = Image.new("L", tuple((-(-extent // FINER) * FINER).astype(int)))
    brush = ImageDraw.Draw(fine)
    for stroke in strokes:
        swing = 1 + pen.pressure * np.sin(np.linspace(0, random.uniform(3, 9), len(stroke)) + random.uniform(0, 6))
        for point, pressure in zip(stroke - corner, swing, strict=True):
            radius = pen.width * FINER / 2 * pressure
            brush.ellipse([*(point - radius), *(point + radius)], fill=round(255 * min(1, pen.ink * pressure)))
    cover = np.asarray(fine.reduce(FINER), np.float32) / 255
    rows, columns = (np.flatnonzero((cover > cover.max() / 2).any(axis)) for axis in (1, 0))
    return cover[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def follow(path: str, shaken: np.ndarray) -> list[np.ndarray]:
    """Return the strokes of a path, each as points (n, 2) less than a hundredth of its height apart.

    `shaken` (k, 2), k at least the number of points in the path, is added to these one after the other.
    """
    words = iter(path.split())
    moves = iter(shaken)
    strokes: list[list[np.ndarray]] = []
    for command in words:
        count = 3 if command == "C" else 1
        given = [np.array([float(next(words)), float(next(words))]) + next(moves) for _ in range(count)]
        if command == "M":
            strokes.append([given[0]])
            continue
        start = strokes[-1][-1]
        first, second = given[:2] if command == "C" else (start, given[0])
        length = np.linalg.norm(np.diff([start, first, second, given[-1]], axis=0), axis=1).sum()
        for t in np.linspace(0, 1, int(2 * length) + 2)[1:]:
            strokes[-1].append(
                (1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second + t**3 * given[-1]
            )
    return [np.array(stroke) for stroke in strokes]
