"""Every figure can be heard."""

import nbformat
import pytest

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sharing.alt_text import IMAGE, describe, set_alt_text

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").rglob("*.ipynb"))


def figure(alt: str | None = None) -> nbformat.NotebookNode:
    metadata = {IMAGE: {"alt": alt}} if alt else {}
    output = nbformat.v4.new_output("display_data", {IMAGE: "…"}, metadata=metadata)
    return nbformat.v4.new_code_cell("draw()", outputs=[output], execution_count=1)


def alt_texts(notebook: nbformat.NotebookNode) -> list[str | None]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return [one.metadata.get(IMAGE, {}).get("alt") for one in outputs if IMAGE in one.get("data", {})]


def test_a_caption_is_said_in_plain_words():
    assert (
        describe("*Figure: two lines of [one](GLOSSARY.md#one) `loss`.\nOn.* Which is the other?\n\nMore.")
        == "two lines of one loss. On."
    )
    assert describe("*Figures: both.*") == "both."
    assert describe("A figure is above.") == ""


def test_the_caption_below_is_the_alt_text_and_its_lack_is_told():
    caption = nbformat.v4.new_markdown_cell("*Figure: a line.* Where does it end?")
    notebook = nbformat.v4.new_notebook(cells=[figure("old"), caption, figure(), nbformat.v4.new_code_cell("1")])
    assert set_alt_text(notebook) == [2]
    assert alt_texts(notebook) == ["a line.", ""]
    notebook.cells[0].metadata["alt"] = "a line that falls"
    set_alt_text(notebook)
    assert alt_texts(notebook) == ["a line that falls", ""]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.relative_to(PROJECT_ROOT / "notebooks")))
def test_every_figure_of_the_course_has_alt_text(path):
    notebook = nbformat.read(path, as_version=4)
    before = alt_texts(notebook)
    assert set_alt_text(notebook) == []
    assert before == alt_texts(notebook), "run: make alt-text"
