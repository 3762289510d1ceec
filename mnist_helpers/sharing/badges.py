"""Badges that open a notebook on Colab or Binder, and the cell that fetches the course on Colab (`make badges`).

Both need the repository's address, which pyproject.toml has; while it has none, no notebook has them.
"""

import argparse
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sharing.rewriting import rewrite

CELL, OLD = "colab", re.compile(r"\n+(- )?\[!\[Open in Colab\].*(\n  .*)?")  # a paragraph, or an item of a list
LINE, CODE = (Path(__file__).with_suffix("") / name for name in ("line.md", "cell.txt"))


def repository() -> str:
    """Return the repository's address, such as https://github.com/OWNER/NAME, or '' while pyproject.toml has none."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("repository", "").rstrip("/")


def set_badges(notebook: NotebookNode, path: str, address: str) -> None:
    """Give a notebook the badges and the cell of this address, in place of those it has; '' takes them away."""
    line, code = (file.read_text(encoding="utf-8").strip() for file in (LINE, CODE))
    cells = [cell for cell in notebook.cells if cell.id != CELL]
    # the new cell runs first: the counts of the others move
    moved = len(cells) - len(notebook.cells) + bool(address)
    for part in [part for cell in cells for part in (cell, *cell.get("outputs", ()))]:
        if part.get("execution_count"):
            part.execution_count += moved
    cells[0].source = OLD.sub("", cells[0].source)
    if address:
        line = line.replace("NAME", address.removeprefix("https://github.com/"))
        cells[0].source += f"\n\n{line.replace('PATH', path)}"
        cells.insert(1, nbformat.v4.new_code_cell(code.replace("ADDRESS", address), id=CELL, execution_count=1))
    notebook.cells = cells


def main(arguments: Sequence[str] | None = None) -> int:
    """Write badges and the cell into every notebook, or take them away; print which notebooks are new."""
    argparse.ArgumentParser(prog="python -m mnist_helpers badges", description=__doc__).parse_args(arguments)
    rewrite(lambda notebook, path: set_badges(notebook, path, repository()))
    return 0
