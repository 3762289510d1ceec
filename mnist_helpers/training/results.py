"""What a run leaves as data: its epochs, and all that is needed to judge and to repeat it."""

import math
from collections.abc import Sequence
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, Field, FiniteFloat, SerializeAsAny, model_validator
from torch import nn

from mnist_helpers.networks import count_parameters
from mnist_helpers.training.circumstances import Environment
from mnist_helpers.training.evaluation import Metrics
from mnist_helpers.training.settings import Settings

EPOCH_HEADER = "epoch  train loss     acc   valid loss     acc   test loss     acc      rate  seconds"
SettingsKind = TypeVar("SettingsKind", bound=Settings)
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[FiniteFloat, Field(ge=0)]


class EpochRecord(BaseModel, frozen=True):
    """One epoch. Accuracies are shares from 0 to 1, losses mean cross-entropy in nats.

    Training figures are running means over the augmented batches, with dropout, while the weights move; the others
    are taken after the epoch on plain images.
    """

    epoch: int = Field(ge=1)
    train_loss: Amount
    train_accuracy: Share
    validation_loss: Amount
    validation_accuracy: Share
    test_loss: Amount | None  # None, as the accuracy: the run had no test images
    test_accuracy: Share | None
    learning_rate: Amount  # of the epoch's last step
    seconds: Amount


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
    test = f"{r.test_loss:11.4f} {r.test_accuracy:7.2%}" if r.test_loss is not None else f"{'–':>11s} {'–':>7s}"
    return (
        f"{r.epoch:5d} {r.train_loss:11.4f} {r.train_accuracy:7.2%} {r.validation_loss:12.4f} "
        f"{r.validation_accuracy:7.2%} {test} {r.learning_rate:9.2e} {r.seconds:8.1f}"
    )


class Stretch(BaseModel, frozen=True):
    """The epochs up to and with `last_epoch` that are in no stretch before it, and what they ran on."""

    last_epoch: int = Field(ge=1)
    environment: Environment


class Results(BaseModel, Generic[SettingsKind], frozen=True):
    """A finished run. Its headline is the last epoch's test accuracy; no epoch is picked by test accuracy.

    Figures that contradict each other are refused.
    """

    run: str | None = None  # its mark, which its weights and notebook bear too; None from before that was kept
    final_test_accuracy: Share | None
    final_test_loss: Amount | None
    best_validation_accuracy: Share
    total_parameters: int = Field(ge=1)
    total_epochs: int
    training_time_seconds: Amount
    config: SerializeAsAny[SettingsKind]
    environment: Environment
    history: list[EpochRecord]
    earlier: list[Stretch] = []  # epochs in other circumstances, before a resumption; the rest ran in `environment`
    test_mistakes: list[int] | None = None  # of the last epoch's network; None where they were not kept

    @model_validator(mode="after")
    def _check(self) -> Self:
        if [record.epoch for record in self.history] != list(range(1, self.total_epochs + 1)) or not self.history:
            raise ValueError(f"history is not of the epochs 1 to {self.total_epochs}")
        last = self.history[-1]
        if (self.final_test_accuracy, self.final_test_loss) != (last.test_accuracy, last.test_loss):
            raise ValueError("final_test_accuracy and final_test_loss are not those of the last epoch")
        if self.best_validation_accuracy != max(record.validation_accuracy for record in self.history):
            raise ValueError("best_validation_accuracy is not the best of the epochs")
        if not math.isclose(self.training_time_seconds, sum(r.seconds for r in self.history), abs_tol=0.01):
            raise ValueError("training_time_seconds is not the sum of the epochs' seconds")
        if self.test_mistakes is not None and sorted(set(self.test_mistakes)) != list(self.test_mistakes):
            raise ValueError("test_mistakes are not rising positions")
        return self


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


def summarise(
    settings: Settings,
    network: nn.Module,
    history: Sequence[EpochRecord],
    environment: Environment,
    earlier: Sequence[Stretch] = (),
    run: str | None = None,
    test_mistakes: list[int] | None = None,
) -> Results:
    """Return the results of a run of `network` from its epochs, in order, and what they ran on."""
    last = history[-1]
    return Results(
        run=run,
        final_test_accuracy=last.test_accuracy,
        final_test_loss=last.test_loss,
        best_validation_accuracy=max(record.validation_accuracy for record in history),
        total_parameters=count_parameters(network),
        total_epochs=len(history),
        training_time_seconds=round(sum(record.seconds for record in history), 3),
        config=settings,
        environment=environment,
        history=list(history),
        earlier=list(earlier),
        test_mistakes=test_mistakes,
    )
