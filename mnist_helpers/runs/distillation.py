"""Learning from a bigger network's answers too (Hinton, Vinyals & Dean 2015, https://arxiv.org/abs/1503.02531)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.data import Images
from mnist_helpers.training import Hook, LossOf, Settings

TEMPERATURE = 2.0  # divides both networks' logits, so that what the teacher holds for second and third likely counts
SHARE = 0.5  # of the loss that is the teacher's; the rest is the labels'


class Taught(Hook):
    """Has a teacher trained before training, and mixes its answers into every step's loss.

    `train_teacher`, given the images and whether to show it, returns it in evaluation mode. No checkpoint holds the
    teacher: a resumed run trains it again, the same.
    """

    def __init__(self, train_teacher: Callable[[Images, bool], nn.Module]) -> None:
        self._train_teacher = train_teacher

    def before_training(self, network: nn.Module, images: Images, settings: Settings, show: bool) -> None:
        self.teacher = self._train_teacher(images, show)

    def loss(self, loss_of: LossOf) -> LossOf:
        def taught(network: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad():
                answers = self.teacher(inputs)
            loss, logits = loss_of(network, inputs, targets)
            return distilled(loss, logits, answers), logits

        return taught


def distilled(loss: Tensor, logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """Return the labels' mean loss () mixed with the mean divergence of the logits (N, 10) from the teacher's.

    The divergence is Kullback and Leibler's, times the square of the temperature, by which its gradient shrinks.
    """
    # an answer in bfloat16 is compared in float32
    both = (each.to(torch.promote_types(each.dtype, torch.float32)) for each in (logits, teacher_logits))
    mine, theirs = (F.log_softmax(values / TEMPERATURE, dim=1) for values in both)
    divergence = F.kl_div(mine, theirs, reduction="batchmean", log_target=True) * TEMPERATURE**2
    return (1 - SHARE) * loss + SHARE * divergence
