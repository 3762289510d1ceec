"""All that changes while a run trains, to be saved after an epoch and restored before the next."""

from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from mnist_helpers.checkpoints import CheckpointError
from mnist_helpers.config import RunConfig
from mnist_helpers.results import EpochRecord


@dataclass
class TrainingState:
    """A run in progress. Random numbers are not part of it: every epoch seeds its own."""

    config: RunConfig
    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    history: list[EpochRecord]

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    def last_is_best(self) -> bool:
        """Say whether the last epoch is the best on validation images; of equals the later one is."""
        return self.history[-1].validation_accuracy >= max(r.validation_accuracy for r in self.history)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as tensors and plain values, which `torch.load(weights_only=True)` takes."""
        return {
            "epoch": self.epoch,
            "config": self.config.model_dump_json(),
            "history": [record.model_dump() for record in self.history],
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a `snapshot` of a run with the same settings.

        Raises:
            CheckpointError: the snapshot is of another run, and in what it differs, or no snapshot at all.
        """
        try:
            saved = RunConfig.model_validate_json(snapshot["config"])
        except (KeyError, ValidationError) as error:
            raise CheckpointError(
                "resume=True found a checkpoint without a valid configuration. Run without resume: the checkpoints "
                "are moved aside, not deleted."
            ) from error
        if differences := self.config.training_differences(saved):
            raise CheckpointError(
                "resume=True found the checkpoints of a run with other settings (now, then): "
                f"{'; '.join(differences)}. Set them as they were, choose another output_dir, or run without resume: "
                "the checkpoints are then moved aside, not deleted."
            )
        self.model.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.schedule.load_state_dict(snapshot["schedule"])
        self.history = [EpochRecord(**record) for record in snapshot["history"]]
