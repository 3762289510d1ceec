"""All that changes while a run trains, to be saved after an epoch and restored before the next."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnist_helpers.augment import normalise
from mnist_helpers.checkpoints import CheckpointError
from mnist_helpers.config import RunConfig
from mnist_helpers.data import Images
from mnist_helpers.layers import accelerate
from mnist_helpers.models import build_model
from mnist_helpers.optim import make_optimizer, make_schedule
from mnist_helpers.results import EpochRecord
from mnist_helpers.runtime import seed_epoch
from mnist_helpers.whitening import SAMPLE, first_convolutions, whiten


@dataclass
class TrainingState:
    """A run in progress. Random numbers are not part of it: every epoch seeds its own."""

    config: RunConfig
    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    history: list[EpochRecord]
    averaged: AveragedModel | None = None
    """The moving average of the weights, where it is what counts."""
    teacher: nn.Module | None = None
    """A trained network to learn from; it does not change, and is not part of a snapshot."""

    @property
    def network(self) -> nn.Module:
        """The network to be measured and kept."""
        return self.averaged.module if self.averaged else self.model

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    def last_is_best(self) -> bool:
        """Say whether the last epoch is the best on validation images; of equals the later one is."""
        return self.history[-1].validation_accuracy >= max(r.validation_accuracy for r in self.history)

    def as_written(self) -> nn.Module:
        """Return plain layers with the trained weights, on the device and in the layout it trained in."""
        written = build_model(self.config.model)
        written.load_state_dict(self.network.state_dict())
        return written.to(next(self.model.parameters()).device, memory_format=torch.channels_last)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as tensors and plain values, which `torch.load(weights_only=True)` takes."""
        return {
            "epoch": self.epoch,
            "config": self.config.model_dump_json(),
            "history": [record.model_dump() for record in self.history],
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            **({"averaged": self.averaged.state_dict()} if self.averaged else {}),
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
        if self.averaged:
            self.averaged.load_state_dict(snapshot["averaged"])
        self.history = [EpochRecord(**record) for record in snapshot["history"]]


def new_state(config: RunConfig, images: Images, teacher: nn.Module | None = None) -> TrainingState:
    """Return the untrained network, optimizer and schedule on the images' device, all decided by `config.seed`."""
    device = images.targets.device
    seed_epoch(config.seed, 0)
    model = build_model(config.model).to(device, memory_format=torch.channels_last)
    if config.whitened:
        for convolution in first_convolutions(model):
            whiten(convolution, normalise(images.pixels[:SAMPLE]))
    if device.type == "cpu":
        accelerate(model)
    optimizer = make_optimizer(model, config)
    schedule = make_schedule(optimizer, config, math.ceil(len(images) / config.batch_size))
    averaged = None
    if config.averaging:
        average = get_ema_multi_avg_fn(config.averaging)
        averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True)  # BatchNorm's statistics, too
    return TrainingState(config, model, optimizer, schedule, history=[], averaged=averaged, teacher=teacher)
