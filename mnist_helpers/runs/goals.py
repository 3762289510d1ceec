"""Where a network has got to against the course's three goals."""

from mnist_helpers.networks import PARAMETER_BUDGET
from mnist_helpers.training import EPOCH_BUDGET

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
