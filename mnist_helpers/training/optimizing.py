"""How a run steps: its optimizer, and how the rate and the momentum move."""

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

from mnist_helpers.training.muon import Muon
from mnist_helpers.training.settings import Settings


def make_optimizer(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, AdamW or Muon, at the rate and momentum that a constant schedule keeps.

    OneCycle sets both anew before the first step; AdamW's first beta is what it moves as momentum.
    """
    momentum = (settings.base_momentum + settings.max_momentum) / 2
    # fused: one call for all parameters instead of five for each
    common = {"lr": settings.max_lr, "weight_decay": settings.weight_decay, "fused": True}
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(network.parameters(), betas=(momentum, 0.999), **common)
    if settings.optimizer == "muon":
        return Muon(network.parameters(), settings.max_lr, momentum, settings.weight_decay)
    return torch.optim.SGD(network.parameters(), momentum=momentum, nesterov=True, **common)


def make_schedule(optimizer: torch.optim.Optimizer, settings: Settings, steps_per_epoch: int) -> LRScheduler:
    """Return the schedule over exactly the steps of this run, to be stepped after every batch."""
    if settings.schedule == "constant":
        return ConstantLR(optimizer, factor=1)
    steps = settings.epochs * steps_per_epoch
    return OneCycleLR(
        optimizer,
        max_lr=settings.max_lr,
        total_steps=steps,
        # torch divides by the length of the rise, which is 0 where it is just the first step
        pct_start=settings.pct_start + (1e-6 if settings.pct_start * steps == 1 else 0),
        div_factor=settings.div_factor,
        final_div_factor=settings.final_div_factor,
        base_momentum=settings.base_momentum,
        max_momentum=settings.max_momentum,
        anneal_strategy="cos",
    )
