"""What each gain in speed is worth to the final network's epoch: torchvision's version and ours, step by step."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from mnist_helpers.augment import augment
from mnist_helpers.config import RunConfig
from mnist_helpers.data import Images, Split, load_split
from mnist_helpers.evaluation import evaluate
from mnist_helpers.layers import accelerate
from mnist_helpers.measure import Measured, Taken, timed
from mnist_helpers.models import build_model
from mnist_helpers.optim import make_optimizer
from mnist_helpers.plots import BLUE, GREY, WIDTH
from mnist_helpers.reference import evaluate_with_loader, reference_loader
from mnist_helpers.runtime import keep_freed_memory, seed_epoch
from mnist_helpers.training import train_step

REFERENCE = "torchvision on tensors, DataLoader"
PIL = "torchvision on PIL images, DataLoader"
BATCHED = "batched augmentation"
LAYOUT = "+ channels last"
LAYERS = "+ fast BatchNorm and dropout"
MEMORY = "+ freed memory kept"
VERSIONS = (REFERENCE, PIL, BATCHED, LAYOUT, LAYERS, MEMORY)
WARM_UP = 5  # batches


def epoch_seconds(version: str, config: RunConfig, split: Split, batches: int) -> float:
    """Return the seconds of one epoch, evaluation on validation and test images included."""
    model, training = train_some(version, config, split.train, batches)
    return training + timed(lambda: _evaluate(version, model, config, split))[0]


def train_some(version: str, config: RunConfig, images: Images, batches: int) -> tuple[nn.Module, float]:
    """Train on `batches` batches after a warm-up; return the network and the seconds that an epoch of such takes."""
    seed_epoch(config.seed, 0)
    model = build_model(config.model)
    if version == LAYOUT:
        model = model.to(memory_format=torch.channels_last)
    if version in (LAYERS, MEMORY):
        accelerate(model)
    if version == MEMORY:
        keep_freed_memory()
    optimizer = make_optimizer(model, config)
    if version in (REFERENCE, PIL):
        inputs = cycle(reference_loader(images, config, training=True, on_tensors=version == REFERENCE))
    else:
        inputs = _batched(config, images)
    for batch in islice(inputs, WARM_UP):
        train_step(model, *batch, optimizer)
    seconds, _ = timed(lambda: [train_step(model, *batch, optimizer) for batch in islice(inputs, batches)])
    return model, seconds / batches * len(images) / config.batch_size


def _batched(config: RunConfig, images: Images) -> Iterator[Sequence[Tensor]]:
    while True:
        for indices in torch.randperm(len(images)).split(config.batch_size):
            batch = images.take(indices)
            yield augment(batch.pixels, config.augmentation), batch.targets


def _evaluate(version: str, model: nn.Module, config: RunConfig, split: Split) -> None:
    for images in (split.validation, split.test):
        if version in (REFERENCE, PIL):
            evaluate_with_loader(model, reference_loader(images, config, training=False))
        else:
            evaluate(model, images)


def measure_epochs(batches: int, repeat: int) -> Iterator[Taken]:
    """Time an epoch of every version; the one that keeps freed memory, which cannot be undone, comes last."""
    config = RunConfig(device="cpu", seed=repeat)
    split = load_split(config.data_dir, config.validation_size, config.train_size, config.seed)
    for version in VERSIONS:
        yield Taken(version, epoch_seconds(version, config, split, batches))


def plot_epochs(measured: dict[str, Measured]) -> Figure:
    """Draw the median seconds of each version as bars, with the ratio to the reference on each."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
    medians = [measured[version].median_seconds for version in VERSIONS]
    bars = axis.barh(VERSIONS, medians, color=[GREY, GREY, *[BLUE] * (len(medians) - 2)])
    axis.bar_label(bars, [f" {measured[version].ratios[REFERENCE]:.2f}×" for version in VERSIONS])
    axis.invert_yaxis()
    axis.set(title="One epoch, training and evaluation, on a CPU", xlabel="seconds (median)")
    axis.margins(x=0.1)
    return figure
