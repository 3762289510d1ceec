"""Judged by writers of whom nothing was trained on: the final network and its parts, every idea, every step.

Ten runs each, seed by seed, so that every fold of writers is held out twice; one change at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mnist_helpers.data import Augmentation
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.experiments.ideas import IDEAS, UNCHANGED
from mnist_helpers.experiments.speedups import STEPS, TRIED
from mnist_helpers.sweeps import differences, format_spread, mean_interval, read_study, sign_flip_p, spread

BY_WRITERS = {"held_out": "writers", "validation_size": 11_000}
SEEDS = range(10)


def _again(experiment: Experiment, **settings: object) -> Experiment:
    name = f"writers_{experiment.name.removeprefix('idea_').removeprefix('writers_')}"
    return replace(experiment, name=name, settings=experiment.settings | BY_WRITERS | settings, seeds=SEEDS)


FINAL = Experiment("writers_final", "the final network, 15 epochs", BY_WRITERS, SEEDS)
PARTS = (
    _again(Experiment("final_without_augmentation", "no augmentation", {"augmentation": None})),
    _again(
        Experiment("final_without_affine", "no geometry", {}),
        augmentation=Augmentation(degrees=0, translate=0, scale=(1, 1), shear=0),
    ),
    _again(
        Experiment("final_without_colour", "no brightness, contrast", {}),
        augmentation=Augmentation(brightness=0, contrast=0),
    ),
    _again(Experiment("final_without_erasing", "no blanking", {}), augmentation=Augmentation(erasing_p=0)),
    _again(Experiment("final_without_dropout", "no dropout", {"model": "batchnorm"})),
)
UNCHANGED_AGAIN, IDEAS_AGAIN = _again(UNCHANGED), tuple(map(_again, IDEAS))
# where an idea pads maps as well, it is held against a network that only pads them
PADDED = {
    "writers_early_pool": _again(UNCHANGED, model="compact_padded_behind"),
    "writers_residual": _again(UNCHANGED, model="compact_padded_both"),
}
PADDED = {
    idea: replace(each, name=f"writers_{each.settings['model'].removeprefix('compact_')}", change="padded alike")
    for idea, each in PADDED.items()
}
# the first step is the final network
STEPS_AGAIN, TRIED_AGAIN = (FINAL, *map(_again, STEPS[1:])), tuple(map(_again, TRIED))
AGAINST: dict[str, Experiment] = {
    **{part.name: FINAL for part in PARTS},
    **{idea.name: UNCHANGED_AGAIN for idea in IDEAS_AGAIN},
    **PADDED,
    **{step.name: before for before, step in pairwise(STEPS_AGAIN)},
    **{tried.name: STEPS_AGAIN[-1] for tried in TRIED_AGAIN},
}
"""What each changes one thing of, by its name."""
GROUPS = {
    "judge-final": (FINAL, *PARTS),
    "judge-ideas": (UNCHANGED_AGAIN, *PADDED.values(), *IDEAS_AGAIN),
    "judge-steps": (*STEPS_AGAIN[1:], *TRIED_AGAIN),
}


@dataclass(frozen=True)
class Verdict:
    """What held-out writers say of a change, over the seeds that it and what it changes have."""

    experiment: Experiment
    accuracy: str
    gain: float
    """Mean over seeds of the difference in held-out accuracy, as a share."""
    interval: tuple[float, float]
    p: float
    """Of a sign-flip test, corrected for all that are judged together."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for many comparisons (Holm 1979, A simple sequentially rejective procedure)."""
    order, count = np.argsort(p_values), len(p_values)
    raised = np.asarray(p_values)[order] * (count - np.arange(count))
    corrected = np.empty(count)
    corrected[order] = np.maximum.accumulate(raised).clip(max=1)
    return corrected.tolist()


def judge(experiments: Sequence[Experiment]) -> list[Verdict]:
    """Return the verdict on each experiment that changes another, all of them judged together.

    Raises:
        FileNotFoundError: one has not been run.
    """
    chosen = [each for each in experiments if each.name in AGAINST]
    pairs = [(read_study(each.name), read_study(AGAINST[each.name].name)) for each in chosen]
    by_seed = [differences(study, base, "validation_accuracy") for study, base in pairs]
    corrected = holm([sign_flip_p(each) for each in by_seed])
    return [
        Verdict(each, format_spread(study.validation_accuracy), spread(gains).mean, mean_interval(spread(gains)), p)
        for each, (study, _), gains, p in zip(chosen, pairs, by_seed, corrected, strict=True)
    ]


def format_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Return one line a change: held-out accuracy, gain in points with its 95 % interval, corrected p-value."""
    lines = [f"{'':36s} {'held-out':>15s} {'gain':>6s} {'95 % interval':>15s} {'p, Holm':>8s}"]
    for each in verdicts:
        low, high = (100 * limit for limit in each.interval)
        lines.append(
            f"{each.experiment.change:36s} {each.accuracy:>15s} {100 * each.gain:+6.2f} "
            f"{f'{low:+.2f} to {high:+.2f}':>15s} {each.p:8.3f}"
        )
    return "\n".join(lines)
