"""What a configuration needs of the machine and of its network, tried before any work starts; what is said if not."""

import difflib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from torch import nn

from mnist_helpers.data import FOLD_SIZES
from mnist_helpers.paths import display_path
from mnist_helpers.runs.whitening import check_can_be_whitened, first_convolutions
from mnist_helpers.training import TRAINING_IMAGES, Settings


class ConfigError(ValueError):
    """A parameter of a run is unknown or not allowed; the message names it, its value and what is allowed."""


def check_images(settings: Settings) -> None:
    """Check that there are as many training images as are asked for. Raises ConfigError: there are not."""
    if settings.held_out != "writers" and settings.fold is not None:
        raise ConfigError(f"fold={settings.fold} is not allowed with held_out={settings.held_out!r}; allowed: None")
    sizes = f"train_size={settings.train_size} with validation_size={settings.validation_size} is not allowed"
    if settings.held_out == "writers":
        most_validation, most_training = min(FOLD_SIZES), TRAINING_IMAGES - max(FOLD_SIZES)
        if settings.validation_size > most_validation or (settings.train_size or 0) > most_training:
            most = f"at most {most_training:,} and {most_validation:,} images"
            raise ConfigError(f"{sizes} with held_out='writers'; allowed: {most}")
    if (settings.train_size or 0) + settings.validation_size > TRAINING_IMAGES:
        raise ConfigError(f"{sizes}; allowed: together at most {TRAINING_IMAGES:,} images")


def check_network(name: str, make: Callable[[], nn.Module], learning_epochs: Sequence[int], whitened: bool) -> None:
    """Check what the hooks need of a network; ConfigError: too few blocks, or filters that cannot be whitened."""
    if not learning_epochs and not whitened:
        return
    with torch.device("meta"):  # shapes only: no memory, no random numbers
        network = make()
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


def check_writable(folder: Path) -> None:
    """Make a folder where there is none, and try to write to it; ConfigError: one of the two fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # permission bits say little (root, network file systems): try
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"output_dir={display_path(folder)!r} is not allowed ({error.strerror}); "
            "allowed: a folder that exists or can be made, and that you can write to"
        ) from None


def explain(problem: ErrorDetails, fields: Mapping[str, FieldInfo]) -> str:
    """Return what was given, what is allowed and what was perhaps meant, in one line."""
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"{name} is not a parameter{hint}; allowed: {', '.join(fields)}"
    said = problem["msg"]
    for opening in ("Value error, ", "allowed: ", "Input should be "):
        said = said.removeprefix(opening)
    return f"{name}={problem['input']!r} is not allowed; allowed: {_range(fields.get(name)) or said}"


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
