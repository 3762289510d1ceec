"""What the committed notebooks say, and what they printed."""

import re
from functools import cache

import nbformat

from mnist_helpers.paths import PROJECT_ROOT


@cache
def cells(stem: str) -> list[nbformat.NotebookNode]:
    """Return the cells of `notebooks/STEM.ipynb`, read once: they are not to be changed."""
    return nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells


def markdown(stem: str) -> str:
    """Return all text as it was written, a blank line between cells."""
    return "\n\n".join(cell.source for cell in cells(stem) if cell.cell_type == "markdown")


def prose(stem: str) -> str:
    """Return all text in one line."""
    return " ".join(markdown(stem).split())


def printed(stem: str) -> str:
    """Return all that the cells printed."""
    outputs = [output for cell in cells(stem) if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def numbers(pattern: str, text: str) -> list[float]:
    """Return the groups of the first place where `pattern` is found; AssertionError: it is nowhere."""
    found = re.search(pattern, text)
    assert found, pattern
    return [float(group.replace(",", "")) for group in found.groups()]
