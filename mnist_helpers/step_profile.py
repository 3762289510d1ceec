"""Where the time of a training step goes: `make profile` writes `outputs/profile.json` and a picture of it.

Each profile is taken in a process of its own on whole batches of the real images.
"""

import resource
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from tqdm import tqdm

from mnist_helpers.augment import augment
from mnist_helpers.config import PUBLISHED_FOLDER, TRIAL_FOLDER, make_config
from mnist_helpers.data import load_mnist
from mnist_helpers.files import write_text_atomically
from mnist_helpers.layers import accelerate
from mnist_helpers.measure import timed
from mnist_helpers.models import build_model
from mnist_helpers.optim import make_optimizer
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.plots import WIDTH
from mnist_helpers.results import Environment, describe_environment
from mnist_helpers.runtime import keep_freed_memory, seed_epoch
from mnist_helpers.study_plots import COLOURS
from mnist_helpers.training import train_step

PROFILE = f"{PUBLISHED_FOLDER}/profile.json"
PICTURE = f"{PUBLISHED_FOLDER}/profile.png"
WARM_UP, STEPS = 10, 50
PLAIN, FINAL = "final, plain torch", "final"
FAST, FROZEN = "fast, first epoch", "fast, last epoch"
BFLOAT16 = "first, in bfloat16"
VERSIONS = (PLAIN, FINAL, FAST, FROZEN, BFLOAT16)
AUGMENTATION = "augmentation"
# by the start of the operator's name; what an operator spends in others counts as theirs
PARTS = {
    "convolution, forward": ("aten::conv2d",),
    "convolution, backward": ("aten::convolution_backward",),
    "pooling": ("aten::max_pool2d", "aten::_adaptive_avg_pool2d", "aten::mean"),
    "BatchNorm": ("aten::native_batch_norm", "_BatchNormReLU", "aten::batch_norm"),
    "dropout": ("aten::native_dropout", "_Dropout", "aten::dropout", "aten::bernoulli_"),
    "optimizer": ("Optimizer.step", "Optimizer.zero_grad"),
}
REST = "the rest"


class StepProfile(BaseModel):
    """One version's training step."""

    model_config = ConfigDict(frozen=True)

    batch_size: int
    microseconds_per_image: float
    """Measured without the profiler, which itself takes time."""
    shares: dict[str, float]
    """Of the step, by part; they sum to 1."""
    page_faults_per_step: float
    """Pages of memory the system had to hand out: https://man7.org/linux/man-pages/man2/getrusage.2.html."""


class Profiles(BaseModel):
    """All versions, and what they ran on."""

    model_config = ConfigDict(frozen=True)

    environment: Environment
    versions: dict[str, StepProfile]


def measure_profile(version: str) -> StepProfile:
    """Profile the training step of one of `VERSIONS`, in this process."""
    config = make_config(
        model="final" if version in (PLAIN, FINAL) else "fast",
        precision="bfloat16" if version == BFLOAT16 else "float32",
        device="cpu",
        output_dir=TRIAL_FOLDER,
    )
    images = load_mnist()[0]
    seed_epoch(0, 0)
    model = build_model(config.model)
    if version != PLAIN:
        keep_freed_memory()
        accelerate(model)
    for block in list(model.children())[: len(config.learning_epochs) if version == FROZEN else 0]:
        block.requires_grad_(False)
    optimizer = make_optimizer(model, config)

    def steps(count: int) -> None:
        for _ in range(count):
            with record_function("step"):
                with record_function(AUGMENTATION):
                    batch = images.take(torch.randint(len(images), (config.batch_size,)))
                    inputs = augment(batch.pixels, config.augmentation)
                train_step(model, inputs, batch.targets, optimizer, config.label_smoothing, config.precision)

    steps(WARM_UP)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds, _ = timed(lambda: steps(STEPS))
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        steps(STEPS)
    return StepProfile(
        batch_size=config.batch_size,
        microseconds_per_image=round(1e6 * seconds / STEPS / config.batch_size, 2),
        shares=_shares([event for event in recorded.events() if event.name == "step"]),
        page_faults_per_step=faults / STEPS,
    )


def _shares(steps: Sequence[FunctionEvent]) -> dict[str, float]:
    totals = dict.fromkeys((AUGMENTATION, *PARTS, REST), 0.0)

    def add(event: FunctionEvent) -> None:
        """Count an operator that is a part with all it calls; look into any other."""
        part = _part(event.name)
        if part:
            totals[part] += event.cpu_time_total
        else:
            totals[REST] += event.self_cpu_time_total
            for child in event.cpu_children:
                add(child)

    for step in steps:
        add(step)
    whole = sum(totals.values())
    return {part: round(total / whole, 4) for part, total in totals.items()}


def _part(name: str) -> str | None:
    if name == AUGMENTATION:
        return AUGMENTATION
    return next((part for part, starts in PARTS.items() if name.startswith(starts)), None)


def read_profiles() -> Profiles:
    """Read `outputs/profile.json`.

    Raises:
        FileNotFoundError: `make profile` has not been run.
    """
    return Profiles.model_validate_json((PROJECT_ROOT / PROFILE).read_text(encoding="utf-8"))


def format_profiles(versions: Mapping[str, StepProfile]) -> str:
    """Return a table: microseconds an image by part, one column a version."""
    widths = [max(len(name) + 2, 9) for name in versions]

    def line(label: str, cells: Iterable[str]) -> str:
        return f"{label:22s}" + "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))

    lines = [line("microseconds an image", versions)]
    for part in (AUGMENTATION, *PARTS, REST):
        lines.append(
            line(part, (f"{one.shares[part] * one.microseconds_per_image:.1f}" for one in versions.values()))
        )
    lines.append(line("step", (f"{one.microseconds_per_image:.1f}" for one in versions.values())))
    return "\n".join(lines)


def plot_profiles(versions: Mapping[str, StepProfile]) -> Figure:
    """Draw each version's microseconds an image as a bar, stacked by part."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    left = [0.0] * len(versions)
    for index, part in enumerate((AUGMENTATION, *PARTS, REST)):
        widths = [one.shares[part] * one.microseconds_per_image for one in versions.values()]
        colour, hatch = COLOURS[index % len(COLOURS)], "//" * (index // len(COLOURS))
        axis.barh(list(versions), widths, left=left, label=part, color=colour, hatch=hatch, edgecolor="white")
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axis.bar_label(axis.containers[-1], [f" {total:.0f}" for total in left])
    axis.invert_yaxis()
    axis.margins(x=0.08)
    axis.set(title="Where a training step spends its time", xlabel="microseconds an image")
    axis.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.2))
    return figure


def main() -> None:
    """Profile every version, save, draw and print."""
    versions = {}
    for version in tqdm(VERSIONS, unit="profile"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            versions[version] = process.submit(measure_profile, version).result()
    profiles = Profiles(environment=describe_environment(torch.device("cpu")), versions=versions)
    write_text_atomically(resolve(PROFILE), profiles.model_dump_json(indent=1) + "\n")
    plot_profiles(versions).savefig(resolve(PICTURE), dpi=100)
    print(format_profiles(versions))


if __name__ == "__main__":
    main()
