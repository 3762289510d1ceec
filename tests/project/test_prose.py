"""A percentage in a notebook is one that its own cells print, or those of a notebook that the text names."""

import re
from functools import cache

import nbformat
import pytest

from mnist_helpers.paths import PROJECT_ROOT

NOTEBOOKS = PROJECT_ROOT / "notebooks"
EVERY = sorted([*NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"), *NOTEBOOKS.glob("solutions/[0-9][0-9]_*.ipynb")])
GOAL = "99.4"
SAID = re.compile(r"(?<![\d.])(\d\d?\.\d\d?)(?= ?%| points)")


@cache
def printed(number: str) -> str:
    """Return all that the notebook of this number, and its solutions, write in code, print, and say of pictures."""
    cells = [cell for path in EVERY if path.name.startswith(number) for cell in nbformat.read(path, 4).cells]
    outputs = [output for cell in cells if cell.cell_type == "code" for output in (cell.source, *cell.outputs)]
    return "\n".join(map(str, outputs))


def unprinted(source: str, outputs: str) -> list[str]:
    """Return the percentages and points of a text that are no printed number, rounded, as a share or from 100."""
    numbers = [float(number) for number in re.findall(r"(?<![\d.])\d+\.\d+", outputs)]
    numbers += [100 * number for number in numbers if number < 1] + [100 - number for number in numbers]
    text = re.sub(r"<summary>.*?</summary>", "", source, flags=re.DOTALL)  # questions may suppose a number
    known = {f"{number:.{places}f}" for number in numbers for places in (1, 2)} | {GOAL}
    return [number for number in SAID.findall(text) if number not in known]


@pytest.mark.parametrize("path", EVERY, ids=lambda path: str(path.relative_to(NOTEBOOKS)))
def test_a_percentage_is_one_that_a_cell_prints(path):
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            named = {path.name[:2], *re.findall(r"(?:[Nn]otebook |\[)(\d\d)\b", cell.source)}
            assert unprinted(cell.source, "\n".join(map(printed, sorted(named)))) == [], cell.source


def test_a_stale_percentage_is_seen():
    outputs = "accuracy 97.42%, error 0.0258, 1.5 %"
    assert unprinted("It reads 97.42 %, or 97.4 %, misses 2.58 % and 2.6 %; the goal is 99.4 %.", outputs) == []
    assert unprinted("It ends at 96.2 %, by 1.20 points lower.", outputs) == ["96.2", "1.20"]
    assert unprinted("<summary>Yours reads 96.2 %?</summary> No.", outputs) == []
