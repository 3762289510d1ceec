"""The training loop: a step, an epoch, a run. What else a run may do hooks in from outside (`hooks.py`)."""

import math
import time
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from mnist_helpers.data import Images, Split, epoch_batches
from mnist_helpers.training.evaluation import Metrics, evaluate, find_mistakes
from mnist_helpers.training.hooks import LossOf
from mnist_helpers.training.keeping import keeping
from mnist_helpers.training.progress import TrainingBar
from mnist_helpers.training.results import EPOCH_HEADER, Results, epoch_record, format_epoch, summarise
from mnist_helpers.training.runtime import in_float32, keep_freed_memory, seed_epoch
from mnist_helpers.training.settings import Settings
from mnist_helpers.training.state import NetworkOrMaker, TrainingState, start


class TrainingDiverged(RuntimeError):
    """The loss became infinite or not a number; the message says when and what to change."""


def cross_entropy(
    network: nn.Module, inputs: Tensor, targets: Tensor, label_smoothing: float = 0
) -> tuple[Tensor, Tensor]:
    """Return the mean loss () of a batch and the logits (N, 10)."""
    logits = network(inputs)
    return F.cross_entropy(logits, targets, label_smoothing=label_smoothing), logits


def train_step(
    network: nn.Module, inputs: Tensor, targets: Tensor, optimizer: Optimizer, loss_of: LossOf = cross_entropy
) -> tuple[Tensor, Tensor]:
    """Take one step down the gradient of a batch's mean loss; return that loss () and the logits (N, 10)."""
    loss, logits = loss_of(network, inputs, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach(), logits.detach()


def train_epoch(state: TrainingState, epoch: int, images: Images, bar: TrainingBar) -> tuple[Metrics, float]:
    """Train on every image once, in random order; `epoch`, from 1, decides the random numbers.

    Returns loss and accuracy over the batches as they went by, and the learning rate of the last step. Raises
    TrainingDiverged when the loss is no longer a number.
    """
    network, settings, device = state.network, state.settings, images.targets.device
    # each epoch has its own seed, so that a resumed run draws what an uninterrupted one would
    seed_epoch(settings.seed, epoch)
    for hook in state.hooks:
        settings = hook.before_epoch(network, epoch, settings)
    loss_of, step = partial(cross_entropy, label_smoothing=settings.label_smoothing), train_step
    for hook in state.hooks:
        loss_of, step = hook.loss(loss_of), hook.step(step)
    network.train()
    # summed where the training runs: reading a number back at every step would make a GPU wait
    loss_sum, correct = torch.zeros((), device=device), torch.zeros((), device=device)
    for inputs, targets in epoch_batches(images, settings.batch_size, settings.augmentation):
        loss, logits = step(network, inputs, targets, state.optimizer, loss_of)
        for hook in state.hooks:
            hook.after_step(network)
        learning_rate = state.optimizer.param_groups[0]["lr"]
        state.schedule.step()
        loss_sum += loss * len(targets)
        correct += (logits.argmax(1) == targets).sum()
        bar.batch(loss)
    metrics = Metrics(loss_sum.item() / len(images), correct.item() / len(images))
    check_finite(metrics, "training", epoch, settings)
    return metrics, learning_rate


def check_finite(metrics: Metrics | None, of: str, epoch: int, settings: Settings) -> None:
    """Raise TrainingDiverged where a loss is no number."""
    if metrics and not math.isfinite(metrics.loss):
        cause = f"max_lr={settings.max_lr} is too high for batch_size={settings.batch_size}; try a tenth of it"
        raise TrainingDiverged(f"the {of} loss is {metrics.loss} in epoch {epoch}: {cause}")


@in_float32()
def train(
    network: NetworkOrMaker, split: Split, settings: Settings, show: bool = True, keep_checkpoints: bool = True
) -> tuple[nn.Module, Results]:
    """Train a network as `settings` say; return it after the last epoch, in evaluation mode, and the results.

    Args:
        network: from images (N, 1, 28, 28) float32 to logits (N, 10); trained in place. A class or function that
            makes one is called once the seed is set: training again then starts anew.
        split: the images; without test images these are not measured.
        settings: every number of the run, and the hooks that take part in it.
        show: a progress bar and a line for every epoch.
        keep_checkpoints: one after each epoch, in the output folder; with `settings.resume` an interrupted run goes
            on after the last, and ends with the weights it would have had.

    Raises NetworkError: the network does not map images to one logit a class; CheckpointError: on resuming,
    checkpoints are unreadable, of other settings, or of another machine or code; TrainingDiverged: a loss is no
    longer a number; with checkpoints FolderInUseError: another run is at work in the output folder; WriteError: it is
    full.
    """
    keep_freed_memory()
    split = split.to(settings.torch_device())
    with keeping(settings, keep_checkpoints, show) as keeper:
        state = start(network, split.train, settings, show)
        keeper.begin(state)
        with TrainingBar(state.steps, done=state.steps * state.epoch // settings.epochs, show=show) as bar:
            for line in (EPOCH_HEADER, *map(format_epoch, state.history)):
                bar.line(line)
            while state.epoch < settings.epochs:
                bar.epoch(state.epoch + 1, settings.epochs)
                run_epoch(state, split, bar)
                keeper.save()
                bar.line(format_epoch(state.history[-1]))
        trained = state.kept().eval()
        mistakes = find_mistakes(trained, split.test) if split.test else None
    history = (state.history, state.environment, state.earlier)
    return trained, summarise(settings, trained, *history, run=state.run, test_mistakes=mistakes)


def run_epoch(state: TrainingState, split: Split, bar: TrainingBar) -> None:
    """Train the next epoch, measure the network after it, and add both to the history."""
    started = time.perf_counter()
    trained, learning_rate = train_epoch(state, state.epoch + 1, split.train, bar)
    validation = evaluate(state.kept(), split.validation)
    test = evaluate(state.kept(), split.test) if split.test else None
    check_finite(validation, "validation", state.epoch + 1, state.settings)
    check_finite(test, "test", state.epoch + 1, state.settings)
    seconds = time.perf_counter() - started
    state.history.append(epoch_record(state.epoch + 1, trained, validation, test, learning_rate, seconds))


@in_float32()
def fit(network: NetworkOrMaker, images: Images, settings: Settings, show: bool = False) -> nn.Module:
    """Train a network on `images` and nothing else, as `train` does: no evaluation, no checkpoints."""
    keep_freed_memory()
    state = start(network, images, settings, show)
    with TrainingBar(state.steps, show=show) as bar:
        for epoch in range(1, settings.epochs + 1):
            bar.epoch(epoch, settings.epochs)
            train_epoch(state, epoch, images, bar)
    return state.kept().eval()
