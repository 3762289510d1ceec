"""Where a network has got to against the course's three goals.

`python -m mnist_helpers.goals FOLDER ...` (`make check-goal`) judges finished runs by the mean over them.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence

from mnist_helpers.config import EPOCH_BUDGET, PARAMETER_BUDGET, PUBLISHED_FOLDER
from mnist_helpers.paths import resolve
from mnist_helpers.results import read_results

ACCURACY_GOAL = 0.994


def check_goals(accuracy: float, parameters: int, epochs: int) -> dict[str, bool]:
    """Return each goal with what was found, and whether it is reached; `accuracy` is a share, a mean over seeds."""
    return {
        f"test accuracy above {ACCURACY_GOAL:.1%}, mean over seeds: {accuracy:.2%}": accuracy > ACCURACY_GOAL,
        f"fewer than {PARAMETER_BUDGET:,} parameters: {parameters:,}": parameters < PARAMETER_BUDGET,
        f"fewer than {EPOCH_BUDGET} epochs: {epochs}": epochs < EPOCH_BUDGET,
    }


def format_goals(accuracy: float, parameters: int, epochs: int) -> str:
    """Return one line a goal, `yes` or `no`."""
    found = check_goals(accuracy, parameters, epochs)
    return "\n".join(f"{'yes' if reached else 'no':4s} {goal}" for goal, reached in found.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the goals for the mean over finished runs; return 1 if one is missed."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.goals", description=__doc__)
    parser.add_argument("folders", nargs="*", default=[PUBLISHED_FOLDER], help="of runs with other seeds alike")
    runs = [read_results(resolve(folder)) for folder in parser.parse_args(arguments).folders]
    if any(
        run.config.training_differences(runs[0].config.model_copy(update={"seed": run.config.seed})) for run in runs
    ):
        parser.error("the runs differ in more than the seed; their mean would say nothing")
    found = (
        statistics.fmean(run.final_test_accuracy for run in runs),
        max(run.total_parameters for run in runs),
        max(run.total_epochs for run in runs),
    )
    print(f"runs: {len(runs)}, seeds {', '.join(str(run.config.seed) for run in runs)}")
    print(format_goals(*found))
    return 0 if all(check_goals(*found).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
