"""One page of A4 for each notebook, to print: all of them in one file that loads nothing (`make handouts`)."""

import argparse
import base64
import io
import re
import sys
from collections.abc import Sequence
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path

import mistune
import nbformat
from matplotlib.mathtext import math_to_image

from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.sharing.alt_text import IMAGE, describe

HANDOUTS = "outputs/own/handouts.html"
TAG = "handout"  # of the cell whose figure is printed
STYLE = Path(__file__).with_suffix(".css")
# sections that tell a notebook's main idea, before the figure and after it, and the letters that a page has room for
BEFORE = {"Target": 560, "What is asked": 340, "The split": 560}
AFTER = {"Which changes keep a digit a digit?": 1_000, "Analysis": 1_000, "The check-list": 1_500}
# the parts that every notebook has
TITLE, QUESTION, AIMS = r"^# (.*?)$", r"^(\*\*.*?\*\*)$", r"^(At the end .*?)\n\n"
FACTS, EXERCISES = r"^(- Needs: .*?)\n\n", r"^## Exercises\n.*?^(1\. .*?)(?:\n\n|\Z)"
QUESTIONS = r"^## Questions\n(.*?)^## "
# after the figure only bullets and tables, and none that leads to the next notebook or to a cell below it
POINT, LEADS_ON = re.compile(r"- |\|"), re.compile(r"- \*\*Next:|.*:$", re.DOTALL)


class _Paper(mistune.HTMLRenderer):
    """A link is its words, a formula a drawing."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text

    def inline_math(self, text: str) -> str:
        stream = io.BytesIO()
        depth = math_to_image(f"${text}$", stream, format="svg")
        drawing = base64.b64encode(stream.getvalue()).decode()
        source = f"data:image/svg+xml;base64,{drawing}"
        return f'<img class="formula" style="vertical-align: -{depth}pt" src="{source}" alt="{escape(text)}">'


_html = mistune.create_markdown(renderer=_Paper(escape=False), plugins=["table", "math"])


def _part(pattern: str, text: str, of: str) -> str:
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"{of} has nothing like {pattern!r}, which its page needs")
    return found[1]


def choose(section: str, most: int, only_points: bool = False) -> str:
    """Return a section's first paragraphs, bullets and tables, each whole, of at most `most` letters together."""
    blocks = re.split(r"\n{2,}|\n(?=- |\d\. )", section.strip())
    if only_points:
        blocks = [block for block in blocks if POINT.match(block) and not LEADS_ON.match(block)]
    fits = sum(letters <= most for letters in accumulate(map(len, blocks)))
    return "\n\n".join(blocks[:fits])


def _idea(prose: str, most: dict[str, int], only_points: bool) -> str:
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", prose, re.MULTILINE | re.DOTALL))
    told = {name: _html(choose(sections[name], most[name], only_points)) for name in most if name in sections}
    return "".join(f'<h2>{name}</h2><div class="idea">{text}</div>' for name, text in told.items())


def _figure(cells: Sequence[nbformat.NotebookNode]) -> str:
    """Return the tagged cell's figure with the caption below it, '' where no cell is tagged."""
    for cell, following in pairwise(cells):
        if TAG in cell.metadata.get("tags", ()):
            (data,) = [output.data[IMAGE] for output in cell.outputs if IMAGE in output.get("data", {})]
            caption = escape(describe(following.source))
            source = f"data:{IMAGE};base64,{''.join(data.split())}"
            return f'<figure><img src="{source}" alt="{caption}"><figcaption>Figure: {caption}</figcaption></figure>'
    return ""


def page(path: Path, level: str) -> str:
    """Return a notebook's page as HTML. Raises ValueError: a part that every notebook has is not there."""
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    first, of = cells[0].source, display_path(path)
    facts = _part(FACTS, first, of)
    facts += "" if "- Level: " in facts else f"\n- Level: {level}."
    questions = re.findall(r"<summary>(?:\d\. )?(.*?)</summary>", _part(QUESTIONS, prose, of), re.DOTALL)
    numbered = "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))
    parts = (
        f"<h1>{escape(_part(TITLE, first, of))}</h1>",
        f'<div class="question">{_html(_part(QUESTION, first, of))}</div>',
        _html(_part(AIMS, first, of)),
        f'<div class="facts">{_html(facts)}</div>',
        _idea(prose, BEFORE, only_points=False),
        _figure(cells),
        _idea(prose, AFTER, only_points=True),
        f'<div class="work"><div><h2>Questions</h2>{_html(numbered)}</div>',
        f"<div><h2>Exercises</h2>{_html(_part(EXERCISES, prose, of))}</div></div>",
        '<h2>Notes</h2><div class="notes"></div>',
    )
    return f'<section id="n{path.name[:2]}">{"".join(parts).replace(" %", "&nbsp;%")}</section>'


def handouts() -> str:
    """Return the pages of all notebooks that notebooks/README.md lists, as one HTML file.

    Raises FileNotFoundError: one of them is not there; ValueError: a part of one is not.
    """
    table = resolve("notebooks/README.md")
    contents, style = table.read_text(encoding="utf-8"), STYLE.read_text(encoding="utf-8")
    levels = re.findall(r"^\| \[.*?\]\((\d\d_\w+\.ipynb)\) .* (\w+) \|$", contents, re.MULTILINE)
    pages = "\n".join(page(table.parent / name, level) for name, level in levels)
    head = f'<meta charset="utf-8"><title>A page a notebook</title><style>{style}</style>'
    return f'<!doctype html><html lang="en">{head}\n{pages}</html>\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages to outputs/own/handouts.html; return 1 where a notebook or a part of it is missing."""
    argparse.ArgumentParser(prog="python -m mnist_helpers handouts", description=__doc__).parse_args(arguments)
    product = resolve(HANDOUTS)
    try:
        text = handouts()
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    product.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(product, text)
    print(f"{display_path(product)}: {text.count('<section')} pages of A4; open it in a browser and print it")
    return 0
