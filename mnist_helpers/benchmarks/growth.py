"""How a recipe's cost grows with images, batch size and threads, how near it comes to the machine, its memory."""

import sys
from collections.abc import Iterator
from functools import partial

import psutil
import torch
from matplotlib.figure import Figure
from pydantic import BaseModel

from mnist_helpers.benchmarks.measure import Measured, Taken, timed
from mnist_helpers.data import Images
from mnist_helpers.looking import BLUE, panels
from mnist_helpers.networks import build_model, layer_table, training_multiply_adds
from mnist_helpers.runs import RunConfig, make_config
from mnist_helpers.training import TRAINING_IMAGES, fit

IMAGES = (7_500, 15_000, 30_000, 59_950)
BATCH_SIZES = (32, 64, 128, 256, 512, 1024)
MATRIX = 2048  # rows and columns: large enough to reach what the machine can do
MATRIX_PRODUCT = f"product of two {MATRIX}×{MATRIX} float32 matrices"
WHOLE = "whole recipe"
BY_IMAGES, BY_BATCH, BY_THREADS = "{} images", "batches of {}", "{} threads"
recipe = partial(make_config, model="fast", device="cpu")


class Arithmetic(BaseModel, frozen=True):
    """What share of the machine's matrix product a training reaches, in multiplications and additions a second."""

    matrix_product_gflops: float
    training_gflops: float
    share: float


def measure_growth(repeat: int) -> Iterator[Taken]:
    """Time the fast recipe as it is and with one thing changed at a time; all but the first for one epoch."""
    whole, one_epoch = recipe(seed=repeat), recipe(epochs=1)
    images = whole.split().train
    factors = torch.rand(2, MATRIX, MATRIX)
    torch.mm(*factors)
    yield Taken(MATRIX_PRODUCT, timed(lambda: torch.mm(*factors))[0])
    seconds = _seconds(whole, images)
    yield Taken(WHOLE, seconds, peak_memory_bytes=peak_memory())
    for count in IMAGES:
        yield Taken(BY_IMAGES.format(count), _seconds(one_epoch, images.take(torch.arange(count))))
    for size in BATCH_SIZES:
        yield Taken(BY_BATCH.format(size), _seconds(one_epoch.but(batch_size=size), images))
    for number in range(1, torch.get_num_threads() + 1):
        torch.set_num_threads(number)
        yield Taken(BY_THREADS.format(number), _seconds(one_epoch, images))


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # Windows has none

    # kibibytes on Linux, bytes on macOS: https://man7.org/linux/man-pages/man2/getrusage.2.html
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _seconds(config: RunConfig, images: Images) -> float:
    return timed(lambda: fit(config.build, images, config))[0]


def arithmetic(measured: dict[str, Measured]) -> Arithmetic:
    """Return how many floating-point operations a second the recipe reaches, and the matrix product beside it."""
    config, rows = recipe(), layer_table(build_model("fast"))
    # each block of this network has one convolution
    frozen = [sum(epoch >= last for last in config.learning_epochs) for epoch in range(config.epochs)]
    per_image = sum(training_multiply_adds(rows, count) for count in frozen)
    training = 2 * (TRAINING_IMAGES - config.validation_size) * per_image / measured[WHOLE].median_seconds
    product = 2 * MATRIX**3 / measured[MATRIX_PRODUCT].median_seconds
    return Arithmetic(
        matrix_product_gflops=round(product / 1e9, 1),
        training_gflops=round(training / 1e9, 1),
        share=round(training / product, 3),
    )


def format_arithmetic(found: Arithmetic) -> str:
    """Return three lines: what the matrix product reaches, what the training reaches, and its share."""
    return (
        f"matrix product  {found.matrix_product_gflops:6.0f} billion operations a second\n"
        f"training        {found.training_gflops:6.0f}\nshare           {found.share:6.0%}"
    )


def plot_growth(measured: dict[str, Measured]) -> Figure:
    """Draw the seconds of an epoch against images, batch size and threads."""
    figure, axes = panels(3, 1, 3, sharey=True)
    threads = range(1, sum(name.endswith(" threads") for name in measured) + 1)
    curves = (
        (IMAGES, BY_IMAGES, "images"), (BATCH_SIZES, BY_BATCH, "images a batch"), (threads, BY_THREADS, "threads"),
    )  # fmt: skip
    for axis, (values, name, label) in zip(axes, curves, strict=True):
        axis.plot(values, [measured[name.format(value)].median_seconds for value in values], "o-", color=BLUE)
        axis.set_xlabel(label)
    axes[0].set_xticks(range(0, 60_001, 20_000), [f"{count:,}" for count in range(0, 60_001, 20_000)])
    axes[1].set_xscale("log", base=2)
    axes[1].xaxis.set_major_formatter("{x:g}")
    axes[2].set_xticks(threads)
    axes[0].set(ylabel="seconds an epoch (median)", ylim=(0, None))
    figure.suptitle("What an epoch of the fast recipe costs")
    return figure
