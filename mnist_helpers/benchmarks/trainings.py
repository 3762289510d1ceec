"""Whole trainings side by side: the reference's recipe, the fastest public one, and ours, with what they reach.

Counted is everything from images in the device's memory to final weights, augmentation included, evaluation not.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import psutil
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from mnist_helpers.benchmarks.measure import Measured, Taken, timed
from mnist_helpers.benchmarks.reference import MEMORY, REFERENCE, train_some
from mnist_helpers.data import CLASSES, Images, normalise
from mnist_helpers.looking import BLUE, GREY, panels
from mnist_helpers.networks import build_model, count_parameters
from mnist_helpers.runs import RunConfig, make_config
from mnist_helpers.sweeps import Spread, format_spread, spread
from mnist_helpers.training import evaluate, fit, train_step

REFERENCE_RUN = "reference's recipe, torchvision in a DataLoader"
PEER_RUN = "train_mnist_fast, final notebook"
FINAL_RUN = "final: the same recipe, ours"
FAST_RUN = "fast"
BFLOAT16_RUN = "fast, in bfloat16"
SPRINT_RUN = "sprint"
WHOLE = {  # settings of ours that are trained to their end
    FAST_RUN: {"model": "fast"},
    BFLOAT16_RUN: {"model": "fast", "precision": "bfloat16"},
    SPRINT_RUN: {"model": "sprint"},
}
SCALED = {REFERENCE_RUN: REFERENCE, FINAL_RUN: MEMORY}  # versions of the final network's epoch: a part is timed
RUNS = (REFERENCE_RUN, PEER_RUN, FINAL_RUN, *WHOLE)
PEER_BATCH, PEER_LR = 256, 0.01
STARTED = "cold: Python and imports"
UPLOADED = "cold: device opened, images uploaded"
FIRST = "cold: a process' first training, fast"
# a page is about 95 characters wide
BRIEF = {REFERENCE_RUN: "reference's recipe", PEER_RUN: "train_mnist_fast", FINAL_RUN: "final: the same recipe"}


class Reached(BaseModel, frozen=True):
    """What a contestant's runs reached on the test set after their last epoch, one seed a repeat."""

    parameters: int
    epochs: int
    test_accuracy: Spread


