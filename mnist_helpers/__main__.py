"""Every command of the project: `python -m mnist_helpers COMMAND`, which the Makefile calls."""

import gc
import importlib
import sys
from collections.abc import Sequence

from mnist_helpers.paths import INSTALLED, PROJECT_ROOT

COMMANDS = {
    "environment": "environment:main",
    "check-model": "commands:check_model",
    "check-params": "commands:check_params",
    "check-goal": "commands:check_goal",
    "view-results": "commands:view_results",
    "train": "commands:train",
    "publish": "commands:publish",
    "seal": "commands:seal",
    "derive-writers": "data.writers:main",
    "sweep": "sweeps.sweep:main",
    "experiments": "experiments.command:main",
    "time-speedups": "experiments.speedups:main",
    "time-sooner": "experiments.aims:main",
    "ledger": "experiments.ledger:main",
    "frontier": "experiments.frontier:main",
    "benchmark": "benchmarks.benchmark:main",
    "bench-gpu": "benchmarks.benchmark:main_gpu",
    "profile": "benchmarks.profiles:main",
    "read": "handwriting.command:main",
    "check-reading": "handwriting.proof:main",
    "models": "sharing.models:main",
    "page": "sharing.page:main",
    "bench-page": "benchmarks.page:main",
    "site": "sharing.site:main",
    "handouts": "sharing.handouts:main",
    "badges": "sharing.badges:main",
    "alt-text": "sharing.alt_text:main",
    "torture": "trust.command:main",
    "assess": "assessment.command:main",
}


def main(arguments: Sequence[str]) -> int:
    """Run a command with the arguments that follow it; return its exit status, 2 where there is no such command."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: python -m mnist_helpers COMMAND, one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    # a terminal that knows ASCII alone shows a question mark rather than nothing
    sys.stdout.reconfigure(errors="replace")
    if INSTALLED:
        print(f"without a clone of the project: data and outputs are below {PROJECT_ROOT}", file=sys.stderr)
    module, function = COMMANDS[arguments[0]].split(":")
    gc.disable()  # what imports make stays: to look for garbage in it takes a second
    room = importlib.import_module(f"mnist_helpers.{module}")
    gc.enable()
    return getattr(room, function)(arguments[1:])


if __name__ == "__main__":
    status = main(sys.argv[1:])
    if "triton" not in sys.modules:  # which complains of what is not freed
        gc.freeze()  # the process ends: looking for garbage takes another second
    sys.exit(status)
