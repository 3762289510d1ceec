"""What a run leaves as data: its epochs, and all that is needed to judge and to repeat it."""

import platform
from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
import torchvision
from pydantic import BaseModel, SerializeAsAny
from torch import nn

from mnist_helpers.networks import count_parameters
from mnist_helpers.training.evaluation import Metrics
from mnist_helpers.training.settings import Settings

EPOCH_HEADER = "epoch   train loss     acc    valid loss     acc     test loss     acc       rate  seconds"
SettingsKind = TypeVar("SettingsKind", bound=Settings)


class EpochRecord(BaseModel, frozen=True):
    """One epoch. Accuracies are shares from 0 to 1, losses mean cross-entropy in nats.

    Training figures are running means over the augmented batches, with dropout, while the weights move; the others
    are taken after the epoch on plain images.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    test_loss: float | None  # None, as the accuracy: the run had no test images
    test_accuracy: float | None
    learning_rate: float  # of the epoch's last step
    seconds: float


def epoch_record(
    epoch: int, train: Metrics, validation: Metrics, test: Metrics | None, learning_rate: float, seconds: float
) -> EpochRecord:
    figures = {
        f"{part}_{figure}": getattr(metrics, figure, None)
        for part, metrics in (("train", train), ("validation", validation), ("test", test))
        for figure in ("loss", "accuracy")
    }
    return EpochRecord(epoch=epoch, **figures, learning_rate=learning_rate, seconds=round(seconds, 3))


def format_epoch(r: EpochRecord) -> str:
    """Return one aligned line under `EPOCH_HEADER`; accuracies in percent."""
    test = f"{r.test_loss:13.4f} {r.test_accuracy:7.2%}" if r.test_loss is not None else f"{'–':>13s} {'–':>7s}"
    return (
        f"{r.epoch:5d} {r.train_loss:12.4f} {r.train_accuracy:7.2%} {r.validation_loss:13.4f} "
        f"{r.validation_accuracy:7.2%} {test} {r.learning_rate:10.2e} {r.seconds:8.1f}"
    )


class Environment(BaseModel, frozen=True):
    """What besides the settings decides the exact numbers: the same of both gives the same weights."""

    python: str
    torch: str
    torchvision: str
    platform: str
    device: str
    cpu_capability: str
    threads: int


class Results(BaseModel, Generic[SettingsKind], frozen=True):
    """A finished run. Its headline is the last epoch's test accuracy; no epoch is picked by test accuracy."""

    final_test_accuracy: float | None
    final_test_loss: float | None
    best_validation_accuracy: float
    total_parameters: int
    total_epochs: int
    training_time_seconds: float
    config: SerializeAsAny[SettingsKind]
    environment: Environment
    history: list[EpochRecord]
    test_mistakes: list[int] | None = None  # of the last epoch's network; None where they were not kept


def format_results(results: Results) -> str:
    """Return the lines a notebook's Result shows; accuracies in percent."""
    last = results.history[-1]
    rows = {
        "parameters": f"{results.total_parameters:,}",
        "best train accuracy": f"{max(record.train_accuracy for record in results.history):.2%}",
        "final validation accuracy": f"{last.validation_accuracy:.2%}",
        "final test accuracy": "–" if last.test_accuracy is None else f"{last.test_accuracy:.2%}",
        "epochs": f"{results.total_epochs}",
        "seconds": f"{results.training_time_seconds:.0f}",
    }
    return "\n".join(f"{name:27s} {value}" for name, value in rows.items())


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
    settings: Settings, history: Sequence[EpochRecord], network: nn.Module, test_mistakes: list[int] | None = None
) -> Results:
    """Return the results of a run of `network` from its epochs, in order."""
    last = history[-1]
    return Results(
        final_test_accuracy=last.test_accuracy,
        final_test_loss=last.test_loss,
        best_validation_accuracy=max(record.validation_accuracy for record in history),
        total_parameters=count_parameters(network),
        total_epochs=len(history),
        training_time_seconds=round(sum(record.seconds for record in history), 3),
        config=settings,
        environment=describe_environment(settings.torch_device()),
        history=list(history),
        test_mistakes=test_mistakes,
    )
