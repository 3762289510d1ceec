"""A layer that sets digits upright."""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import MEAN, STD, sampling_grid

BLACK = -MEAN / STD  # of normalised inputs
STEEPEST = 1.0  # pixels across for each down: a blot that leans further is not a slanted digit
HEIGHT, WIDTH = 5.5, 3.6  # pixels, standard deviations of the ink: about the training digits' means
HEIGHTS, WIDTHS = (0.7, 1.4), (0.6, 1.4)  # what zooms are limited to


class Upright(nn.Module):
    """Sets digits upright, in the middle, at one height. No parameters.

    From the moments of the ink: its centre of mass goes to the middle; how far it leans, x = (μ₁₁ / μ₀₂) · y, is
    sheared away (LeCun et al. 1998, Gradient-based learning applied to document recognition, section III.A); its
    height is made the same, and its width half way so, since a 1 must stay narrow (Casey 1970, Moment normalization
    of handprinted characters). Where a digit stands, how far it leans and how large it is say little about which it
    is; what is taken out need not be learnt.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return normalised images (N, 1, H, H) float32 of `inputs` of that shape; nothing flows back through it."""
        with torch.no_grad(), _in_float32(inputs.device):
            ink = inputs.squeeze(1) - BLACK
            size = ink.shape[-1]
            place = torch.arange(size, dtype=ink.dtype, device=ink.device) - (size - 1) / 2
            mass = ink.sum((1, 2)).clamp(min=1e-3)
            columns, rows = ink.sum(1) / mass[:, None], ink.sum(2) / mass[:, None]
            x, y = columns @ place, rows @ place
            covariance = (ink @ place) @ place / mass - x * y
            high = (rows @ place.square() - y * y).clamp(min=1)
            lean = (covariance / high).clamp(-STEEPEST, STEEPEST)
            # what of the width is not slant
            wide = (columns @ place.square() - x * x - covariance.square() / high).clamp(min=0.3)
            taller = (high.sqrt() / HEIGHT).clamp(*HEIGHTS)
            wider = (wide.sqrt() / WIDTH).sqrt().clamp(*WIDTHS)
            none = torch.zeros_like(lean)
            across = torch.stack([wider, lean * taller, x * (2 / size)], dim=1)
            down = torch.stack([none, taller, y * (2 / size)], dim=1)
            grid = sampling_grid(torch.stack([across, down], dim=1), size)
            # beyond the border `grid_sample` finds 0, which is black only in ink
            return F.grid_sample(ink.unsqueeze(1), grid, align_corners=False) + BLACK


def _in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Return an island in an autocast to bfloat16: places need more digits than it has."""
    if torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
