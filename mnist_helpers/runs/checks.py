"""What a configuration needs of the machine and of its network, tried before any work starts; what is said if not."""

import difflib
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from torch import nn

from mnist_helpers.data import CLASSES, FOLD_SIZES
from mnist_helpers.runs.whitening import check_can_be_whitened, first_convolutions
from mnist_helpers.training import TRAINING_IMAGES, Settings


class ConfigError(ValueError):
    """A parameter of a run is unknown or not allowed; the message names it, its value and what is allowed."""


def check_pairs(settings: Settings) -> None:
    """Check what is allowed by itself and not together. Raises ConfigError: a run could not learn by it."""
    low, high = settings.base_momentum, settings.max_momentum
    if low > high:
        raise ConfigError(f"base_momentum={low} with max_momentum={high} is not allowed; allowed: at most {high}")
    if settings.max_lr * settings.weight_decay >= 1:
        raise ConfigError(
            f"max_lr={settings.max_lr} with weight_decay={settings.weight_decay} is not allowed; allowed: a product "
            "below 1, at which every step would take the weights away whole"
        )


def check_images(settings: Settings) -> None:
    """Check that there are as many training images as are asked for. Raises ConfigError: there are not."""
    if settings.held_out != "writers" and settings.fold is not None:
        raise ConfigError(f"fold={settings.fold} is not allowed with held_out={settings.held_out!r}; allowed: None")
    sizes = f"train_size={settings.train_size} with validation_size={settings.validation_size} is not allowed"
    if settings.held_out == "writers":
        # a draw leaves one of each class at least
        most_validation = min(FOLD_SIZES) - CLASSES
        most_training = TRAINING_IMAGES - max(FOLD_SIZES) - CLASSES
        if settings.validation_size > most_validation or (settings.train_size or 0) > most_training:
            most = f"at most {most_training:,} and {most_validation:,} images"
            raise ConfigError(f"{sizes} with held_out='writers'; allowed: {most}")
    left = TRAINING_IMAGES - (settings.train_size or 0) - settings.validation_size
    if left < 0:
        raise ConfigError(f"{sizes}; allowed: together at most {TRAINING_IMAGES:,} images")
    if settings.held_out == "last" and 0 < left < CLASSES:
        most = TRAINING_IMAGES - settings.validation_size
        raise ConfigError(
            f"{sizes} with held_out='last'; allowed: at most {most - CLASSES:,} images, or all {most:,}"
        )


def shapes_of(make: Callable[[], nn.Module]) -> nn.Module | None:
    """Return the network that `make` makes without its numbers: no memory; None where it cannot be made so."""
    try:
        # one's own may draw on another device all the same
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            network = make()
        lazy = any(nn.parameter.is_lazy(tensor) for tensor in network.state_dict().values())
    except Exception:  # whatever a person's file may raise: training raises it again
        return None
    return None if lazy else network


def check_network(name: str, network: nn.Module | None, learning_epochs: Sequence[int], whitened: bool) -> None:
    """Check what the hooks need of a network; ConfigError: too few blocks, or filters that cannot be whitened."""
    if not learning_epochs and not whitened:
        return
    if network is None:
        raise ConfigError(f"learning_epochs and whitened are not allowed for {name}: its shapes are not known before")
    blocks = [block for block, _ in network.named_children()]
    if len(learning_epochs) > len(blocks):
        raise ConfigError(
            f"learning_epochs={tuple(learning_epochs)} is not allowed; allowed: at most {len(blocks)} numbers, "
            f"for {', '.join(blocks)}"
        )
    if whitened:
        try:
            for convolution in first_convolutions(network):
                check_can_be_whitened(convolution)
        except ValueError as error:
            raise ConfigError(f"whitened=True is not allowed for {name}: {error}") from None


def check_device(name: str) -> None:
    """Check that this machine has the device. Raises ConfigError: it has not; the message lists those it has."""
    present = ["cpu"]
    if torch.cuda.is_available():
        present += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    if name not in ("auto", *present):
        raise ConfigError(f"device={name!r} is not allowed; allowed on this machine: auto, {', '.join(present)}")


def explain(problem: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    """Return what was given, what is allowed and what was perhaps meant, in one line."""
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"{_shortened(name)} is not a parameter{hint}; allowed: {', '.join(fields)}"
    said = problem["msg"]
    for opening in ("Value error, ", "allowed: ", "Input should be "):
        said = said.removeprefix(opening)
    if "allowed: " in said:  # of several fields at once
        return f"{name}: {said}" if name else said
    allowed = _range(fields.get(name)) or said
    return f"{_shortened(name)}={shown(problem['input'])} is not allowed; allowed: {allowed}"


def _shortened(name: str) -> str:
    """Return a name that fits a line, whatever it holds."""
    return name if len(name) <= 100 and name.isprintable() else shown(name[:100])


def shown(value: Any) -> str:
    """Return a value as Python writes it, on one line and cut short where it is long or deep."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 200
    short.maxlong, short.maxlevel, short.maxdict, short.maxlist, short.maxtuple = 60, 4, 12, 12, 12
    try:
        return short.repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "(a number too long to show)"


def _range(field: FieldInfo | None) -> str:
    """Return the allowed range of a numeric field, such as `a whole number ≥ 1 and < 20; default 15`."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    metadata = field.metadata if field else []
    limits = [
        f"{signs[kind]} {getattr(bound, kind):,}" for bound in metadata for kind in signs if hasattr(bound, kind)
    ]
    if not limits:
        return ""
    number = "a number" if field.annotation is float else "a whole number"
    return f"{number} {' and '.join(limits)} (default {field.default})"
