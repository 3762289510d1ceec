"""Any experiment by its name or its group's, run where it is not on record, and what came of it."""

import argparse
from collections.abc import Sequence

from mnist_helpers.experiments.course import ABLATIONS, FASTER, ITERATIONS
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.experiments.frontier import FRONTIER, format_frontier
from mnist_helpers.experiments.ideas import IDEAS, UNCHANGED, format_ideas, look_up
from mnist_helpers.experiments.speedups import STEPS, TRIED
from mnist_helpers.sweeps import Study, add_engine_options, format_studies, run_from_options, run_studies

GROUPS: dict[str, tuple[Experiment, ...]] = {
    "course": ITERATIONS,
    "ablations": ABLATIONS,
    "faster": FASTER,
    "speedups": (*STEPS, *TRIED),
    "ideas": (UNCHANGED, *IDEAS),
    "frontier": FRONTIER,
}


def choose(names: Sequence[str]) -> dict[str, Experiment]:
    """Return the experiments of these names and groups in order, each once; of no name, all.

    Raises:
        ValueError: there is no such name; the message says which, and which there are.
    """
    every = {each.name: each for group in GROUPS.values() for each in group}
    if unknown := [name for name in names if name not in every and name not in GROUPS]:
        raise ValueError(
            f"no experiment is called {', '.join(unknown)}; there are the groups {', '.join(GROUPS)}, and of them "
            f"{', '.join(every)}"
        )
    found = [each for name in names or GROUPS for each in GROUPS.get(name) or (every[name],)]
    return {each.name: each for each in found}


def format_found(studies: Sequence[Study]) -> str:
    """Return accuracies as a table; what ideas gain, and networks by size with intervals, in tables of their own."""
    several = {study.name: study for study in studies if study.test_accuracy.n > 1}  # an interval needs two
    ideas = [each for each in IDEAS if {each.name, UNCHANGED.name} <= several.keys()]
    sizes = [several[each.name] for each in FRONTIER if each.name in several]
    told = {UNCHANGED.name, *(each.name for each in ideas)} if ideas else set()
    others = [study for study in studies if study.name not in told and study not in sizes]
    tables = [format_studies(others)] if others else []
    tables += [format_ideas([look_up(each) for each in ideas])] if ideas else []
    return "\n\n".join(tables + ([format_frontier(sizes)] if sizes else []))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen experiments with their seeds; what is on record is not repeated."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers experiments", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"an experiment or a group of {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of each one's own")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    try:
        chosen = choose(options.names)
    except ValueError as error:
        parser.error(str(error))
    settings = {name: each.settings for name, each in chosen.items()}
    seeds = {name: options.seeds or each.seeds for name, each in chosen.items()}
    return run_from_options(options, lambda **how: run_studies(settings, seeds, **how), format_found)
