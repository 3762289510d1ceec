"""Several networks that see an image each in its own way and answer as one: trained in one run, asked once."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Views(nn.Module):
    """Networks side by side, whose log-probabilities are averaged (a product of experts: Hinton 2002,
    https://doi.org/10.1162/089976602760128018).

    `forward` maps (N, 1, 28, 28) float32 to the averages (N, 10) float32; like logits, they become probabilities by
    a softmax.

    Args:
        members: the networks; the more their mistakes differ, the more the average gains.
    """

    def __init__(self, *members: nn.Module) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def each(self, inputs: Tensor) -> list[Tensor]:
        """Return every member's logits (N, 10)."""
        return [member(inputs) for member in self.members]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the averages (N, 10) of normalised images (N, 1, 28, 28)."""
        return together(self.each(inputs))


def together(logits: list[Tensor]) -> Tensor:
    """Return the mean log-probability (N, 10) of every member's logits (N, 10)."""
    return torch.stack([F.log_softmax(one, dim=1) for one in logits]).mean(0)
