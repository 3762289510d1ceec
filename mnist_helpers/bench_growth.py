"""How a recipe's cost grows with images, batch size and threads, how near it comes to the machine, its memory."""

import resource
import sys
from collections.abc import Iterator

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from mnist_helpers.config import TRIAL_FOLDER, RunConfig, make_config
from mnist_helpers.data import load_split
from mnist_helpers.layer_table import layer_table, training_multiply_adds
from mnist_helpers.measure import Measured, Taken, timed
from mnist_helpers.models import build_model
from mnist_helpers.plots import BLUE, WIDTH
from mnist_helpers.training import fit

IMAGES = (7_500, 15_000, 30_000, 59_950)
BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
MATRIX = 2048  # rows and columns: large enough to reach what the machine can do
MATRIX_PRODUCT = f"product of two {MATRIX}×{MATRIX} float32 matrices"
WHOLE = "whole recipe"


class Arithmetic(BaseModel):
    """What share of the machine's matrix product a training reaches, in multiplications and additions a second."""

    model_config = ConfigDict(frozen=True)

    per_image_and_epoch: list[int]
    """Multiply-adds of a training step for one image, in every epoch."""
    matrix_product_gflops: float
    training_gflops: float
    share: float


def _recipe(**changes: object) -> RunConfig:
    return make_config(model="fast", device="cpu", output_dir=TRIAL_FOLDER, **changes)


def names() -> list[str]:
    """Return the names of all measurements, in order."""
    threads = range(1, torch.get_num_threads() + 1)
    return [
        MATRIX_PRODUCT,
        WHOLE,
        *(f"{images} images" for images in IMAGES),
        *(f"batches of {size}" for size in BATCH_SIZES),
        *(f"{number} threads" for number in threads),
    ]


def measure_growth(repeat: int) -> Iterator[Taken]:
    """Time the fast recipe as it is and with one thing changed at a time; all but the first for one epoch."""
    config = _recipe(seed=repeat)
    images = load_split(config.data_dir, config.validation_size, None, config.seed).train
    factors = torch.rand(2, MATRIX, MATRIX)
    torch.mm(*factors)
    yield Taken(MATRIX_PRODUCT, timed(lambda: torch.mm(*factors))[0])
    seconds, _ = timed(lambda: fit(config, images))
    yield Taken(WHOLE, seconds, peak_memory_bytes=_peak_memory_bytes())
    for count in IMAGES:
        part = images.take(torch.arange(count))
        yield Taken(f"{count} images", timed(lambda part=part: fit(_recipe(epochs=1), part))[0])
    for size in BATCH_SIZES:
        yield Taken(f"batches of {size}", timed(lambda size=size: fit(_recipe(epochs=1, batch_size=size), images))[0])
    for number in range(1, torch.get_num_threads() + 1):
        torch.set_num_threads(number)
        yield Taken(f"{number} threads", timed(lambda: fit(_recipe(epochs=1), images))[0])


def _peak_memory_bytes() -> int:
    # kibibytes on Linux, bytes on macOS: https://man7.org/linux/man-pages/man2/getrusage.2.html
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def arithmetic(measured: dict[str, Measured]) -> Arithmetic:
    """Return how many floating-point operations a second the recipe reaches, and the matrix product beside it."""
    config, rows = _recipe(), layer_table(build_model("fast"))
    # each block of this network has one convolution
    frozen = [sum(epoch >= last for last in config.learning_epochs) for epoch in range(config.epochs)]
    per_image = [training_multiply_adds(rows, count) for count in frozen]
    images = config.train_size or 60_000 - config.validation_size
    training = 2 * images * sum(per_image) / measured[WHOLE].median_seconds
    product = 2 * MATRIX**3 / measured[MATRIX_PRODUCT].median_seconds
    return Arithmetic(
        per_image_and_epoch=per_image,
        matrix_product_gflops=round(product / 1e9, 1),
        training_gflops=round(training / 1e9, 1),
        share=round(training / product, 3),
    )


def format_arithmetic(found: Arithmetic) -> str:
    """Return three lines: what the matrix product reaches, what the training reaches, and its share."""
    return "\n".join(
        [
            f"matrix product  {found.matrix_product_gflops:6.0f} billion operations a second",
            f"training        {found.training_gflops:6.0f}",
            f"share           {found.share:6.0%}",
        ]
    )


def plot_growth(measured: dict[str, Measured]) -> Figure:
    """Draw the seconds of an epoch against images, batch size and threads."""
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 3), layout="constrained", sharey=True)
    threads = range(1, sum(name.endswith(" threads") for name in measured) + 1)
    _draw(axes[0], IMAGES, [measured[f"{count} images"] for count in IMAGES], "images")
    _draw(axes[1], BATCH_SIZES, [measured[f"batches of {size}"] for size in BATCH_SIZES], "images a batch")
    axes[0].set_xticks(range(0, 60_001, 20_000), [f"{count:,}" for count in range(0, 60_001, 20_000)])
    axes[1].set_xscale("log", base=2)
    axes[1].xaxis.set_major_formatter("{x:g}")
    _draw(axes[2], threads, [measured[f"{number} threads"] for number in threads], "threads")
    axes[2].set_xticks(threads)
    axes[0].set(ylabel="seconds an epoch (median)", ylim=(0, None))
    figure.suptitle("What an epoch of the fast recipe costs")
    return figure


def _draw(axis: Axes, values: range | tuple[int, ...], measured: list[Measured], label: str) -> None:
    axis.plot(values, [one.median_seconds for one in measured], "o-", color=BLUE)
    axis.set(xlabel=label)