def peer_network() -> nn.Sequential:
    """Return two convolutions, each pooled before its ReLU, and two dense layers: 215,194 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, CLASSES),
    )  # fmt: skip


def train_mnist_fast(inputs: Tensor, targets: Tensor, seed: int) -> nn.Module:
    """Train its network for its one epoch, on normalised inputs (N, 1, 28, 28) and targets (N,) in memory.

    Written anew from https://github.com/tuomaso/train_mnist_fast (`8_Final_00s76.ipynb`): the images in their own
    order, without augmentation, to 99.04 % (its mean of 30 seeds).
    """
    torch.manual_seed(seed)
    network = peer_network().to(inputs.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=PEER_LR, betas=(0.7, 0.9))
    steps = math.ceil(len(targets) / PEER_BATCH)
    schedule = OneCycleLR(optimizer, max_lr=PEER_LR, total_steps=steps, cycle_momentum=False)
    for batch in zip(inputs.split(PEER_BATCH), targets.split(PEER_BATCH), strict=True):
        train_step(network, *batch, optimizer)
        schedule.step()
    return network


def whole_training(name: str, images: Images, seed: int) -> Callable[[], nn.Module]:
    """Return what trains the peer, or one of `WHOLE`, to its end on the device of `images`."""
    if name == PEER_RUN:
        return partial(train_mnist_fast, normalise(images.pixels), images.targets, seed)
    config = make_config(**WHOLE[name], seed=seed, device=str(images.targets.device))
    return partial(fit, config.build, images, config)


def measure_runs(batches: int, names: Sequence[str], repeat: int) -> Iterator[Taken]:
    """Time contestants once, in the order of `RUNS`: ours last, since freed memory, once kept, stays so.

    Those of fifteen epochs are timed over `batches` batches and scaled, others trained to their end; `repeat` seeds.
    """
    final = RunConfig(device="cpu", seed=repeat)
    split = final.split()
    for name in names:
        if name in SCALED:
            yield Taken(name, final.epochs * train_some(SCALED[name], final, split.train, batches)[1])
        else:
            seconds, network = timed(whole_training(name, split.train, repeat))
            yield Taken(name, seconds, evaluate(network, split.test).accuracy)


def measure_device(device: torch.device, train_size: int | None, repeat: int) -> Iterator[Taken]:
    """Time a process from its start to a warm training of the peer and each of `WHOLE`, with `repeat` as their seed.

    Each is timed at its second training, the first of `WHOLE`, which is the process' first, at that too.
    """
    yield Taken(STARTED, time.time() - psutil.Process().create_time())
    in_memory = RunConfig(train_size=train_size, seed=repeat).split()
    seconds, split = timed(partial(in_memory.to, device), device)
    yield Taken(UPLOADED, seconds)
    for name in (*WHOLE, PEER_RUN):
        training = whole_training(name, split.train, repeat)
        seconds, _ = timed(training, device)
        if name == FAST_RUN:
            yield Taken(FIRST, seconds)
        seconds, network = timed(training, device)
        yield Taken(name, seconds, evaluate(network, split.test).accuracy)


def reached(found: Mapping[str, Sequence[Taken]]) -> dict[str, Reached]:
    """Return what the contestants reached that were trained to their end."""
    recipes = {name: make_config(**settings) for name, settings in WHOLE.items()}
    trained = {PEER_RUN: (peer_network(), 1)}
    trained |= {name: (build_model(config.model), config.epochs) for name, config in recipes.items()}
    accuracies = {name: spread([taken.test_accuracy for taken in found[name]]) for name in trained}
    return {
        name: Reached(parameters=count_parameters(network), epochs=epochs, test_accuracy=accuracies[name])
        for name, (network, epochs) in trained.items()
    }


def format_trainings(measured: Mapping[str, Measured], accuracies: Mapping[str, Reached]) -> str:
    """Return one line a contestant: seconds, speed against the reference and the peer, and what it reached."""
    lines = [f"{'':24s} {'seconds':>8s} {'reference':>10s} {'peer':>7s}  parameters  test accuracy    seeds"]
    for name, one in measured.items():
        reference, peer = (1 / one.ratios[other] for other in (REFERENCE_RUN, PEER_RUN))
        lines.append(f"{BRIEF.get(name, name):24s} {one.median_seconds:8.1f} {reference:9.1f}× {peer:6.2f}×")
        if found := accuracies.get(name):
            accuracy = found.test_accuracy
            lines[-1] += f"  {found.parameters:10,}  {format_spread(accuracy)}  {accuracy.n:5d}"
    return "\n".join(lines)


def plot_trainings(measured: Mapping[str, Measured], accuracies: Mapping[str, Reached]) -> Figure:
    """Draw the median seconds of every contestant on a logarithmic axis, with ratio and accuracy on each bar."""
    figure, axis = panels(3.4)
    medians = [measured[name].median_seconds for name in RUNS]
    bars = axis.barh(RUNS, medians, color=[GREY, GREY, *[BLUE] * (len(RUNS) - 2)])
    labels = []
    for name, median in zip(RUNS, medians, strict=True):
        accuracy = f", {format_spread(accuracies[name].test_accuracy)}" if name in accuracies else ""
        labels.append(f" {median:,.1f} s, 1/{1 / measured[name].ratios[REFERENCE_RUN]:,.0f}{accuracy}")
    axis.bar_label(bars, labels, fontsize=8)
    axis.invert_yaxis()
    axis.set(title="Whole trainings on a CPU, from images in memory to weights", xlabel="seconds (median)")
    axis.set(xscale="log", xlim=(0.5, 30 * max(medians)))
    return figure
