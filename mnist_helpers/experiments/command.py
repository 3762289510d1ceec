"""Any experiment by its name or its group's, run where it is not on record, and what came of it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mnist_helpers.experiments import judge, judges
from mnist_helpers.experiments.aims import CANDIDATES, TESTED
from mnist_helpers.experiments.experiment import ABLATIONS, FASTER, ITERATIONS, Experiment
from mnist_helpers.experiments.frontier import FRONTIER
from mnist_helpers.experiments.ideas import IDEAS, UNCHANGED
from mnist_helpers.experiments.speedups import STEPS, TRIED
from mnist_helpers.sweeps import add_engine_options, run_from_options, run_studies

GROUPS: dict[str, tuple[Experiment, ...]] = {
    "course": ITERATIONS,
    "ablations": ABLATIONS,
    "faster": FASTER,
    "speedups": (*STEPS, *TRIED),
    "ideas": (UNCHANGED, *IDEAS),
    "frontier": FRONTIER,
    **judge.GROUPS,
    "aims": CANDIDATES,
    "aims-tested": TESTED,
    "judges": tuple(each for each in judges.JUDGED.values() if each not in STEPS),
}


def choose(names: Sequence[str]) -> dict[str, Experiment]:
    """Return the experiments of these names and groups in order, each once, of no name all; ValueError if unknown."""
    every = {each.name: each for group in GROUPS.values() for each in group}
    if unknown := [name for name in names if name not in every and name not in GROUPS]:
        raise ValueError(
            f"no experiment is called {', '.join(unknown)}; there are the groups {', '.join(GROUPS)}, and of them "
            f"{', '.join(every)}"
        )
    return {each.name: each for name in names or GROUPS for each in GROUPS.get(name) or (every[name],)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen experiments with their seeds; what is on record is not repeated."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers experiments", description=__doc__)
    groups = ", ".join(GROUPS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"experiments or groups of {groups} (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of each one's own")
    add_engine_options(parser)
    options = parser.parse_args(arguments)
    try:
        chosen = choose(options.names)
    except ValueError as error:
        parser.error(str(error))
    settings = {name: each.settings for name, each in chosen.items()}
    seeds = {name: options.seeds or each.seeds for name, each in chosen.items()}
    status = run_from_options(options, lambda **how: run_studies(settings, seeds, **how))
    if not status and (changes := [each for each in chosen.values() if each.name in judge.AGAINST]):
        try:
            print(judge.format_verdicts(judge.read_verdicts(changes)))
        except FileNotFoundError as error:
            base = Path(str(error).partition(" is not there")[0]).stem
            print(f"no verdicts yet: {base}, which they are held against, was not run")
    return status
