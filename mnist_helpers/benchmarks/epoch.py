"""What each gain in speed is worth to the final network's epoch: torchvision's version and ours, step by step."""

from collections.abc import Iterator
from itertools import chain, count, cycle, islice

import torch
from matplotlib.figure import Figure
from torch import nn

from mnist_helpers.benchmarks.measure import Measured, Taken, timed
from mnist_helpers.benchmarks.reference import evaluate_with_loader, reference_loader
from mnist_helpers.data import Images, Split, epoch_batches
from mnist_helpers.looking import BLUE, GREY, panels
from mnist_helpers.networks import build_model, fast_form
from mnist_helpers.runs import RunConfig
from mnist_helpers.training import evaluate, keep_freed_memory, make_optimizer, seed_epoch, train_step

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
    network, training = train_some(version, config, split.train, batches)
    evaluated = (split.validation, split.test)
    return training + timed(lambda: [_evaluate(version, network, config, images) for images in evaluated])[0]


def train_some(version: str, config: RunConfig, images: Images, batches: int) -> tuple[nn.Module, float]:
    """Train on `batches` batches after a warm-up; return the network and the seconds that an epoch of such takes."""
    seed_epoch(config.seed, 0)
    network = build_model(config.model)
    if version == LAYOUT:
        network = network.to(memory_format=torch.channels_last)
    if version in (LAYERS, MEMORY):
        network = fast_form(network)
    if version == MEMORY:
        keep_freed_memory()
    optimizer = make_optimizer(network, config)
    if version in (REFERENCE, PIL):
        inputs = cycle(reference_loader(images, config, training=True, on_tensors=version == REFERENCE))
    else:
        inputs = chain.from_iterable(epoch_batches(images, config.batch_size, config.augmentation) for _ in count())
    for batch in islice(inputs, WARM_UP):
        train_step(network, *batch, optimizer)
    seconds, _ = timed(lambda: [train_step(network, *batch, optimizer) for batch in islice(inputs, batches)])
    return network, seconds / batches * len(images) / config.batch_size


def _evaluate(version: str, network: nn.Module, config: RunConfig, images: Images) -> None:
    if version in (REFERENCE, PIL):
        evaluate_with_loader(network, reference_loader(images, config, training=False))
    else:
        evaluate(network, images)


def measure_epochs(batches: int, repeat: int) -> Iterator[Taken]:
    """Time an epoch of every version; the one that keeps freed memory, which cannot be undone, comes last."""
    config = RunConfig(device="cpu", seed=repeat)
    split = config.split()
    for version in VERSIONS:
        yield Taken(version, epoch_seconds(version, config, split, batches))


def plot_epochs(measured: dict[str, Measured]) -> Figure:
    """Draw the median seconds of each version as bars, with the ratio to the reference on each."""
    figure, axis = panels(3.2)
    medians = [measured[version].median_seconds for version in VERSIONS]
    bars = axis.barh(VERSIONS, medians, color=[GREY, GREY, *[BLUE] * (len(medians) - 2)])
    axis.bar_label(bars, [f" {measured[version].ratios[REFERENCE]:.2f}×" for version in VERSIONS])
    axis.invert_yaxis()
    axis.set(title="One epoch, training and evaluation, on a CPU", xlabel="seconds (median)")
    axis.margins(x=0.1)
    return figure
