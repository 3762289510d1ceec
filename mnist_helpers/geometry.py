"""Where pixels come from when images move, and a layer that sets digits upright."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import MEAN, STD

BLACK = -MEAN / STD
"""Of normalised inputs."""
STEEPEST = 1.0  # pixels across for each down: a blot that leans further is not a slanted digit


def sampling_grid(maps: Tensor, size: int) -> Tensor:
    """Return where each output pixel comes from, (N, size, size, 2), as `F.affine_grid` without corner alignment.

    An affine map is a part that depends on the column plus one that depends on the row: one sum for each coordinate,
    in place of `affine_grid`'s matrix product over three numbers.
    """
    position = (torch.arange(size, device=maps.device) * 2 + 1) / size - 1
    by_column = maps[:, :, 0:1] * position
    by_row = maps[:, :, 1:2] * position + maps[:, :, 2:3]
    return (by_column.unsqueeze(2) + by_row.unsqueeze(3)).permute(0, 2, 3, 1)


class Upright(nn.Module):
    """Sets digits upright in the middle: takes out their slant and moves their centre of mass. No parameters.

    How far a digit leans follows from its second moments, x = (μ₁₁ / μ₀₂) · y (LeCun et al. 1998, Gradient-based
    learning applied to document recognition, section III.A: "deskewed"). Where a writer puts a digit and how far it
    leans says nothing about which it is; what is taken out need not be learnt.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return normalised images (N, 1, H, H) float32 of `inputs` of that shape; nothing flows back through it."""
        with torch.no_grad():
            ink = inputs.squeeze(1) - BLACK
            size = ink.shape[-1]
            place = torch.arange(size, dtype=ink.dtype, device=ink.device) - (size - 1) / 2
            mass = ink.sum((1, 2)).clamp(min=1e-3)
            x, y = (ink.sum(1) @ place) / mass, (ink.sum(2) @ place) / mass
            covariance = (ink @ place) @ place / mass - x * y
            variance = (ink.sum(2) @ place.square()) / mass - y * y
            lean = (covariance / variance.clamp(min=1)).clamp(-STEEPEST, STEEPEST)
            one, none = torch.ones_like(lean), torch.zeros_like(lean)
            maps = torch.stack([one, lean, x * (2 / size), none, one, y * (2 / size)], dim=1).view(-1, 2, 3)
            # beyond the border `grid_sample` finds 0, which is black only in ink
            moved = F.grid_sample(ink.unsqueeze(1), sampling_grid(maps, size), align_corners=False)
        return moved + BLACK
