"""What a training step ends in; `training.train_step`, which notebook 07 shows, spells it out."""

import torch
from torch import Tensor


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Move the weights of `optimizer` one step down the gradient of `loss` ()."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
