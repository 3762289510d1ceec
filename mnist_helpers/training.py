"""The training loop: one readable function for a step, one for an epoch, one for a run."""

import math
import time
from collections.abc import Callable
from functools import partial
from itertools import zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnist_helpers.batches import epoch_batches
from mnist_helpers.checkpoints import checkpoint_folder, latest_checkpoint, save_checkpoint, start_folder
from mnist_helpers.config import RunConfig
from mnist_helpers.data import Images, Split
from mnist_helpers.distillation import taught_step
from mnist_helpers.evaluation import Metrics, evaluate, find_mistakes
from mnist_helpers.layers import accelerate
from mnist_helpers.models import count_parameters
from mnist_helpers.precision import Precision, computing_in
from mnist_helpers.progress import TrainingBar
from mnist_helpers.recipes import with_recipe
from mnist_helpers.results import EPOCH_HEADER, EpochRecord, RunResults, describe_environment, format_epoch, summarise
from mnist_helpers.runtime import keep_freed_memory, seed_epoch
from mnist_helpers.state import TrainingState, new_state
from mnist_helpers.views import Views, views_step


class TrainingDiverged(RuntimeError):
    """The loss became infinite or not a number; the message says when and what to change."""


def train_step(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    optimizer: torch.optim.Optimizer,
    label_smoothing: float = 0,
    precision: Precision = "float32",
) -> tuple[Tensor, Tensor]:
    """Take one step down the gradient of a batch's mean loss; return that loss () and the logits (N, 10) float32."""
    with computing_in(precision, targets.device):
        logits = model(inputs).float()
    loss = F.cross_entropy(logits, targets, label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach(), logits.detach()


def train_epoch(state: TrainingState, epoch: int, images: Images, bar: TrainingBar) -> tuple[Metrics, float]:
    """Train on every image once, in random order.

    Args:
        state: changed in place, all but its history.
        epoch: from 1; decides the random numbers, and which blocks still learn.
        images: on the device of the network.
        bar: told of every batch.

    Returns:
        Loss and accuracy over the batches as they went by, and the learning rate of the last step.

    Raises:
        TrainingDiverged: the loss is no longer a number.
    """
    config, device = state.config, images.targets.device
    # each epoch has its own seed, so that a resumed run draws what an uninterrupted one would
    seed_epoch(config.seed, epoch)
    for block, last in zip_longest(state.model.children(), config.learning_epochs, fillvalue=config.epochs):
        block.requires_grad_(epoch <= last)
    state.model.train()
    step = _step(state)
    # summed where the training runs: reading a number back at every step would make a GPU wait
    loss_sum, correct = torch.zeros((), device=device), torch.zeros((), device=device)
    for inputs, targets in epoch_batches(images, config.batch_size, config.augmentation_in(epoch)):
        loss, logits = step(state.model, inputs, targets, state.optimizer, config.label_smoothing, config.precision)
        if state.averaged:
            state.averaged.update_parameters(state.model)
        learning_rate = state.optimizer.param_groups[0]["lr"]
        state.schedule.step()
        loss_sum += loss * len(targets)
        correct += (logits.argmax(1) == targets).sum()
        bar.batch(loss)
    metrics = Metrics(loss_sum.item() / len(images), correct.item() / len(images))
    if not math.isfinite(metrics.loss):
        raise TrainingDiverged(
            f"the training loss is {metrics.loss} in epoch {epoch}: max_lr={config.max_lr} is too high "
            f"for batch_size={config.batch_size}; try a tenth of it"
        )
    return metrics, learning_rate


def _step(state: TrainingState) -> Callable[..., tuple[Tensor, Tensor]]:
    if state.teacher:
        return partial(taught_step, state.teacher)
    return views_step if isinstance(state.model, Views) else train_step


def train(
    config: RunConfig, split: Split, show: bool = True, keep_checkpoints: bool = True
) -> tuple[nn.Module, RunResults]:
    """Train as `config` says and return the last epoch's network and the results.

    Args:
        config: every number of the run.
        split: the images, as `load_split` gives them.
        show: give whoever waits a progress bar and a line for every epoch.
        keep_checkpoints: write one into the output folder after each epoch; with `config.resume` an interrupted run
            then goes on after the last whole one, and ends with the weights it would have had.

    Raises:
        CheckpointError: `config.resume`, and the checkpoints are unreadable or of a run with other settings.
        TrainingDiverged: the loss is no longer a number.
    """
    keep_freed_memory()
    device = config.torch_device()
    split = split.to(device)
    state = new_state(config, split.train, teacher=_train_teacher(config, split.train, show))
    folder = checkpoint_folder(config.output_folder())
    if keep_checkpoints:
        start_folder(folder, config.resume)
        if config.resume and (checkpoint := latest_checkpoint(folder)):
            state.restore(checkpoint)

    steps = config.epochs * math.ceil(len(split.train) / config.batch_size)
    with TrainingBar(steps, done=steps * state.epoch // config.epochs, show=show) as bar:
        for line in (EPOCH_HEADER, *map(format_epoch, state.history)):
            bar.line(line)
        while state.epoch < config.epochs:
            bar.epoch(state.epoch + 1, config.epochs)
            state.history.append(run_epoch(state, split, bar))
            if keep_checkpoints:
                save_checkpoint(folder, state.snapshot(), is_best=state.last_is_best())
            bar.line(format_epoch(state.history[-1]))
    network = state.as_written().eval()
    environment, mistakes = describe_environment(device), find_mistakes(network, split.test)
    return network, summarise(config, environment, state.history, count_parameters(network), mistakes)


def fit(config: RunConfig, images: Images, show: bool = False) -> nn.Module:
    """Train as `config` says on `images` and nothing else: no evaluation, no checkpoints."""
    keep_freed_memory()
    state = new_state(config, images, teacher=_train_teacher(config, images, show))
    with TrainingBar(config.epochs * math.ceil(len(images) / config.batch_size), show=show) as bar:
        for epoch in range(1, config.epochs + 1):
            bar.epoch(epoch, config.epochs)
            train_epoch(state, epoch, images, bar)
    return state.as_written().eval()


def _train_teacher(config: RunConfig, images: Images, show: bool) -> nn.Module | None:
    """Return `config.teacher`, trained by its own recipe on the images its pupil sees: no others leak in."""
    if config.teacher is None:
        return None
    own = RunConfig(**with_recipe({"model": config.teacher, "seed": config.seed, "device": config.device}))
    teacher = fit(own, images, show)
    return accelerate(teacher).eval() if images.targets.device.type == "cpu" else teacher


def run_epoch(state: TrainingState, split: Split, bar: TrainingBar) -> EpochRecord:
    """Train the next epoch and measure the network after it on all three sets."""
    started = time.perf_counter()
    epoch = state.epoch + 1
    train_metrics, learning_rate = train_epoch(state, epoch, split.train, bar)
    validation, test = evaluate(state.network, split.validation), evaluate(state.network, split.test)
    return EpochRecord(
        epoch=epoch,
        train_loss=train_metrics.loss,
        train_accuracy=train_metrics.accuracy,
        validation_loss=validation.loss,
        validation_accuracy=validation.accuracy,
        test_loss=test.loss,
        test_accuracy=test.accuracy,
        learning_rate=learning_rate,
        seconds=round(time.perf_counter() - started, 3),
    )
