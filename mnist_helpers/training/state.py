"""All that changes while a run trains, made before it, saved after an epoch and restored before the next."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from mnist_helpers.data import Images
from mnist_helpers.networks import check_logits
from mnist_helpers.training.checkpoints import CheckpointError
from mnist_helpers.training.hooks import Hook
from mnist_helpers.training.optim import make_optimizer, make_schedule
from mnist_helpers.training.results import EpochRecord
from mnist_helpers.training.runtime import seed_epoch
from mnist_helpers.training.settings import Settings

NetworkOrMaker = nn.Module | Callable[[], nn.Module]


class NetworkError(ValueError):
    """A network that cannot be trained here; the message says what it returned and what is allowed."""


@dataclass
class TrainingState:
    """A run in progress. Random numbers are not part of it: every epoch seeds its own."""

    settings: Settings
    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    steps: int
    """Of the whole run."""
    hooks: tuple[Hook, ...] = ()
    history: list[EpochRecord] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    def kept(self) -> nn.Module:
        """Return the network to be measured and kept."""
        network = self.network
        for hook in self.hooks:
            network = hook.kept(network)
        return network

    def last_is_best(self) -> bool:
        """Say whether the last epoch is the best on validation images; of equals the later one is."""
        return self.history[-1].validation_accuracy >= max(r.validation_accuracy for r in self.history)

    def snapshot(self) -> dict[str, Any]:
        """Return the state as tensors and plain values, which `torch.load(weights_only=True)` takes."""
        return {
            "epoch": self.epoch,
            "config": self.settings.model_dump_json(),
            "history": [record.model_dump() for record in self.history],
            "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "hooks": {type(hook).__name__: hook.state_dict() for hook in self.hooks},
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a `snapshot` of a run with the same settings.

        Raises CheckpointError: the snapshot is of another run, and in what it differs, or no snapshot at all.
        """
        try:
            saved = type(self.settings).model_validate_json(snapshot["config"])
            hooks = {hook: snapshot["hooks"][type(hook).__name__] for hook in self.hooks}
        except (KeyError, ValidationError) as error:
            raise CheckpointError(
                "resume=True found a checkpoint without a valid configuration. Run without resume: the checkpoints "
                "are moved aside, not deleted."
            ) from error
        if differences := self.settings.training_differences(saved):
            raise CheckpointError(
                "resume=True found the checkpoints of a run with other settings (now, then): "
                f"{'; '.join(differences)}. Set them as they were, choose another output_dir, or run without resume: "
                "the checkpoints are then moved aside, not deleted."
            )
        self.network.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.schedule.load_state_dict(snapshot["schedule"])
        for hook, state in hooks.items():
            hook.load_state_dict(state)
        self.history = [EpochRecord(**record) for record in snapshot["history"]]


def start(network: NetworkOrMaker, images: Images, settings: Settings, show: bool = False) -> TrainingState:
    """Return a run before its first step, on the images' device, all decided by `settings.seed`.

    Raises NetworkError: it does not map images to one logit a class.
    """
    seed_epoch(settings.seed, 0)
    network = network if isinstance(network, nn.Module) else network()
    network.to(images.targets.device).float()
    check = check_logits(network)
    if not check.passed:
        raise NetworkError(f"{type(network).__name__} cannot be trained; allowed: {check.rule}; given: {check.found}")
    hooks = settings.hooks()
    for hook in hooks:
        hook.before_training(network, images, settings, show)
    optimizer = make_optimizer(network, settings)
    steps_per_epoch = math.ceil(len(images) / settings.batch_size)
    schedule = make_schedule(optimizer, settings, steps_per_epoch)
    return TrainingState(settings, network, optimizer, schedule, settings.epochs * steps_per_epoch, hooks)
