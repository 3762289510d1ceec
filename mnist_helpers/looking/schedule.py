"""The learning rate: what a run's will be, step by step, which ones a network takes, and their pictures."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from mnist_helpers.data import CLASSES, Images, augment
from mnist_helpers.looking.plots import BLUE, COLOURS, GREY, ORANGE, STYLES, curves, panels
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


@in_float32()
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
    cross-entropy in nats) of every step taken; NetworkError where images do not become one logit a class.
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


def plot_schedule(learning_rates: Sequence[float], momenta: Sequence[float], steps_per_epoch: int) -> Figure:
    """Draw rate and momentum (one value a step) against epochs."""
    epochs = np.arange(len(learning_rates)) / steps_per_epoch
    figure, (left, right) = panels(3, 1, 2)
    left.plot(epochs, learning_rates, color=BLUE)
    left.set(title="Learning rate", xlabel="epoch", ylabel="learning rate")
    right.plot(epochs, momenta, color=ORANGE)
    right.set(title="Momentum, against the rate", xlabel="epoch", ylabel="momentum")
    return figure


def plot_rates(reached: Mapping[str, Mapping[float, float]], title: str) -> Figure:
    """Draw the training loss reached at each constant learning rate, one line for each network."""
    figure, axis = curves(3, {name: (list(by_rate), list(by_rate.values())) for name, by_rate in reached.items()})
    rates = list(next(iter(reached.values())))
    axis.axhline(math.log(CLASSES), color=GREY, linewidth=1, linestyle=":")
    axis.annotate("nothing learnt", (min(rates), math.log(CLASSES)), xytext=(0, 3), textcoords="offset points")
    axis.set(title=title, xlabel="learning rate", ylabel="cross-entropy (nats)", xscale="log", ylim=(0, 3))
    axis.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return figure


def plot_range_test(tests: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw the loss against the rising learning rate: every step faint, a running mean over ten steps strong."""
    figure, axis = panels(3.4)
    for index, (name, (rates, losses)) in enumerate(tests.items()):
        axis.plot(rates, losses, color=COLOURS[index], alpha=0.25)
        kept = min(10, len(losses))
        smooth = np.convolve(losses, np.ones(kept) / kept, mode="valid")
        axis.plot(rates[kept - 1 :], smooth, color=COLOURS[index], linestyle=STYLES[index], label=name)
    axis.set(title="Loss while the learning rate rises", xlabel="learning rate", ylabel="cross-entropy (nats)")
    axis.set(xscale="log", ylim=(0, 4))
    axis.legend()
    return figure
