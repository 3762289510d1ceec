"""Where the time of a training step goes, each version in a process of its own, on batches of the real images."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from tqdm import tqdm

from mnist_helpers.benchmarks.measure import Record, alone, timed
from mnist_helpers.data import augment, load_mnist
from mnist_helpers.looking import COLOURS, panels
from mnist_helpers.networks import build_model
from mnist_helpers.runs import make_config
from mnist_helpers.training import cross_entropy, describe_environment, keep_freed_memory, start, train_step

WARM_UP, STEPS = 10, 50
PLAIN_STEP, FINAL_STEP = "final, plain torch", "final"
FAST_STEP, FROZEN_STEP = "fast, first epoch", "fast, last epoch"
BFLOAT16_STEP = "first, in bfloat16"
VERSIONS = (PLAIN_STEP, FINAL_STEP, FAST_STEP, FROZEN_STEP, BFLOAT16_STEP)
AUGMENTATION = "augmentation"
# by the start of the operator's name; what an operator spends in others counts as theirs
PARTS = {
    AUGMENTATION: (AUGMENTATION,),
    "convolution, forward": ("aten::conv2d",),
    "convolution, backward": ("aten::convolution_backward",),
    "pooling": ("aten::max_pool2d", "aten::_adaptive_avg_pool2d", "aten::mean"),
    "BatchNorm": ("aten::native_batch_norm", "_BatchNormReLU", "aten::batch_norm"),
    "dropout": ("aten::native_dropout", "_Dropout", "aten::dropout", "aten::bernoulli_"),
    "optimizer": ("Optimizer.step", "Optimizer.zero_grad"),
}
REST = "the rest"


class StepProfile(BaseModel, frozen=True):
    """One version's training step: its time without the profiler, which takes some, and the shares of its parts."""

    microseconds_per_image: float
    shares: dict[str, float]


class Profiles(Record, frozen=True):
    """All versions."""

    NAME = "profile"
    versions: dict[str, StepProfile]


read_profiles = Profiles.read


def measure_profile(version: str) -> StepProfile:
    """Profile the training step of one of `VERSIONS`, in this process."""
    model = "final" if version in (PLAIN_STEP, FINAL_STEP) else "fast"
    config = make_config(model=model, precision="bfloat16" if version == BFLOAT16_STEP else "float32", device="cpu")
    images = load_mnist()[0]
    if version != PLAIN_STEP:
        keep_freed_memory()
    state = start(partial(build_model, config.model) if version == PLAIN_STEP else config.build, images, config)
    loss_of = partial(cross_entropy, label_smoothing=config.label_smoothing)
    for hook in state.hooks:
        hook.before_epoch(state.network, config.epochs if version == FROZEN_STEP else 1, config)
        loss_of = hook.loss(loss_of)

    def steps(count: int) -> None:
        for _ in range(count):
            with record_function("step"):
                with record_function(AUGMENTATION):
                    batch = images.take(torch.randint(len(images), (config.batch_size,)))
                    inputs = augment(batch.pixels, config.augmentation)
                train_step(state.network, inputs, batch.targets, state.optimizer, loss_of)

    steps(WARM_UP)
    seconds, _ = timed(lambda: steps(STEPS))
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        steps(STEPS)
    shares = _shares([event for event in recorded.events() if event.name == "step"])
    return StepProfile(microseconds_per_image=round(1e6 * seconds / STEPS / config.batch_size, 2), shares=shares)


def _shares(steps: Sequence[FunctionEvent]) -> dict[str, float]:
    totals, events = dict.fromkeys((*PARTS, REST), 0.0), list(steps)
    while events:
        event = events.pop()
        part = next((part for part, starts in PARTS.items() if event.name.startswith(starts)), REST)
        # a part counts with all it calls; any other operator is looked into
        totals[part] += event.self_cpu_time_total if part == REST else event.cpu_time_total
        events += event.cpu_children if part == REST else []
    whole = sum(totals.values())
    return {part: round(total / whole, 4) for part, total in totals.items()}


def format_profiles(versions: Mapping[str, StepProfile]) -> str:
    """Return a table: microseconds an image by part, one column a version."""
    widths = [max(len(name) + 2, 9) for name in versions]

    def line(label: str, cells: Iterable[str]) -> str:
        return f"{label:22s}" + "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))

    rows = {**_times(versions), "step": [one.microseconds_per_image for one in versions.values()]}
    lines = [line(label, (f"{time:.1f}" for time in times)) for label, times in rows.items()]
    return "\n".join([line("microseconds an image", versions), *lines])


def _times(versions: Mapping[str, StepProfile]) -> dict[str, list[float]]:
    """Return the microseconds an image of every part, one value a version."""
    return {
        part: [one.shares[part] * one.microseconds_per_image for one in versions.values()] for part in (*PARTS, REST)
    }


def plot_profiles(versions: Mapping[str, StepProfile]) -> Figure:
    """Draw each version's microseconds an image as a bar, stacked by part."""
    figure, axis = panels(3.4)
    left = np.zeros(len(versions))
    for index, (part, widths) in enumerate(_times(versions).items()):
        colour, hatch = COLOURS[index % len(COLOURS)], "//" * (index // len(COLOURS))
        axis.barh(list(versions), widths, left=left, label=part, color=colour, hatch=hatch, edgecolor="white")
        left = left + widths
    axis.bar_label(axis.containers[-1], [f" {total:.0f}" for total in left])
    axis.invert_yaxis()
    axis.margins(x=0.08)
    axis.set(title="Where a training step spends its time", xlabel="microseconds an image")
    axis.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.2))
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Profile every version, save, draw and print."""
    argparse.ArgumentParser(prog="python -m mnist_helpers profile", description=__doc__).parse_args(arguments)
    versions = {version: alone(measure_profile, version) for version in tqdm(VERSIONS, unit="profile")}
    profiles = Profiles(environment=describe_environment(torch.device("cpu")), versions=versions)
    profiles.write(profile=plot_profiles(versions))
    print(format_profiles(versions))
    return 0
