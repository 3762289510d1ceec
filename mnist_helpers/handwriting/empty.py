"""Pages on which no digit stands: blank, ruled, squared, with edges, shadows, folds, blots. Nothing may be read."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy import ndimage

from mnist_helpers.handwriting.made import MadePage, on_paper
from mnist_helpers.handwriting.pages import SIZE, corner_shadow, draw_rules

OF_EACH = 5
Random = np.random.Generator
Drawn = tuple[np.ndarray | float, np.ndarray | float]  # what covers the paper, and the light on it


def empty_pages(of_each: int = OF_EACH, kinds: Iterable[str] | None = None) -> Iterator[MadePage]:
    """Yield so many pages of each of `kinds`, of all in `KINDS` where it is None: fifty, always the same."""
    for kind in kinds or KINDS:
        draw = KINDS[kind]
        for number in range(of_each):
            random = np.random.default_rng([number, *kind.encode()])
            cover, light = draw(random)
            cover = ndimage.gaussian_filter(np.broadcast_to(np.float32(cover), SIZE), 0.6)
            yield MadePage(f"{kind}_{number}", on_paper(cover, random, light=light), ())


def _blank(random: Random) -> Drawn:
    return 0.0, 1.0


def _ruled(random: Random) -> Drawn:
    return draw_rules(random.uniform(30, 80), random.uniform(-6, 6), squared=False), 1.0


def _squared(random: Random) -> Drawn:
    return draw_rules(random.uniform(20, 50), random.uniform(-6, 6), squared=True), 1.0


def _margin(random: Random) -> Drawn:
    margin = np.zeros(SIZE)
    x = int(random.uniform(0.08, 0.2) * SIZE[1])
    margin[:, x : x + 3] = 0.5
    return np.maximum(draw_rules(random.uniform(40, 80), 0, squared=False), margin), 1.0


def _page_edge(random: Random) -> Drawn:
    """A page that lies on a dark table."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    turn = np.radians(random.uniform(-8, 8))
    across = (x - SIZE[1] / 2) * np.cos(turn) + (y - SIZE[0] / 2) * np.sin(turn)
    down = (y - SIZE[0] / 2) * np.cos(turn) - (x - SIZE[1] / 2) * np.sin(turn)
    page = np.abs(across) < random.uniform(0.3, 0.45) * SIZE[1]
    page &= np.abs(down) < random.uniform(0.35, 0.55) * SIZE[0]
    return np.where(page, 0, random.uniform(0.7, 0.95)), 1.0


def _shadow(random: Random) -> Drawn:
    return 0.0, corner_shadow(random)


def _fold(random: Random) -> Drawn:
    """A crease: one side of it lighter, the other darker."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    from_fold = (x - random.uniform(0.3, 0.7) * SIZE[1]) + random.uniform(-0.1, 0.1) * (y - SIZE[0] / 2)
    return 0.0, 1 - 0.25 * np.exp(-np.abs(from_fold) / 6) * np.sign(from_fold)


def _blots(random: Random) -> Drawn:
    return _spots(random, int(random.integers(1, 6)), 14, 60), 1.0


def _splashes(random: Random) -> Drawn:
    return np.maximum(_spots(random, 2, 20, 45), _spots(random, 40, 1, 6)), 1.0


def _smudges(random: Random) -> Drawn:
    """Pale, soft patches: fingerprints, what was rubbed out."""
    patches = ndimage.gaussian_filter(_spots(random, 4, 25, 60), random.uniform(4, 10))
    return patches * random.uniform(0.1, 0.4), 1.0


def _spots(random: Random, count: int, least: float, most: float) -> np.ndarray:
    """Return the cover of round, uneven spots of ink with radii from `least` to `most` pixels."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    cover = np.zeros(SIZE)
    for _ in range(count):
        down, across = y - random.uniform(0.1, 0.9) * SIZE[0], x - random.uniform(0.1, 0.9) * SIZE[1]
        angle = np.arctan2(down, across)
        uneven = sum(random.normal(0, 0.12 / k) * np.cos(k * angle + random.uniform(0, 6)) for k in (1, 2, 3, 4, 5))
        radius = random.uniform(least, most) * (1 + uneven)
        cover = np.maximum(cover, random.uniform(0.6, 1) * (np.hypot(down, across) < radius))
    return cover


KINDS: dict[str, Callable[[Random], Drawn]] = {
    draw.__name__.removeprefix("_"): draw
    for draw in (_blank, _ruled, _squared, _margin, _page_edge, _shadow, _fold, _blots, _splashes, _smudges)
}
