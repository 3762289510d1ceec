"""All that changes while a run trains, the optimizer and its schedule too: made, saved after an epoch, restored."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

from mnist_helpers.data import Images
from mnist_helpers.networks import check_logits
from mnist_helpers.training.checkpoints import CheckpointError
from mnist_helpers.training.hooks import Hook
from mnist_helpers.training.muon import Muon
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
    steps: int  # of the whole run
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
        """Continue from a `snapshot`; CheckpointError: it is none, or of other settings, and in what they differ."""
        try:
            saved = type(self.settings).model_validate_json(snapshot["config"])
            # one with nothing to remember may be new: another device has other hooks
            hooks = {hook: snapshot["hooks"][type(hook).__name__] for hook in self.hooks if hook.state_dict()}
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


def make_optimizer(network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, AdamW or Muon, at the rate and momentum that a constant schedule keeps.

    OneCycle sets both anew before the first step; AdamW's first beta is what it moves as momentum.
    """
    momentum = (settings.base_momentum + settings.max_momentum) / 2
    # fused: one call for all parameters instead of five for each
    common = {"lr": settings.max_lr, "weight_decay": settings.weight_decay, "fused": True}
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(network.parameters(), betas=(momentum, 0.999), **common)
    if settings.optimizer == "muon":
        return Muon(network.parameters(), settings.max_lr, momentum, settings.weight_decay)
    return torch.optim.SGD(network.parameters(), momentum=momentum, nesterov=True, **common)


def make_schedule(optimizer: torch.optim.Optimizer, settings: Settings, steps_per_epoch: int) -> LRScheduler:
    """Return the schedule over exactly the steps of this run, to be stepped after every batch."""
    if settings.schedule == "constant":
        return ConstantLR(optimizer, factor=1)
    steps = settings.epochs * steps_per_epoch
    return OneCycleLR(
        optimizer,
        max_lr=settings.max_lr,
        total_steps=steps,
        # torch divides by the length of the rise, which is 0 where it is just the first step
        pct_start=settings.pct_start + (1e-6 if settings.pct_start * steps == 1 else 0),
        div_factor=settings.div_factor,
        final_div_factor=settings.final_div_factor,
        base_momentum=settings.base_momentum,
        max_momentum=settings.max_momentum,
        anneal_strategy="cos",
    )


def start(network: NetworkOrMaker, images: Images, settings: Settings, show: bool = False) -> TrainingState:
    """Return a run before its first step, on the images' device, decided by `settings.seed`; errors as `train`."""
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
