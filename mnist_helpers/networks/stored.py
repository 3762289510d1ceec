"""Networks with their weights: `load("best")`; a file of weights is read without running anything in it."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from mnist_helpers.networks.names import build_model
from mnist_helpers.paths import display_path, resolve

SHARED_FOLDER = "outputs/models"
SHARED = ("final", "fast", "tiny", "best")  # the networks to take away, a folder each
WEIGHTS_FILE = "model.safetensors"


def load(name: str) -> nn.Module:
    """Return one of the networks to take away with its trained weights, on the CPU and in evaluation mode.

    It maps normalised images (N, 1, 28, 28) float32 to logits (N, 10). Raises ValueError: there is no such network,
    or its file holds something else; FileNotFoundError: its file is gone. The message says what to do.
    """
    if name not in SHARED:
        raise ValueError(f"there are no weights of {name!r}; there are those of {', '.join(SHARED)}")
    path = resolve(SHARED_FOLDER) / name / WEIGHTS_FILE
    return fill(build_model(name), read_tensors(path, "make models")[0], path)


def read_tensors(path: Path, cure: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file by name, on the CPU, and the texts that go with them.

    Raises FileNotFoundError: it is not there; ValueError: it is another kind of file. Both name the command `cure`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is not there; run: {cure}")
    try:
        with safe_open(path, framework="pt") as file:
            # not a dict: it has keys, but cannot be iterated over
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{display_path(path)} is not a file of weights ({error}); run: {cure}") from error


def fill(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> nn.Module:
    """Return `network` with the weights of `path`, on the CPU, in evaluation mode; ValueError: they do not fit."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{display_path(path)} does not fit {type(network).__name__}: {error}") from error
    return network.cpu().eval()
