"""All notebooks of the course changed in the same way: only those that become others are written."""

from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import display_path, resolve


def rewrite(change: Callable[[NotebookNode, str], object]) -> None:
    """Let `change(notebook, its path in the project)` change each notebook in place; print which are new."""
    for path in sorted(resolve("notebooks").rglob("[0-9][0-9]_*.ipynb")):
        notebook = nbformat.reads(before := path.read_text(encoding="utf-8"), as_version=4)
        change(notebook, display_path(path))
        if (after := nbformat.writes(notebook) + "\n") != before:
            write_text_atomically(path, after)
            print(display_path(path))
