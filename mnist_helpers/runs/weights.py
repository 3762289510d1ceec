"""A finished network as a file: its weights and its configuration, read back without running anything in it."""

from pathlib import Path

import torch
from torch import nn

from mnist_helpers.files import write_atomically
from mnist_helpers.networks import WEIGHTS_FILE, build_model, fill, pack, read_tensors
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import RESULTS_FILE, check_mark
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.own import is_own

CURE = "make train"


def save_weights(network: nn.Module, config: RunConfig, folder: Path) -> Path:
    """Write `model.safetensors` into `folder`, whole or not at all, and return its path."""
    path = folder / WEIGHTS_FILE
    write_atomically(path, weights_file(network, config))
    return path


def weights_file(network: nn.Module, config: RunConfig, run: str | None = None) -> bytes:
    """Return the bytes of a file of weights, with a digest, the configuration and the mark of the run.

    It holds tensors and text only (https://huggingface.co/docs/safetensors): a stranger's cannot run code when read.
    """
    # dense in memory, whatever layout the network trained in; a layer used twice is written twice
    tensors = {
        name: value.cpu().clone(memory_format=torch.contiguous_format) for name, value in network.state_dict().items()
    }
    return pack(tensors, {"config": config.model_dump_json()} | ({"run": run} if run else {}))


def load_weights(folder: str | Path, network: nn.Module | None = None) -> tuple[nn.Module, RunConfig]:
    """Return the network saved in `folder`, on the CPU and in evaluation mode, and the configuration of its run.

    `network` takes the weights where they are of a network of one's own: no file is run because another says so.
    Raises FileNotFoundError: no run has saved its network there; ValueError: the file is not one that `save_weights`
    wrote, is damaged, does not fit the network, or is of another run than the results beside it.
    """
    path = resolve(folder) / WEIGHTS_FILE
    tensors, texts = read_tensors(path, CURE)
    check_mark(path.with_name(RESULTS_FILE), texts.get("run"), path)
    try:
        config = RunConfig.model_validate_json(texts["config"])
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{display_path(path)} is not a network saved by this course ({type(error).__name__}); run: {CURE}"
        ) from error
    if network is None and is_own(config.model):
        maker = config.model.rpartition(":")[2]
        raise ValueError(
            f"{display_path(path)} holds the weights of {config.model}, which is not run because a file says so; "
            f"give the network: load_weights({str(folder)!r}, {maker}())"
        )
    return fill(build_model(config.model) if network is None else network, tensors, path), config
