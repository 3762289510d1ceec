"""Things that are no digit, in MNIST's form: letters, scribbles, blots, lines, textures, two digits grown together.

What the refusal learns from (outlier exposure: Hendrycks et al. 2019, https://arxiv.org/abs/1812.04606).
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import affine_transform, gaussian_filter
from torch import Tensor
from tqdm import tqdm

from mnist_helpers.handwriting.letters import draw_learnt
from mnist_helpers.handwriting.prepare import prepare

SIDE = 100  # pixels that things are drawn on
FAINTEST = 0.2
Maker = Callable[[np.random.Generator], np.ndarray]


def letter(rng: np.random.Generator) -> np.ndarray:
    """Return a character turned, slanted and stretched."""
    plain = draw_learnt(rng)
    turn = np.deg2rad(rng.uniform(-12, 12))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1, 0], [rng.uniform(-0.35, 0.35), 1]]) @ np.diag(np.exp(rng.uniform(-0.25, 0.25, 2)))
    side = 2 * max(plain.shape)
    offset = np.array(plain.shape) / 2 - matrix @ (side / 2, side / 2)
    return affine_transform(plain, matrix, offset, (side, side), order=1)


def scribble(rng: np.random.Generator) -> np.ndarray:
    """Return one long stroke: to and fro, from place to place, or wandering."""
    from scipy.interpolate import CubicSpline  # here: half a second, and who reads a photo makes no scribbles

    count = rng.integers(7, 22)
    alternating = np.where(np.arange(count) % 2, rng.uniform(10, 40, count), rng.uniform(60, 90, count))
    places = (
        rng.uniform(10, 90, (count, 2)),
        np.column_stack([np.linspace(10, 90, count), alternating]),
        50 + np.cumsum(rng.normal(0, 20, (count, 2)), axis=0),
    )[rng.integers(3)]
    smooth = CubicSpline(np.arange(count), np.clip(places, 5, 95))(np.linspace(0, count - 1, 200))
    return _strokes([smooth], rng.uniform(2, 10))


def blot(rng: np.random.Generator) -> np.ndarray:
    """Return one to three filled shapes with wavy outlines, sharp or soft."""
    picture = Image.new("L", (SIDE, SIDE))
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    for _ in range(rng.integers(1, 4)):
        waves = sum(rng.uniform(0, 0.35) * np.cos(k * around + rng.uniform(0, 2 * np.pi)) for k in range(2, 6))
        radius, stretch = rng.uniform(8, 35) * (1 + waves), np.exp(rng.uniform(-0.5, 0.5))
        outline = (
            rng.uniform(35, 65, 2) + np.column_stack([stretch * np.cos(around), np.sin(around)]) * radius[:, None]
        )
        ImageDraw.Draw(picture).polygon([tuple(place) for place in outline], fill=255)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur((0, 1, 8)[rng.integers(3)]))) / 255


def lines(rng: np.random.Generator) -> np.ndarray:
    """Return ruled lines, squares, a flat stroke, or corners; none upright by itself, which would be a 1."""
    flat, kind = np.deg2rad(rng.uniform(-40, 40)), rng.integers(4)
    ruled = [[(10, y), (90, y + rng.uniform(-4, 4))] for y in range(15, 15 + 20 * rng.integers(2, 5), 20)]
    upright = [[(x, 10), (x, 90)] for x in range(15, 15 + 25 * rng.integers(1, 4), 25)]
    corners = rng.uniform(10, 90, (rng.integers(4, 7), 2))
    strokes = (
        [[(50 - 45 * np.cos(flat), 50 - 45 * np.sin(flat)), (50 + 45 * np.cos(flat), 50 + 45 * np.sin(flat))]],
        ruled,
        ruled[rng.integers(2) :] + upright,
        [np.vstack([corners, corners[: rng.integers(2)]])],
    )[kind]
    return _strokes(strokes, rng.uniform(1.5, 7))


def texture(rng: np.random.Generator) -> np.ndarray:
    """Return noise, from grainy to cloudy."""
    noise = gaussian_filter(rng.normal(size=(60, 60)), rng.uniform(1, 8))
    share = rng.uniform(0.3, 0.8)
    return np.clip(((noise - noise.min()) / np.ptp(noise) - share) / (1 - share), 0, 1)


def grown_together(digits: Tensor) -> Maker:
    """Return a maker of two of `digits` (N, 28, 28) uint8 that touch or overlap."""
    pixels = digits.numpy() / 255

    def two(rng: np.random.Generator) -> np.ndarray:
        left, right = (one[:, one.max(0) > 0.25] for one in pixels[rng.integers(len(pixels), size=2)])
        overlap, lower = rng.integers(0, 4), rng.integers(0, 9)
        both = np.zeros((36, left.shape[1] + right.shape[1] - overlap))
        both[4:32, : left.shape[1]] = left
        place = both[lower : lower + 28, -right.shape[1] :]
        np.maximum(place, right, out=place)
        return both

    return two


def make_oddities(digits: Tensor, counts: dict[str, int], seed: int, show: bool = False) -> dict[str, Tensor]:
    """Return so many things of each kind, (K, 28, 28) uint8; `digits` (N, 28, 28) uint8 are what grows together."""
    rng = np.random.default_rng(seed)
    makers = KINDS | {"grown together": grown_together(digits)}
    made = {}
    with tqdm(desc="no digits", total=sum(counts.values()), disable=None if show else True) as bar:
        for kind, count in counts.items():
            things: list[np.ndarray] = []
            while len(things) < count:
                if (ink := makers[kind](rng)).max() > FAINTEST:
                    things.append(prepare(ink))
                    bar.update()
            made[kind] = torch.from_numpy(np.stack(things))
    return made


def _strokes(strokes: list, width: float) -> np.ndarray:
    picture = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        places = [(float(x), float(y)) for x, y in stroke]
        draw.line(places, 255, max(1, round(width)), joint="curve")
        for x, y in (places[0], places[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.asarray(picture) / 255


KINDS: dict[str, Maker] = {"letter": letter, "scribble": scribble, "blot": blot, "lines": lines, "texture": texture}
