"""What runs of a submission's code, in a process of its own: it is looked at, trained, and asked for its answers."""

import contextlib
import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision import datasets

from mnist_helpers.assessment.minutes import seconds_per_seed
from mnist_helpers.assessment.workplace import check_held_out
from mnist_helpers.files import write_text_atomically
from mnist_helpers.networks import layer_table, report_rules
from mnist_helpers.runs import RunConfig, load_weights, make_config, save_weights
from mnist_helpers.training import predict_logits, train

LONGEST_MESSAGE = 300


def look(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what can be told before any training: rules, parameters, layers, seconds; ConfigError, or her own."""
    config = make_config(**settings, data_dir="data")
    check_held_out(config)
    network = config.build()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        kept = report_rules(network, config.model) == 0
    broken = "; ".join(line[5:] for line in said.getvalue().splitlines() if line.startswith("FAIL "))
    if not kept:
        return {"broken": broken}
    return {
        "broken": "",
        "epochs": config.epochs,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "layers": layers(network),
        "seconds": seconds_per_seed(config),
    }


def layers(network: nn.Module) -> list[list[int]]:
    """Return parameters and output shape of each layer that learns, in order: equal for two of one architecture."""
    try:
        return [[row.parameters, *row.output_shape] for row in layer_table(network) if row.parameters]
    except Exception:  # whatever a person's own network may raise
        return [[*parameter.shape] for parameter in network.parameters()]


def train_seed(config: str, weights: str) -> dict[str, Any]:
    """Train on the images of a folder without test images; keep the weights, return the results."""
    settings = RunConfig.model_validate_json(config)
    network, results = train(settings.build, settings.split(with_test=False), settings, show=False)
    folder = Path(weights)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(network, settings, folder)
    return results.model_dump(mode="json")


def answer(config: str, weights: str, pixels: str, logits: str) -> dict[str, Any]:
    """Write the logits (N, 10) float32 of pixels (N, 28, 28) uint8, both `.npy`: images without their labels."""
    settings = RunConfig.model_validate_json(config)
    network, _ = load_weights(weights, settings.build())
    found = predict_logits(network.to(settings.torch_device()), torch.from_numpy(np.load(pixels)))
    np.save(logits, found.float().cpu().numpy())
    return {}


def main() -> None:
    """Do the task of the request in the arguments and write what comes of it to its `answer`, also an error."""
    request = json.loads(sys.argv[1])
    task, place = TASKS[request.pop("task")], Path(request.pop("answer"))
    threading.Thread(target=_end_with_parent, args=(os.dup(0),), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a submission that reads what is typed finds nothing
    datasets.MNIST.mirrors = []  # test digits that are not here are not fetched either
    torch.set_num_threads(1)
    try:
        found = task(**request)
    except (Exception, SystemExit) as error:  # whatever it is, the next submission's turn comes
        kind = "" if type(error).__module__.startswith("mnist_helpers.") else f"{type(error).__name__}: "
        found = {"error": " ".join(f"{kind}{error}".split())[:LONGEST_MESSAGE]}
    write_text_atomically(place, json.dumps(found))
    os._exit(0)  # threads that the submission started may go on for ever


def _end_with_parent(stdin: int) -> None:
    """End this process when the one that waits for it is killed, which closes the other end of its input."""
    os.read(stdin, 1)
    os._exit(1)


TASKS = {"look": look, "train": train_seed, "answer": answer}
