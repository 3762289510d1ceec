"""Augmentation of whole batches: parameters drawn per image, applied to all images at once.

Equal in distribution to torchvision's RandomAffine, ColorJitter, Normalize and RandomErasing, image by image.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mnist_helpers.data.ranges import Augmentation

# of all training pixels scaled to [0, 1]; notebook 01 computes them
MEAN, STD = 0.1307, 0.3081
ELASTIC_NODES = 7  # one every four pixels: neighbouring strokes move together
ERASING_ATTEMPTS = 10  # torchvision gives up after ten rectangles that do not fit


@dataclass(frozen=True)
class Draws:
    """What was drawn for each of N images, (N,) where nothing else is said; None where nothing is ever changed."""

    angle: Tensor  # rotation in degrees
    shift_x: Tensor
    shift_y: Tensor  # translation in whole pixels
    scale: Tensor
    shear: Tensor  # along x, in degrees
    brightness: Tensor | None = None
    contrast: Tensor | None = None
    contrast_first: Tensor | None = None  # bool: ColorJitter applies its steps in random order
    boxes: Tensor | None = None  # (N, 4): top, left, height, width in pixels; height 0 erases nothing
    elastic: Tensor | None = None  # (N, 2, 7, 7): displacements in x and y, in pixels, at the nodes of a coarse grid


def normalise(pixels: Tensor) -> Tensor:
    """Turn raw pixels (N, 28, 28) uint8 into inputs (N, 1, 28, 28) float32 of mean 0 and standard deviation 1."""
    return pixels.unsqueeze(1).float().div_(255).sub_(MEAN).div_(STD)


def augment(pixels: Tensor, augmentation: Augmentation | None) -> Tensor:
    """Return normalised inputs (N, 1, 28, 28) of raw pixels (N, 28, 28) uint8, each varied by its own draw."""
    if augmentation is None:
        return normalise(pixels)
    draws = draw(len(pixels), pixels.shape[-1], augmentation, pixels.device)
    images = move(pixels.unsqueeze(1).float().div_(255), draws)
    if draws.brightness is not None:
        images = recolour(images, draws)
    inputs = images.sub_(MEAN).div_(STD)
    return inputs if draws.boxes is None else erase(inputs, draws.boxes)


def draw(count: int, size: int, augmentation: Augmentation, device: torch.device | str = "cpu") -> Draws:
    """Draw the parameters of `count` images of `size`×`size` pixels."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count, device=device).uniform_(low, high)

    a = augmentation
    shift, recoloured = a.translate * size, a.brightness or a.contrast
    return Draws(
        angle=uniform(-a.degrees, a.degrees),
        shift_x=uniform(-shift, shift).round_(),
        shift_y=uniform(-shift, shift).round_(),
        scale=uniform(*a.scale),
        shear=uniform(-a.shear, a.shear),
        brightness=uniform(1 - a.brightness, 1 + a.brightness) if recoloured else None,
        contrast=uniform(1 - a.contrast, 1 + a.contrast) if recoloured else None,
        contrast_first=uniform(0, 1) < 0.5 if recoloured else None,
        boxes=_draw_boxes(count, size, a, device) if a.erasing_p else None,
        elastic=torch.randn(count, 2, *[ELASTIC_NODES] * 2, device=device).mul_(a.elastic) if a.elastic else None,
    )


def _draw_boxes(count: int, size: int, a: Augmentation, device: torch.device | str) -> Tensor:
    """Draw rectangles as Zhong et al. 2017 (https://arxiv.org/abs/1708.04896): area and ratio until one fits."""
    shape = (count, ERASING_ATTEMPTS)
    area = torch.empty(shape, device=device).uniform_(*a.erasing_area).mul_(size * size)
    ratio = torch.empty(shape, device=device).uniform_(*map(math.log, a.erasing_ratio)).exp_()
    heights, widths = (area * ratio).sqrt_().round_(), (area / ratio).sqrt_().round_()
    fits = (heights < size) & (widths < size)
    first = fits.int().argmax(1, keepdim=True)  # the first that fits; 0 when none does
    height, width = heights.gather(1, first).squeeze(1), widths.gather(1, first).squeeze(1)
    top, left = (torch.rand(count, device=device) * (size - side + 1) for side in (height, width))
    erased = (torch.rand(count, device=device) < a.erasing_p) & fits.any(1)
    return torch.stack([top.floor_(), left.floor_(), height * erased, width], dim=1)


def move(images: Tensor, draws: Draws) -> Tensor:
    """Turn, shift, zoom, shear and distort images (N, 1, H, H) float32 as drawn; new pixels are black."""
    size = images.shape[-1]
    grid = sampling_grid(inverse_affine(draws, size), size)
    if draws.elastic is not None:
        # between the nodes a smooth surface, in place of noise for every pixel that is then blurred
        field = F.interpolate(draws.elastic, size, mode="bicubic", align_corners=False)
        grid = grid + field.permute(0, 2, 3, 1) * (2 / size)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def recolour(images: Tensor, draws: Draws) -> Tensor:
    """Change brightness and contrast of images (N, 1, H, H) float32 in [0, 1] as drawn, in the order drawn."""
    for is_contrast in (draws.contrast_first, ~draws.contrast_first):
        factor = torch.where(is_contrast, draws.contrast, draws.brightness).view(-1, 1, 1, 1)
        # contrast scales around the image's mean, brightness around black
        pivot = images.mean((1, 2, 3), keepdim=True) * is_contrast.view(-1, 1, 1, 1)
        images = (images * factor).add_(pivot * (1 - factor)).clamp_(0, 1)
    return images


def inverse_affine(draws: Draws, size: int) -> Tensor:
    """Return the maps (N, 2, 3) from output to input positions, in `grid_sample`'s coordinates from −1 to 1.

    The inverse of R(angle) · S(scale) · Shear_x(shear) about the image's centre, as in torchvision's `RandomAffine`.
    """
    angle, shear = draws.angle.deg2rad(), draws.shear.deg2rad()
    cos, sin, tan = angle.cos(), angle.sin(), shear.tan()
    a, b = (cos - sin * tan) / draws.scale, (sin + cos * tan) / draws.scale
    c, d = -sin / draws.scale, cos / draws.scale
    x, y = draws.shift_x * (2 / size), draws.shift_y * (2 / size)
    return torch.stack([a, b, -(a * x + b * y), c, d, -(c * x + d * y)], dim=1).view(-1, 2, 3)


def sampling_grid(maps: Tensor, size: int) -> Tensor:
    """Return where each output pixel comes from, (N, size, size, 2), as `F.affine_grid` without corner alignment.

    The column's part plus the row's part, in place of `affine_grid`'s matrix product over three numbers.
    """
    position = (torch.arange(size, device=maps.device) * 2 + 1) / size - 1
    by_column = maps[:, :, 0:1] * position
    by_row = maps[:, :, 1:2] * position + maps[:, :, 2:3]
    return (by_column.unsqueeze(2) + by_row.unsqueeze(3)).permute(0, 2, 3, 1)


def erase(inputs: Tensor, boxes: Tensor) -> Tensor:
    """Set one rectangle of each input (N, 1, H, H) to 0; `boxes` (N, 4) as in `Draws`."""
    position = torch.arange(inputs.shape[-1], device=inputs.device)
    top, left, height, width = boxes.unsqueeze(2).unbind(1)
    rows = (position >= top) & (position < top + height)
    columns = (position >= left) & (position < left + width)
    return inputs.masked_fill_((rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1), 0)
