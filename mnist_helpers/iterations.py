"""The course's iterations and their ablations: the settings of each, run over several seeds by `make studies`.

Every iteration changes one thing. All but the final network train for four epochs on 55,000 images; choices were made
by the 5,000 held out.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mnist_helpers.config import Augmentation
from mnist_helpers.sweep import add_engine_options, run_from_options, run_studies

SHORT = {"epochs": 4, "validation_size": 5_000}
# of 0.01, 0.03 and 0.1 the constant rate at which every one of these networks learns
CONSTANT = {**SHORT, "schedule": "constant", "max_lr": 0.03}
PLAIN = {**CONSTANT, "augmentation": None}

NO_AFFINE = {"degrees": 0, "translate": 0, "scale": (1, 1), "shear": 0}
NO_COLOUR = {"brightness": 0, "contrast": 0}
NO_ERASING = {"erasing_p": 0}


@dataclass(frozen=True)
class Iteration:
    """One step of the course; `name` is that of its record in `outputs/studies`."""

    name: str
    notebook: str
    change: str
    settings: dict[str, Any]


ITERATIONS = (
    Iteration("baseline", "02_baseline", "pytorch/examples' network", {**PLAIN, "model": "baseline"}),
    Iteration("skeleton", "03_skeleton", "convolutions, a global average", {**PLAIN, "model": "skeleton"}),
    Iteration("batchnorm", "04_batchnorm_and_dropout", "+ BatchNorm", {**PLAIN, "model": "batchnorm"}),
    Iteration("dropout", "04_batchnorm_and_dropout", "+ dropout", {**PLAIN, "model": "final"}),
    Iteration("augmentation", "05_augmentation", "+ augmentation", CONSTANT),
    Iteration("onecycle", "06_learning_rate", "+ OneCycle, peak 0.1", SHORT),
    Iteration("final", "07_final_model", "15 epochs, 59,950 images", {}),
)

# beyond the course's goal; every one with its own recipe, on 59,950 images
FASTER = (
    Iteration("fast", "09_faster", "fast: strided, 3 epochs", {"model": "fast"}),
    Iteration("sprint", "09_faster", "sprint: the same, 1 epoch", {"model": "sprint"}),
)

SMALLER = (
    Iteration("tiny", "10_smaller_and_better", "tiny: how few hold 99.4 %", {"model": "tiny"}),
    Iteration("best", "10_smaller_and_better", "best: how much 20,000 hold", {"model": "best"}),
)

# against `onecycle`, whose falling rate lets small differences show
ABLATIONS: dict[str, dict[str, Any]] = {
    "without_augmentation": {**SHORT, "augmentation": None},
    "without_affine": {**SHORT, "augmentation": Augmentation(**NO_AFFINE)},
    "without_colour": {**SHORT, "augmentation": Augmentation(**NO_COLOUR)},
    "without_erasing": {**SHORT, "augmentation": Augmentation(**NO_ERASING)},
    "without_dropout": {**SHORT, "model": "batchnorm"},
    # a rate of 0.1 teaches it nothing (notebook 04)
    "without_batchnorm": {**SHORT, "model": "skeleton", "max_lr": 0.03},
    "constant_rate_0.1": {**SHORT, "schedule": "constant"},
}
SEEDS = (0, 1, 2)


def studies() -> dict[str, dict[str, Any]]:
    """Return the settings of every short study by name, iterations first; `make seeds` runs the final one."""
    return {step.name: step.settings for step in ITERATIONS if step.settings} | ABLATIONS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named studies, or all the short ones; what is on record is not repeated."""
    named = {step.name: step.settings for step in (*ITERATIONS, *FASTER, *SMALLER)} | ABLATIONS
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.iterations", description=__doc__)
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help=", ".join(named))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(named):
        parser.error(f"no study is called {', '.join(sorted(unknown))}; there are {', '.join(named)}")
    chosen = {name: named[name] for name in options.names or studies()}
    return run_from_options(options, lambda **how: run_studies(chosen, options.seeds, **how))


if __name__ == "__main__":
    sys.exit(main())
