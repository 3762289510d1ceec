"""Learning from a bigger network's answers as well as from the labels.

Hinton, Vinyals & Dean 2015, Distilling the knowledge in a neural network, https://arxiv.org/abs/1503.02531.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.descent import descend
from mnist_helpers.precision import Precision, computing_in

TEMPERATURE = 2.0
"""Divides both networks' logits, so that what the teacher holds for second and third likely counts."""
SHARE = 0.5
"""Of the loss that is the teacher's; the rest is the labels'."""


def taught_step(
    teacher: nn.Module,
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    optimizer: torch.optim.Optimizer,
    label_smoothing: float = 0,
    precision: Precision = "float32",
) -> tuple[Tensor, Tensor]:
    """Take one step towards the labels and the answers of `teacher`, which stays as it is.

    Returns:
        The mixed loss () of the batch and the logits (N, 10), as `training.train_step` does.
    """
    with computing_in(precision, targets.device):
        with torch.no_grad():
            answers = teacher(inputs).float()
        logits = model(inputs).float()
    loss = distilled(F.cross_entropy(logits, targets, label_smoothing=label_smoothing), logits, answers)
    descend(loss, optimizer)
    return loss.detach(), logits.detach()


def distilled(loss: Tensor, logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Return the labels' mean loss () mixed with the mean divergence of the logits (N, 10) from the teacher's.

    The divergence is Kullback and Leibler's, times the square of the temperature, by which its gradient shrinks.
    """
    mine, theirs = (F.log_softmax(values / TEMPERATURE, dim=1) for values in (logits, teacher_logits))
    divergence = F.kl_div(mine, theirs, reduction="batchmean", log_target=True) * TEMPERATURE**2
    return (1 - SHARE) * loss + SHARE * divergence
