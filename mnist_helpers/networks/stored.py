"""Networks with their weights: `load("best")`; a file of weights is read without running anything in it."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as read_safetensors
from safetensors.torch import save
from torch import Tensor, nn

from mnist_helpers.files import write_atomically
from mnist_helpers.networks.names import build_model
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import RESULTS_FILE, DamagedError, check_mark

SHARED_FOLDER = "outputs/models"
PUBLISHED = "outputs/published"  # the run whose weights `final` has
SHARED = ("final", "fast", "tiny", "best")  # the networks to take away, a folder each
WEIGHTS_FILE = "model.safetensors"
DIGEST = "sha256"
_BLANK = "0" * 64


def load(name: str) -> nn.Module:
    """Return one of the networks to take away with its trained weights, on the CPU and in evaluation mode.

    It maps normalised images (N, 1, 28, 28) float32 to logits (N, 10). Raises ValueError: there is no such network,
    or its file holds something else, is damaged, or is of another run than the results that are published with it;
    FileNotFoundError: its file is gone. The message says what to do.
    """
    if name not in SHARED:
        raise ValueError(f"there are no weights of {name!r}; there are those of {', '.join(SHARED)}")
    path = resolve(SHARED_FOLDER) / name / WEIGHTS_FILE
    tensors, texts = read_tensors(path, "make models")
    check_mark((resolve(PUBLISHED) if name == "final" else path.parent) / RESULTS_FILE, texts.get("run"), path)
    return fill(build_model(name), tensors, path)


def pack(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """Return the bytes of a safetensors file of tensors and texts, with a digest of all of it among the texts."""
    data = save(dict(tensors))
    end = 8 + int.from_bytes(data[:8], "little")
    # safetensors writes several texts in an order of its own each time; the same network is to be the same file
    header = {"__metadata__": dict(sorted({**texts, DIGEST: _BLANK}.items())), **json.loads(data[8:end])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = len(text).to_bytes(8, "little") + text + data[end:]
    return data.replace(_BLANK.encode(), _digest(data).encode(), 1)


def read_tensors(path: Path, cure: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file by name, on the CPU, and the texts that go with them.

    Raises FileNotFoundError: it is not there; DamagedError: it is another kind of file, or not as it was written. All
    name the command `cure`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is not there; run: {cure}")
    data = path.read_bytes()
    try:
        tensors, texts = read_safetensors(data), read_texts(data)
    except (SafetensorError, ValueError) as error:
        raise DamagedError(f"{display_path(path)} is not a file of weights ({error}); run: {cure}") from error
    if texts.get(DIGEST) is None:
        raise DamagedError(
            f"{display_path(path)} has no digest: it is older or another program's; run: {cure}, or, if you "
            f"know it to be whole: python -m mnist_helpers seal {display_path(path)}"
        )
    if _digest(data) != texts[DIGEST]:
        raise DamagedError(f"{display_path(path)} was changed or damaged after it was written; run: {cure}")
    return tensors, {name: text for name, text in texts.items() if name != DIGEST}


def read_texts(data: bytes) -> dict[str, str]:
    """Return the texts in a safetensors file, unchecked; ValueError: it is none."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header.get("__metadata__", {}) if isinstance(header, dict) else {}


def seal_weights(path: Path) -> bool:
    """Give a file of weights without a digest its own; return whether it had none. ValueError: it is damaged."""
    data = path.read_bytes()
    try:
        tensors, texts = read_safetensors(data), read_texts(data)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    if DIGEST in texts:
        read_tensors(path, "git checkout")
        return False
    write_atomically(path, pack(tensors, texts))
    return True


def fill(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> nn.Module:
    """Return `network` with the weights of `path`, on the CPU, in evaluation mode; ValueError: they do not fit.

    Nor do they fit where a weight is no number, or a whole number in place of a real one.
    """
    kinds = {name: value.is_floating_point() for name, value in network.state_dict().items()}
    for name, value in tensors.items():
        if kinds.get(name, value.is_floating_point()) != value.is_floating_point():
            raise ValueError(f"{display_path(path)} does not fit {type(network).__name__}: {name} is {value.dtype}")
        if not value.isfinite().all():
            raise ValueError(f"{display_path(path)} holds weights that are no numbers, in {name}")
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{display_path(path)} does not fit {type(network).__name__}: {error}") from error
    return network.cpu().eval()


def _digest(data: bytes) -> str:
    """Return the digest of a file in which its own counts as blank."""
    return hashlib.sha256(re.sub(rb'(?<="sha256":")[0-9a-f]{64}(?=")', _BLANK.encode(), data, count=1)).hexdigest()
