"""What an experiment is; the course's own: iterations, one change each, ablations, the networks beyond its goal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mnist_helpers.data import Augmentation


@dataclass(frozen=True)
class Experiment:
    """One change, in a part of this kind, told of by this notebook; its record in `outputs/studies` has its name."""

    name: str
    change: str
    settings: dict[str, Any] = field(hash=False)  # complete, beside the network's recipe
    seeds: Sequence[int] = range(10)
    kind: str = ""
    notebook: str = ""


SHORT = {"epochs": 4, "validation_size": 5_000}  # choices were made by the images held out
# of 0.01, 0.03 and 0.1 the constant rate at which each of these networks learnt with three seeds; of ten, the
# skeleton hardly learns with two (notebook 03)
PLAIN = {**SHORT, "schedule": "constant", "max_lr": 0.03, "augmentation": None}
SEEDS = range(10)
# nothing is read of those who wrote the digits held out; ten seeds hold out every fold of writers twice
BY_WRITERS = {"held_out": "writers", "validation_size": 11_000}

BASELINE, SKELETON, NORMALISED, RATE = "02_baseline", "03_skeleton", "04_batchnorm_and_dropout", "05_learning_rate"
ITERATIONS = (
    Experiment("baseline", "pytorch/examples' network", {**PLAIN, "model": "baseline"}, notebook=BASELINE),
    Experiment("skeleton", "convolutions, global average", {**PLAIN, "model": "skeleton"}, notebook=SKELETON),
    Experiment("batchnorm", "+ BatchNorm", {**PLAIN, "model": "batchnorm"}, notebook=NORMALISED),
    Experiment("dropout", "+ dropout", {**PLAIN, "model": "final"}, notebook=NORMALISED),
    Experiment("onecycle", "+ OneCycle, peak 0.1", {**SHORT, "augmentation": None}, notebook=RATE),
    Experiment("augmentation", "+ augmentation", SHORT, notebook="06_augmentation"),
    Experiment("final", "15 epochs, 59,950 images", {}, notebook="07_final_model"),
)

# every one with its own recipe, on 59,950 images
FASTER = (
    Experiment("fast", "fast: strided, 3 epochs", {"model": "fast"}, range(10), notebook="12_faster"),
    Experiment("sprint", "sprint: the same, 1 epoch", {"model": "sprint"}, range(10), notebook="12_faster"),
)

SMALL = "13_smaller_and_better"
SMALLER = (
    Experiment("tiny", "tiny: how few hold 99.4 %", {"model": "tiny"}, range(20), notebook=SMALL),
    Experiment("best", "best: how much 20,000 hold", {"model": "best"}, range(10), notebook=SMALL),
)


def _augmented(**ranges: float | tuple[float, float]) -> dict[str, object]:
    return {**SHORT, "augmentation": Augmentation(**ranges)}


# against `augmentation`, whose falling rate lets small differences show; without any of it it is `onecycle`
ABLATIONS = tuple(
    Experiment(name, change, settings, range(3))
    for name, change, settings in (
        ("without_affine", "no geometry", _augmented(degrees=0, translate=0, scale=(1, 1), shear=0)),
        ("without_colour", "no brightness, contrast", _augmented(brightness=0, contrast=0)),
        ("without_erasing", "no blanking", _augmented(erasing_p=0)),
        ("without_dropout", "no dropout", {**SHORT, "model": "batchnorm"}),
        # a rate of 0.1 teaches it nothing (notebook 04)
        ("without_batchnorm", "neither, at a rate of 0.03", {**SHORT, "model": "skeleton", "max_lr": 0.03}),
        ("constant_rate_0.1", "a constant rate", {**SHORT, "schedule": "constant"}),
    )
)
