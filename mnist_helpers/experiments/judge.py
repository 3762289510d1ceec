"""Judged by writers of whom nothing was trained on: the final network and its parts, every idea, every step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mnist_helpers.experiments.experiment import ABLATIONS, BY_WRITERS, SEEDS, SHORT, Experiment
from mnist_helpers.experiments.ideas import IDEAS, UNCHANGED, Found, format_gain
from mnist_helpers.experiments.speedups import STEPS, TRIED
from mnist_helpers.sweeps import differences, format_spread, read_study, sign_flip_p, spread


def _again(experiment: Experiment, **settings: object) -> Experiment:
    name = f"writers_{experiment.name.removeprefix('idea_')}"
    # ten seeds hold out every fold of writers twice
    return replace(experiment, name=name, settings=experiment.settings | BY_WRITERS | settings, seeds=SEEDS)


FINAL = Experiment("writers_final", "the final network, 15 epochs", BY_WRITERS, SEEDS)
# all but the last two ablations, which are of the rate too; here with all fifteen epochs
PARTS = tuple(
    _again(Experiment(f"final_{each.name}", each.change, {k: v for k, v in each.settings.items() if k not in SHORT}))
    for each in (Experiment("without_augmentation", "no augmentation", {"augmentation": None}), *ABLATIONS[:-2])
)
UNCHANGED_AGAIN, IDEAS_AGAIN = _again(UNCHANGED), tuple(map(_again, IDEAS))
# where an idea pads maps as well, it is held against a network that only pads them
PADDED = {
    f"writers_{idea}": _again(replace(UNCHANGED, name=plan, change="padded alike"), model=f"compact_{plan}")
    for idea, plan in (("early_pool", "padded_behind"), ("residual", "padded_both"))
}
# the first step is the final network
STEPS_AGAIN, TRIED_AGAIN = (FINAL, *map(_again, STEPS[1:])), tuple(map(_again, TRIED))
AGAINST: dict[str, Experiment] = {  # what each changes one thing of, by its name
    **{part.name: FINAL for part in PARTS},
    **{idea.name: UNCHANGED_AGAIN for idea in IDEAS_AGAIN},
    **PADDED,
    **{step.name: before for before, step in pairwise(STEPS_AGAIN)},
    **{tried.name: STEPS_AGAIN[-1] for tried in TRIED_AGAIN},
}
GROUPS = {
    "judge-final": (FINAL, *PARTS),
    "judge-ideas": (UNCHANGED_AGAIN, *PADDED.values(), *IDEAS_AGAIN),
    "judge-steps": (*STEPS_AGAIN[1:], *TRIED_AGAIN),
}


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for many comparisons (Holm 1979, A simple sequentially rejective procedure)."""
    order, count = np.argsort(p_values), len(p_values)
    raised = np.asarray(p_values)[order] * (count - np.arange(count))
    corrected = np.empty(count)
    corrected[order] = np.maximum.accumulate(raised).clip(max=1)
    return corrected.tolist()


def read_verdicts(
    experiments: Sequence[Experiment], against: Mapping[str, Experiment] = AGAINST
) -> list[tuple[Found, float]]:
    """Return what each, one of `against`, did, and its sign-flip p corrected for all; all must have been run."""
    pairs = [(read_study(each.name), read_study(against[each.name].name)) for each in experiments]
    by_seed = [differences(study, base, "validation_accuracy") for study, base in pairs]
    corrected = holm([sign_flip_p(each) for each in by_seed])
    return [
        (Found(each, study, spread(gains)), p)
        for each, (study, _), gains, p in zip(experiments, pairs, by_seed, corrected, strict=True)
    ]


def format_verdicts(verdicts: Sequence[tuple[Found, float]]) -> str:
    """Return one line a change: held-out accuracy, gain in points with its 95 % interval, corrected p, pairs."""
    lines = [f"{'':37s} {'held-out':>15s} {'gain':>6s} {'95 % interval':>15s} {'p, Holm':>8s}  n"]
    for each, p in verdicts:
        accuracy = format_spread(each.study.validation_accuracy)
        lines.append(f"{each.tried.change:37s} {accuracy:>15s} {format_gain(each.gain)} {p:8.3f} {each.gain.n:2d}")
    return "\n".join(lines)
