"""The course's networks by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from mnist_helpers.networks.baseline import BaselineNet
from mnist_helpers.networks.fast import FastNet
from mnist_helpers.networks.final import FinalNet
from mnist_helpers.networks.sizes import COMPACT

PARAMETER_BUDGET = 20_000

MODELS: dict[str, Callable[[], nn.Module]] = {
    "final": FinalNet,
    "baseline": BaselineNet,
    "skeleton": partial(FinalNet, batchnorm=False, dropout=(0, 0)),
    "batchnorm": partial(FinalNet, dropout=(0, 0)),
    "fast": FastNet,
    "sprint": FastNet,
    **COMPACT,
}


def build_model(name: str) -> nn.Module:
    """Return a freshly initialised network; its weights follow torch's global seed.

    Raises:
        KeyError: no network of that name; `MODELS` lists them.
    """
    return MODELS[name]()


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters, each once, those that do not learn included."""
    return sum(parameter.numel() for parameter in network.parameters())
