"""What may be added to the plain training loop from outside: the moments at which it asks."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from mnist_helpers.data import Images
from mnist_helpers.training.settings import Settings

# of a network, inputs (N, 1, 28, 28) and targets (N,): the batch's mean loss () and the logits (N, 10)
LossOf = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
# the same, once the optimizer has moved the weights by that loss
Step = Callable[[nn.Module, Tensor, Tensor, Optimizer, LossOf], tuple[Tensor, Tensor]]


class Hook:
    """Something a run does besides the plain loop; here every moment passes without it.

    A hook has the moments it needs and leaves out the others. What it must remember from epoch to epoch, so that a
    resumed run ends as an uninterrupted one would, it gives in `state_dict`.
    """

    def before_training(self, network: nn.Module, images: Images, settings: Settings, show: bool) -> None:
        """Once, before the optimizer is made; `images` are those trained on, `show` whether somebody waits."""

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        """Before each epoch, counted from 1: return the settings it is to have."""
        return settings

    def loss(self, loss_of: LossOf) -> LossOf:
        """Return what takes the place of `loss_of`, which it may call, in every step."""
        return loss_of

    def step(self, step: Step) -> Step:
        """Return what takes the place of `step`, which it may call, with every batch."""
        return step

    def after_step(self, network: nn.Module) -> None:
        """After the optimizer has moved the weights."""

    def kept(self, network: nn.Module) -> nn.Module:
        """Return the network that is measured after an epoch and kept in the end."""
        return network

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must hold of the hook: tensors and plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a `state_dict`."""
