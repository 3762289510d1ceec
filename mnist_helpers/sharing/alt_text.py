"""What a blind reader is told of a figure: the caption below it, in the output's metadata (`make alt-text`)."""

import argparse
import re
from collections.abc import Sequence

from nbformat import NotebookNode

from mnist_helpers.sharing.rewriting import rewrite

IMAGE = "image/png"
LINK, MARKS = re.compile(r"\[([^\]]*)\]\([^)]*\)"), re.compile(r"[*`]")
CAPTION = re.compile(r"\*Figures?: (.+?)\*(?=\s|$)", re.DOTALL)


def describe(caption: str) -> str:
    """Return what a caption says of the figure, the part in italics, without Markdown's marks; '' for another cell.

    What stands after it in the same paragraph is for those who look: a question, where to look next.
    """
    if not (caption := CAPTION.match(caption)):
        return ""
    return " ".join(MARKS.sub("", LINK.sub(r"\1", caption[1])).split())


def set_alt_text(notebook: NotebookNode) -> list[int]:
    """Give every figure of a notebook alt text; return the cells whose figures have no caption below.

    It is what the cell's metadata says (`alt`), or else the caption.
    """
    without = []
    for index, cell in enumerate(notebook.cells):
        images = [output for output in cell.get("outputs", ()) if IMAGE in output.get("data", {})]
        following = notebook.cells[index + 1].source if index + 1 < len(notebook.cells) else ""
        if images and not describe(following):
            without.append(index)
        for output in images:
            output.metadata = output.metadata | {IMAGE: {"alt": cell.metadata.get("alt") or describe(following)}}
    return without


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the captions into all notebooks as alt text; print which are new, return 1 where a figure has none."""
    argparse.ArgumentParser(prog="python -m mnist_helpers alt-text", description=__doc__).parse_args(arguments)
    missing = []

    def change(notebook: NotebookNode, path: str) -> None:
        missing.extend(
            f"{path}: the figure of cell {cell} has no caption below it" for cell in set_alt_text(notebook)
        )

    rewrite(change)
    print(*missing, sep="\n", end="\n" * bool(missing))
    return int(bool(missing))
