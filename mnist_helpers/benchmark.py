"""What each gain in speed is worth: an epoch of the plain torchvision version and of ours, step by step, in one run.

`make bench` writes `outputs/benchmark.json` and `outputs/benchmark.png`. Seconds are the machine's; read the ratios.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn
from tqdm import tqdm

from mnist_helpers.augment import augment
from mnist_helpers.config import RunConfig, make_config
from mnist_helpers.data import Split, load_split
from mnist_helpers.evaluation import evaluate
from mnist_helpers.files import write_text_atomically
from mnist_helpers.layers import accelerate
from mnist_helpers.models import build_model
from mnist_helpers.optim import make_optimizer
from mnist_helpers.paths import resolve
from mnist_helpers.plots import BLUE, GREY, WIDTH
from mnist_helpers.reference import evaluate_with_loader, reference_loader
from mnist_helpers.results import describe_environment
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
    """Return the seconds of one epoch, evaluation on validation and test images included.

    Training is timed over `batches` batches after a warm-up and scaled to the whole epoch.
    """
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
        inputs = cycle(reference_loader(split.train, config, training=True, on_tensors=version == REFERENCE))
    else:
        inputs = _batched(config, split)
    for batch in islice(inputs, WARM_UP):
        train_step(model, *batch, optimizer)
    training = _timed(lambda: [train_step(model, *batch, optimizer) for batch in islice(inputs, batches)])
    evaluation = _timed(lambda: _evaluate(version, model, config, split))
    return training / batches * len(split.train) / config.batch_size + evaluation


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _batched(config: RunConfig, split: Split) -> Iterator[Sequence[Tensor]]:
    while True:
        for indices in torch.randperm(len(split.train)).split(config.batch_size):
            batch = split.train.take(indices)
            yield augment(batch.pixels, config.augmentation), batch.targets


def _evaluate(version: str, model: nn.Module, config: RunConfig, split: Split) -> None:
    for images in (split.validation, split.test):
        if version in (REFERENCE, PIL):
            evaluate_with_loader(model, reference_loader(images, config, training=False))
        else:
            evaluate(model, images)


def _repeat(results: Connection, config: RunConfig, batches: int) -> None:
    split = load_split(config.data_dir, config.validation_size, config.train_size, config.seed)
    for version in VERSIONS:
        results.send(epoch_seconds(version, config, split, batches))


def measure(config: RunConfig, batches: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of an epoch of every version, `repeats` times, the versions taking turns.

    Every repeat is a process of its own: keeping freed memory cannot be undone in one that has begun.
    """
    seconds: dict[str, list[float]] = {version: [] for version in VERSIONS}
    context = multiprocessing.get_context("spawn")
    with tqdm(total=repeats * len(VERSIONS), unit="measurement") as bar:
        for _ in range(repeats):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_repeat, args=(sender, config, batches))
            process.start()
            sender.close()
            for version in VERSIONS:
                bar.set_postfix_str(version)
                seconds[version].append(receiver.recv())
                bar.update()
            process.join()
    return seconds


def summarise(seconds: dict[str, list[float]]) -> dict[str, dict[str, float | list[float]]]:
    """Return each version's seconds, their median, and the median ratio to each plain version of the same repeat."""
    return {
        version: {
            "seconds": [round(value, 3) for value in values],
            "median_seconds": round(statistics.median(values), 3),
            "ratio_to_reference": _median_ratio(values, seconds[REFERENCE]),
            "ratio_to_pil": _median_ratio(values, seconds[PIL]),
        }
        for version, values in seconds.items()
    }


def _median_ratio(mine: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(mine, theirs, strict=True)), 4)


def plot(summary: dict[str, dict[str, float | list[float]]], path: Path) -> None:
    """Draw the median seconds of each version as bars, with the ratio to the reference on each."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
    medians = [entry["median_seconds"] for entry in summary.values()]
    bars = axis.barh(list(summary), medians, color=[GREY, GREY, *[BLUE] * (len(medians) - 2)])
    axis.bar_label(bars, [f" {entry['ratio_to_reference']:.2f}×" for entry in summary.values()])
    axis.invert_yaxis()
    axis.set(title="One epoch, training and evaluation, on a CPU", xlabel="seconds (median)")
    axis.margins(x=0.1)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.benchmark", description=__doc__)
    parser.add_argument("--batches", type=int, default=100, help="training batches timed each time")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output-dir", default="outputs")
    options = parser.parse_args(arguments)
    config = make_config(output_dir=options.output_dir, device="cpu")
    summary = summarise(measure(config, options.batches, options.repeats))
    record = {
        "what": "seconds of one epoch of the final network, training and evaluation",
        "batch_size": config.batch_size,
        "batches_timed": options.batches,
        "environment": describe_environment(torch.device("cpu")).model_dump(),
        "versions": summary,
    }
    folder = resolve(options.output_dir)
    write_text_atomically(folder / "benchmark.json", json.dumps(record, indent=1) + "\n")
    plot(summary, folder / "benchmark.png")
    for version, entry in summary.items():
        ratios = f"{entry['ratio_to_reference']:.2f}× {entry['ratio_to_pil']:.2f}×"
        print(f"{version:38s} {entry['median_seconds']:8.1f} s {ratios}")


if __name__ == "__main__":
    main()
