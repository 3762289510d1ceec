"""What papermill injected into a notebook, so that a misspelt parameter stops the run instead of being ignored."""

import ast
from collections.abc import Sequence

PAPERMILL_HEADER = "# Parameters\n"


def injected_parameters(executed_cells: Sequence[str]) -> list[str]:
    """Return the names papermill set, in order.

    papermill writes its values into a cell of its own that starts with `# Parameters`, and only warns when the
    notebook has no such parameter; the run would then silently use the default.

    Args:
        executed_cells: source of the cells run so far; IPython keeps it in `In`.
    """
    names = []
    for source in executed_cells:
        if source.startswith(PAPERMILL_HEADER):
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.Assign):
                    names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return names
