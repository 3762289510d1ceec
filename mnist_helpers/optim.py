"""The optimizer and how its learning rate moves."""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

from mnist_helpers.config import RunConfig


def make_optimizer(model: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum or AdamW, at the rate and momentum that a constant schedule keeps.

    OneCycle sets both anew before the first step; AdamW's first beta is what it moves as momentum.
    """
    momentum = (config.base_momentum + config.max_momentum) / 2
    # fused: one call for all parameters instead of five for each
    common = {"lr": config.max_lr, "weight_decay": config.weight_decay, "fused": True}
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), betas=(momentum, 0.999), **common)
    return torch.optim.SGD(model.parameters(), momentum=momentum, nesterov=True, **common)


def make_schedule(optimizer: torch.optim.Optimizer, config: RunConfig, steps_per_epoch: int) -> LRScheduler:
    """Return the schedule over exactly the steps of this run, to be stepped after every batch."""
    if config.schedule == "constant":
        return ConstantLR(optimizer, factor=1)
    steps = config.epochs * steps_per_epoch
    return OneCycleLR(
        optimizer,
        max_lr=config.max_lr,
        total_steps=steps,
        # torch divides by the length of the rise, which is 0 where it is just the first step
        pct_start=config.pct_start + (1e-6 if config.pct_start * steps == 1 else 0),
        div_factor=config.div_factor,
        final_div_factor=config.final_div_factor,
        base_momentum=config.base_momentum,
        max_momentum=config.max_momentum,
        anneal_strategy="cos",
    )


def momentum_of(optimizer: torch.optim.Optimizer) -> float:
    """Return the momentum of the next step; AdamW's is its first beta."""
    group = optimizer.param_groups[0]
    return group["momentum"] if "momentum" in group else group["betas"][0]


def planned_schedule(config: RunConfig, images: int) -> tuple[list[float], list[float]]:
    """Return the learning rate and the momentum of every step of a run over `images` training images."""
    optimizer = make_optimizer(nn.Linear(1, 1), config)
    steps = config.epochs * math.ceil(images / config.batch_size)
    schedule = make_schedule(optimizer, config, math.ceil(images / config.batch_size))
    rates, momenta = [], []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(momentum_of(optimizer))
        optimizer.step()
        schedule.step()
    return rates, momenta
