"""Which learning rates a network takes: one short run in which the rate rises until the loss explodes."""

import math

import torch

from mnist_helpers.augment import augment
from mnist_helpers.config import RunConfig
from mnist_helpers.data import Images
from mnist_helpers.training import new_state, train_step

EXPLODED = 4  # times the lowest loss so far


def range_test(
    config: RunConfig, images: Images, lowest: float = 1e-4, highest: float = 10, steps: int = 200
) -> tuple[list[float], list[float]]:
    """Raise the learning rate from step to step, by the same factor, and watch the loss of each batch.

    Smith 2017, Cyclical Learning Rates for Training Neural Networks, https://arxiv.org/abs/1506.01186. The network is
    a fresh one of `config`; momentum is that of a constant schedule. Ends early when the loss has exploded.

    Args:
        config: network, batch size, augmentation and seed.
        images: training images; `steps` batches are drawn from them.
        lowest: rate of the first step.
        highest: rate of the last step.
        steps: in all.

    Returns:
        The rate and the loss (mean cross-entropy in nats) of every step taken.
    """
    state = new_state(config, images)
    state.model.train()
    rates, losses = [], []
    for step in range(steps):
        rate = lowest * (highest / lowest) ** (step / (steps - 1))
        state.optimizer.param_groups[0]["lr"] = rate
        batch = images.take(torch.randint(len(images), (config.batch_size,)))
        loss, _ = train_step(state.model, augment(batch.pixels, config.augmentation), batch.targets, state.optimizer)
        rates.append(rate)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > EXPLODED * min(losses):
            break
    return rates, losses
