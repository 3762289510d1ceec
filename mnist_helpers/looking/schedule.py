"""The learning rate: what a run's will be, step by step, and which ones a network takes."""

import copy
import math
from collections.abc import Callable

import torch
from torch import nn

from mnist_helpers.data import Images, augment
from mnist_helpers.training import Settings, in_float32, make_optimizer, make_schedule, start, train_step

EXPLODED = 4  # times the lowest loss so far


def planned_schedule(settings: Settings, images: int) -> tuple[list[float], list[float]]:
    """Return the learning rate and the momentum, AdamW's first beta, of every step over `images` training images."""
    optimizer = make_optimizer(nn.Linear(1, 1), settings)
    steps_per_epoch = math.ceil(images / settings.batch_size)
    schedule = make_schedule(optimizer, settings, steps_per_epoch)
    group, rates, momenta = optimizer.param_groups[0], [], []
    for _ in range(settings.epochs * steps_per_epoch):
        rates.append(group["lr"])
        momenta.append(group["momentum"] if "momentum" in group else group["betas"][0])
        optimizer.step()
        schedule.step()
    return rates, momenta


@in_float32
def range_test(
    network: nn.Module | Callable[[], nn.Module],
    images: Images,
    settings: Settings,
    lowest: float = 1e-4,
    highest: float = 10,
    steps: int = 200,
) -> tuple[list[float], list[float]]:
    """Raise the learning rate from step to step, by the same factor, and watch the loss of each batch.

    Smith 2017, Cyclical Learning Rates for Training Neural Networks, https://arxiv.org/abs/1506.01186. Trains a copy
    of a network, or what a class or function such as `config.build` makes, and ends early when the loss has exploded.
    Of the settings batch size, optimizer, augmentation and seed count. Returns the rate and the loss (mean
    cross-entropy in nats) of every step taken.

    Raises:
        NetworkError: the network does not map images to one logit a class.
    """
    images = images.to(settings.torch_device())
    state = start(copy.deepcopy(network) if isinstance(network, nn.Module) else network, images, settings)
    state.network.train()
    rates, losses = [], []
    for step in range(steps):
        rate = lowest * (highest / lowest) ** (step / (steps - 1))
        state.optimizer.param_groups[0]["lr"] = rate
        batch = images.take(torch.randint(len(images), (settings.batch_size,), device=images.targets.device))
        inputs = augment(batch.pixels, settings.augmentation)
        loss, _ = train_step(state.network, inputs, batch.targets, state.optimizer)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > EXPLODED * min(losses):
            break
    return rates, losses
