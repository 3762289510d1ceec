"""One picture of one digit, of any size, type, range and polarity, read, or refused by name."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mnist_helpers.handwriting.given import Given, as_grey
from mnist_helpers.handwriting.photo import open_photo
from mnist_helpers.handwriting.prepare import LONGER, SIDE, prepare
from mnist_helpers.handwriting.reader import Reader, Reading
from mnist_helpers.handwriting.refusal import load_refusal

LEAST_CONTRAST = 0.1  # between ink and paper, of that between black and white
EVEN, MOST = 0.1, 0.8  # most of the border is nearer than that to the paper's grey
NOISE = 5  # median deviations of the border from the paper's grey: what is nearer to it is no ink
ONE_SIDED = 0.5  # of what lies on one side of the paper's grey, on the other: then neither is ink


def predict(network: nn.Module | Reader, image: Given | str | Path) -> Reading:
    """Read one digit: what `image` shows, or the picture at that path.

    `network` maps normalised images (N, 1, 28, 28) to logits (N, 10) and always answers, unless it is shown no digit;
    a `Reader` also says "not sure". Raises ValueError: `image` is not one picture (see `as_grey`), shows nothing, or
    neither dark on light nor light on dark; PhotoError, a ValueError: the file is no photo.
    """
    reader = network if isinstance(network, Reader) else Reader(network, load_refusal())
    return reader.read(to_mnist(image).unsqueeze(0))[0]


def to_mnist(image: Given | str | Path) -> Tensor:
    """Return `image` in MNIST's form, (28, 28) uint8, light on dark. One that has it already stays as it is.

    Raises as `predict`.
    """
    grey = as_grey(open_photo(image).grey if isinstance(image, str | Path) else image)
    if np.ptp(grey) < LEAST_CONTRAST:
        raise ValueError(
            f"the picture is empty: its lightest and darkest pixels differ by {np.ptp(grey):.0%} of white; "
            f"ink differs from its paper by {LEAST_CONTRAST:.0%} or more"
        )
    paper, noise = find_paper(grey)
    difference = grey - paper
    is_light = difference.sum() > 0
    if has_mnist_form(plain := np.floor(255 * (grey if is_light else 1 - grey) + 0.5)):
        return torch.from_numpy(plain.astype(np.uint8))
    ink, other = (np.clip(sign * difference, 0, None) for sign in ((1, -1) if is_light else (-1, 1)))
    if other.sum() > ONE_SIDED * ink.sum():
        raise ValueError("the picture is neither dark on light nor light on dark: its border lies between the two")
    return torch.from_numpy(prepare(np.where(ink > NOISE * noise, ink, 0)))


def find_paper(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the paper's grey (H, W), and how far from it most of the border is.

    It is the border's median or, where light falls from a side, a + b·x + c·y + d·x·y. ValueError: neither fits.
    """
    on_border = np.ones(grey.shape, bool)
    on_border[1:-1, 1:-1] = False
    rows, columns = np.indices(grey.shape)
    terms = np.stack([np.ones(grey.shape), rows, columns, rows * columns], axis=-1)
    sloping = terms @ np.linalg.lstsq(terms[on_border], grey[on_border])[0]
    for paper in (np.full(grey.shape, np.median(grey[on_border])), sloping):
        distances = np.abs(grey - paper)[on_border]
        if np.quantile(distances, MOST) < EVEN:
            return paper, float(np.median(distances))
    raise ValueError("the picture's border is no paper of one grey; cut it closer, or read it as a page (read_page)")


def has_mnist_form(pixels: np.ndarray) -> bool:
    """Return whether `pixels` (H, W) from 0 to 255 are 28 × 28, black around ink of size and place as MNIST's."""
    if pixels.shape != (SIDE, SIDE):
        return False
    rows, columns = (np.flatnonzero(pixels.any(axis)) for axis in (1, 0))
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    middle = np.arange(SIDE) + 0.5
    places = [pixels.sum(axis) @ middle / pixels.sum() for axis in (0, 1)]
    return abs(longer - LONGER) <= 1 and all(abs(place - SIDE / 2 - 0.5) < 0.6 for place in places)
