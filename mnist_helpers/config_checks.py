"""What a configuration needs of the machine and of its network, tried before any work starts."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from mnist_helpers.models import build_model
from mnist_helpers.paths import display_path
from mnist_helpers.whitening import check_can_be_whitened, first_convolution


class ConfigError(ValueError):
    """A parameter of a run is unknown or not allowed; the message names it, its value and what is allowed."""


def check_network(model: str, learning_epochs: Sequence[int], whitened: bool) -> None:
    """Check that a network has the blocks and the first convolution that its training counts on.

    Raises:
        ConfigError: more numbers than blocks, or filters that cannot be whitened.
    """
    with torch.device("meta"):  # shapes only: no memory, no random numbers
        network = build_model(model)
    blocks = [name for name, _ in network.named_children()]
    if len(learning_epochs) > len(blocks):
        raise ConfigError(
            f"learning_epochs={tuple(learning_epochs)} is not allowed; allowed: at most {len(blocks)} numbers, "
            f"for {', '.join(blocks)}"
        )
    if whitened:
        try:
            check_can_be_whitened(first_convolution(network))
        except ValueError as error:
            raise ConfigError(f"whitened=True is not allowed for {model}: {error}") from None


def check_device(name: str) -> None:
    """Check that this machine has the device.

    Raises:
        ConfigError: it has not; the message lists those it has.
    """
    present = ["cpu"]
    if torch.cuda.is_available():
        present += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    if name not in ("auto", *present):
        raise ConfigError(f"device={name!r} is not allowed; allowed on this machine: auto, {', '.join(present)}")


def check_writable(folder: Path) -> None:
    """Check that a folder is there and can be written to; make it if it is not.

    Raises:
        ConfigError: it cannot be made, or not written to.
    """
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
