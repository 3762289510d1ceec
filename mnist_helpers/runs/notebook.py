"""The configuration of a notebook's run: what its cell says, and what papermill was given besides."""

import ast
import sys
from collections.abc import Sequence
from typing import Any

from mnist_helpers.runs.config import RunConfig, make_config

PAPERMILL_HEADER = "# Parameters\n"


def notebook_config(**parameters: Any) -> RunConfig:
    """Return the checked configuration of these parameters.

    papermill puts its values into a cell of its own and only warns when the notebook has no such parameter; the run
    would then silently go without. Here a parameter that the notebook does not name is used if a run has it, and
    otherwise stops the run. Outside papermill, this is `make_config`. Raises ConfigError: one line for each parameter
    that is unknown or not allowed.
    """
    return make_config(**parameters, **{k: v for k, v in injected().items() if k not in parameters})


def injected() -> dict[str, Any]:
    """Return what papermill set in the running kernel, by name and in order; nothing where there is no kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return {name: shell.user_ns[name] for name in injected_names(shell.user_ns.get("In", []))} if shell else {}


def injected_names(executed_cells: Sequence[str]) -> list[str]:
    """Return the names papermill set, from the sources of the cells run so far: its own has a header."""
    names = []
    for source in executed_cells:
        if source.startswith(PAPERMILL_HEADER):
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.Assign):
                    names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return names
