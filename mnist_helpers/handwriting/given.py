"""One picture given as an array, a tensor or a PIL image: its grey values from 0 to 1, or what is wrong with it."""

import numpy as np
import torch
from PIL import Image

from mnist_helpers.data import MEAN, STD

ALLOWED = "allowed: (H, W), (H, W, 3) or (H, W, 4) for colour, (1, H, W), an MNIST input (1, 1, 28, 28)"
SMALLEST = 8  # pixels a side: a digit has at least these
NORMALISED = (-MEAN / STD, (1 - MEAN) / STD)  # black and white as networks are given them
CLOSE = 2e-3
PLAIN = ("1", "L", "I;16", "I;16B", "I;16L", "I", "F", "RGB", "RGBA")  # modes of grey or colour as they are
LUMINANCE = np.array([0.299, 0.587, 0.114])  # as Pillow's (ITU-R 601)
Given = np.ndarray | torch.Tensor | Image.Image


def as_grey(image: Given) -> np.ndarray:
    """Return (H, W) float64 from 0, black, to 1, white.

    Numbers are taken as what their type and range say: bool; integers of 8 bits, or of 16 where they go beyond;
    floats from 0 to 1, 0 to 255 or −1 to 1, or inputs as networks are given them. What is transparent is white paper.
    Raises ValueError: another shape, several images, no finite numbers, another range, or too few pixels.
    """
    if isinstance(image, Image.Image):
        if image.mode not in PLAIN:
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image = np.asarray(image)
    elif isinstance(image, torch.Tensor):
        image = image.detach().cpu().numpy()
    values = np.asarray(image)
    if values.dtype.kind not in "buif":
        raise ValueError(f"a picture of {values.dtype} is no picture; allowed: bool, integers, floats")
    pixels = _scaled(_one_picture(values))
    if pixels.ndim == 3:
        colour = pixels[..., :3] @ LUMINANCE
        pixels = colour if pixels.shape[2] == 3 else 1 - pixels[..., 3] * (1 - colour)
    return pixels


def _one_picture(values: np.ndarray) -> np.ndarray:
    shape = values.shape
    if values.ndim in (3, 4) and all(length == 1 for length in shape[:-2]):
        values = values.reshape(shape[-2:])
    elif values.ndim == 3 and shape[2] == 1:
        values = values[..., 0]
    colour = values.ndim == 3 and shape[2] in (3, 4)
    if not (values.ndim == 2 or colour):
        several = values.ndim >= 3 and shape[-1] == shape[-2]
        hint = "; give one at a time, images[0]" if several else ""
        raise ValueError(f"shape {shape} is not one picture; {ALLOWED}{hint}")
    if min(values.shape[:2]) < SMALLEST:
        raise ValueError(f"shape {shape} is too small for a digit; {ALLOWED}, {SMALLEST} pixels a side or more")
    return values


def _scaled(values: np.ndarray) -> np.ndarray:
    """Return numbers from 0 to 1, float64."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("the picture has pixels that are no numbers (NaN or infinite)")
    integers, pixels = values.dtype.kind in "ui", values.astype(np.float64)
    low, high = pixels.min(), pixels.max()
    if low >= 0:
        white = next((most for most in (1, 255, 65_535 if integers else 255) if high <= most), None)
        if white:
            return pixels / white
    elif not integers:
        black, white = NORMALISED
        ends = abs(low - black) < CLOSE or abs(high - white) < CLOSE
        if ends and low > black - CLOSE and high < white + CLOSE:
            return np.clip(pixels * STD + MEAN, 0, 1)
        if low >= -1 and high <= 1:
            return (pixels + 1) / 2
    allowed = "0 to 1, 0 to 255, 0 to 65535" if integers else "0 to 1, 0 to 255, −1 to 1, MNIST's normalised ones"
    raise ValueError(f"{values.dtype} from {low:g} to {high:g} is no range of grey values; allowed: {allowed}")
