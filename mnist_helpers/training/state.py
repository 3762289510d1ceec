"""All that changes while a run trains, the optimizer and its schedule too: made, saved after an epoch, restored."""

import math
import secrets
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
from mnist_helpers.training.circumstances import Environment, describe_environment
from mnist_helpers.training.hooks import Hook
from mnist_helpers.training.optimizing import make_optimizer, make_schedule
from mnist_helpers.training.results import EpochRecord, Stretch
from mnist_helpers.training.runtime import seed_epoch
from mnist_helpers.training.settings import Settings

NetworkOrMaker = nn.Module | Callable[[], nn.Module]
MOVED = "the checkpoints are then moved aside, not deleted"


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
    environment: Environment | None = None  # of the epochs to come
    earlier: list[Stretch] = field(default_factory=list)
    run: str = field(default_factory=lambda: secrets.token_hex(6))  # its mark on all that it leaves

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
            "run": self.run,
            "epoch": self.epoch,
            "environment": self.environment.model_dump(),
            "earlier": [stretch.model_dump() for stretch in self.earlier],
            "config": self.settings.model_dump_json(),
            "history": [record.model_dump() for record in self.history],
            "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "hooks": {type(hook).__name__: hook.state_dict() for hook in self.hooks},
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a `snapshot`, with `resume="anyway"` even one of another machine or of other code.

        CheckpointError: it is none, or of other settings, or of another machine or code; the message says in what.
        """
        try:
            saved = type(self.settings).model_validate_json(snapshot["config"])
            # one with nothing to remember may be new: another device has other hooks
            hooks = {hook: snapshot["hooks"][type(hook).__name__] for hook in self.hooks if hook.state_dict()}
            then = Environment(**snapshot["environment"])
            history = [EpochRecord(**record) for record in snapshot["history"]]
            earlier = [Stretch(**stretch) for stretch in snapshot["earlier"]]
            run, states = snapshot["run"], [snapshot[name] for name in ("model", "optimizer", "schedule")]
        except (KeyError, TypeError, ValidationError) as error:
            raise CheckpointError(
                f"resume=True found a checkpoint of another kind, or of older code. Run without resume: {MOVED}."
            ) from error
        if differences := self.settings.training_differences(saved):
            raise CheckpointError(
                "resume=True found the checkpoints of a run with other settings (now, then): "
                f"{'; '.join(differences)}. Set them as they were, choose another output_dir, or run without resume: "
                f"{MOVED}."
            )
        differences = self.environment.differences(then)
        if len(history) == self.settings.epochs:
            self.environment = then  # nothing is left to train here
        elif differences and self.settings.resume != "anyway":
            raise CheckpointError(
                f"resume=True found checkpoints made in other circumstances (now, then): {'; '.join(differences)}. "
                "The weights would be those of neither. Make them as they were; or go on all the same, which the "
                f'results will say, with resume="anyway"; or run without resume: {MOVED}.'
            )
        elif differences:
            earlier.append(Stretch(last_epoch=len(history), environment=then))
        for part, state in zip((self.network, self.optimizer, self.schedule), states, strict=True):
            part.load_state_dict(state)
        for hook, state in hooks.items():
            hook.load_state_dict(state)
        self.history, self.earlier, self.run = history, earlier, run


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
    environment, steps = describe_environment(settings.torch_device()), settings.epochs * steps_per_epoch
    return TrainingState(settings, network, optimizer, schedule, steps, hooks, environment=environment)
