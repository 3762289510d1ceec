"""What a run leaves as data: `results.json`, with all that is needed to judge and to repeat it.

`python -m mnist_helpers.results` (`make view-results`) shows the published one.
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torchvision
from pydantic import BaseModel, ConfigDict

from mnist_helpers.config import PUBLISHED_FOLDER, RunConfig
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import display_path, resolve

RESULTS_FILE = "results.json"


class EpochRecord(BaseModel):
    """One epoch. Accuracies are shares from 0 to 1, losses mean cross-entropy in nats.

    Training figures are running means over the augmented batches, with dropout, while the weights move; the others
    are taken after the epoch on plain images.
    """

    model_config = ConfigDict(frozen=True)

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    test_loss: float
    test_accuracy: float
    learning_rate: float
    """Of the epoch's last step."""
    seconds: float


EPOCH_HEADER = "epoch   train loss     acc    valid loss     acc     test loss     acc       rate  seconds"


def format_epoch(r: EpochRecord) -> str:
    """Return one aligned line under `EPOCH_HEADER`; accuracies in percent."""
    return (
        f"{r.epoch:5d} {r.train_loss:12.4f} {r.train_accuracy:7.2%} {r.validation_loss:13.4f} "
        f"{r.validation_accuracy:7.2%} {r.test_loss:13.4f} {r.test_accuracy:7.2%} {r.learning_rate:10.2e} "
        f"{r.seconds:8.1f}"
    )


def format_results(results: "RunResults") -> str:
    """Return the lines a notebook's Result shows; accuracies in percent."""
    last = results.history[-1]
    rows = {
        "parameters": f"{results.total_parameters:,}",
        "best train accuracy": f"{max(record.train_accuracy for record in results.history):.2%}",
        "final validation accuracy": f"{last.validation_accuracy:.2%}",
        "final test accuracy": f"{last.test_accuracy:.2%}",
        "epochs": f"{results.total_epochs}",
        "seconds": f"{results.training_time_seconds:.0f}",
    }
    return "\n".join(f"{name:27s} {value}" for name, value in rows.items())


class Environment(BaseModel):
    """What besides the configuration decides the exact numbers: the same of both gives the same weights."""

    model_config = ConfigDict(frozen=True)

    python: str
    torch: str
    torchvision: str
    platform: str
    device: str
    cpu_capability: str
    threads: int


class RunResults(BaseModel):
    """A finished run. Its headline is the last epoch's test accuracy; no epoch is picked by test accuracy."""

    model_config = ConfigDict(frozen=True)

    final_test_accuracy: float
    final_test_loss: float
    best_validation_accuracy: float
    total_parameters: int
    total_epochs: int
    training_time_seconds: float
    config: RunConfig
    environment: Environment
    history: list[EpochRecord]
    test_mistakes: list[int] | None = None
    """Which test images the last epoch's network gets wrong; None in records from before they were kept."""


def describe_environment(device: torch.device) -> Environment:
    """Return the versions, device and threads of this process."""
    return Environment(
        python=platform.python_version(),
        torch=torch.__version__,
        torchvision=torchvision.__version__,
        platform=f"{platform.system()} {platform.machine()}",
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
    )


def summarise(
    config: RunConfig,
    environment: Environment,
    history: list[EpochRecord],
    total_parameters: int,
    test_mistakes: list[int] | None = None,
) -> RunResults:
    """Return the results of a run from its epochs, in order."""
    last = history[-1]
    return RunResults(
        final_test_accuracy=last.test_accuracy,
        final_test_loss=last.test_loss,
        best_validation_accuracy=max(record.validation_accuracy for record in history),
        total_parameters=total_parameters,
        total_epochs=len(history),
        training_time_seconds=round(sum(record.seconds for record in history), 3),
        config=config,
        environment=environment,
        history=history,
        test_mistakes=test_mistakes,
    )


def write_results(results: RunResults, folder: Path) -> Path:
    """Write `results.json` into `folder`, whole or not at all, and return its path."""
    path = folder / RESULTS_FILE
    write_text_atomically(path, results.model_dump_json(indent=1) + "\n")
    return path


def read_results(folder: Path) -> RunResults:
    """Read `results.json` from `folder`.

    Raises:
        FileNotFoundError: no run has finished there.
        pydantic.ValidationError: the file is not the results of a run.
    """
    return RunResults.model_validate_json((folder / RESULTS_FILE).read_text(encoding="utf-8"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a finished run: headline, history, and what it ran on; return 1 when there is none."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.results", description="Show a finished run.")
    parser.add_argument("folder", nargs="?", default=PUBLISHED_FOLDER)
    folder = resolve(parser.parse_args(arguments).folder)
    try:
        results = read_results(folder)
    except FileNotFoundError:
        print(f"{display_path(folder / RESULTS_FILE)} is not there; run: make train", file=sys.stderr)
        return 1
    environment = results.environment
    print("\n".join([EPOCH_HEADER, *map(format_epoch, results.history)]))
    print(
        f"\n{results.config.model}, seed {results.config.seed}: {results.final_test_accuracy:.2%} on the test set "
        f"after epoch {results.total_epochs}, {results.total_parameters:,} parameters, "
        f"{results.training_time_seconds / 60:.1f} minutes on {environment.device} ({environment.threads} threads), "
        f"torch {environment.torch}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
