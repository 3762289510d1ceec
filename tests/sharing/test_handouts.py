"""A page of A4 for each notebook: what stands on it, and in a browser that it is one page (make test-page)."""

import re
from html import unescape

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.benchmarks.page import open_browser
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sharing import handouts

NOTEBOOKS = sorted((PROJECT_ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
EACH = pytest.mark.parametrize("number", range(len(NOTEBOOKS)), ids=[path.stem for path in NOTEBOOKS])
A4 = (210 / 25.4 * 96, 297 / 25.4 * 96)  # pixels of a browser
ROOM_FOR_NOTES = 20 / 25.4 * 96
MEASURES = """() => [...document.querySelectorAll("section")].map((page) => {
  const paper = page.getBoundingClientRect();
  const outside = [...page.querySelectorAll("*")].map((e) => [e, e.getBoundingClientRect()]).filter(([e, box]) =>
    box.left < paper.left + 60 || box.right > paper.right - 60 || box.bottom > paper.bottom - 44);
  const small = [...page.querySelectorAll("p, li, h2")].filter((e) => parseFloat(getComputedStyle(e).fontSize) < 13);
  return { width: paper.width, height: paper.height, notes: page.querySelector(".notes").clientHeight,
    outside: outside.map(([e]) => e.outerHTML.slice(0, 80)), small: small.length };
})"""


@pytest.fixture(scope="module")
def written() -> str:
    return handouts.handouts()


def words(html: str) -> str:
    """What a reader sees: words and numbers alone, one space between them."""
    return " ".join(re.findall(r"\w+", unescape(re.sub(r"<[^>]*>", " ", html))))


def plain(markdown: str) -> str:
    """The words of Markdown as they are printed: of a link its text, of a formula nothing."""
    return words(re.sub(r"\$[^$]*\$", " ", re.sub(r"\]\([^)]*\)", " ", markdown)))


def sheet(written: str, number: int) -> str:
    return re.findall(r"<section.*?</section>", written, re.DOTALL)[number]


def prose(number: int) -> list[str]:
    cells = nbformat.read(NOTEBOOKS[number], as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def test_a_page_a_notebook_in_their_order(written):
    assert re.findall(r'<section id="n(\d\d)">', written) == [path.name[:2] for path in NOTEBOOKS]


def test_it_loads_nothing_and_leads_nowhere(written):
    assert all(source.startswith("data:image/") for source in re.findall(r'src="([^"]*)"', written))
    assert not re.search(r"<script|<link|<a |@import|url\(", written)


@EACH
def test_head_questions_and_exercises_are_those_of_the_notebook_whole(written, number):
    page, (first, *_, last) = words(sheet(written, number)), prose(number)
    for paragraph in first.split("\n\n")[:4]:  # title, question, aims, needs
        assert plain(paragraph) in page
    assert " Level " in page
    asked = "\n".join(prose(number)).split("\n## Questions\n")[1]
    questions = re.findall(r"<summary>(?:\d\. )?(.*?)</summary>", asked, re.DOTALL)
    assert len(questions) == 3
    assert all(plain(question) in page for question in questions)
    exercises = re.search(r"^1\. .*?(?=\n\n)", last[last.index("## Exercises") :], re.MULTILINE | re.DOTALL)[0]
    tasks = re.split(r"^\d\. ", exercises, flags=re.MULTILINE)[1:]
    assert len(tasks) == 3
    for task in tasks:
        assert re.match(r"\(\d+ minutes?\) ", task)
        assert plain(task) in page


@EACH
def test_no_answer_is_on_it(written, number):
    page = words(sheet(written, number))
    answers = re.findall(r"</summary>\n(.*?)</details>", "\n".join(prose(number)), re.DOTALL)
    assert len(answers) >= 3
    assert not [answer for answer in answers if plain(answer) in page]


@EACH
def test_the_main_idea_is_told_in_whole_sentences_of_the_notebook(written, number):
    idea = re.findall(r'<div class="idea">(.*?)</div>', sheet(written, number), re.DOTALL)
    told = [words(block) for block in re.findall(r"<(?:p|tr)>(.*?)</(?:p|tr)>", "".join(idea), re.DOTALL)]
    assert sum(map(len, told)) > 200
    blocks = {plain(block) for text in prose(number) for block in re.split(r"\n\n|\n(?=- |\d\. |\|)", text)}
    blocks |= {re.sub(r"^\d ", "", block) for block in blocks}
    assert set(told) <= blocks


@EACH
def test_a_figure_has_its_caption(written, number):
    captions = re.findall(r"<figcaption>Figure: (.+?)</figcaption>", sheet(written, number))
    # 09 has its check-list, the exercises of 12 and 13 leave no room, and 11 is about a network still to be built
    assert len(captions) == (NOTEBOOKS[number].name[:2] not in ("09", "11", "12", "13"))
    for caption in captions:
        assert any(text.lstrip("*").startswith("Figure") and words(caption) in plain(text) for text in prose(number))


TEXTS = st.lists(st.text("ab .", min_size=1, max_size=30).map(str.strip).filter(bool), max_size=8)


@given(TEXTS, st.integers(0, 200))
def test_only_whole_blocks_from_the_start_are_chosen_and_as_many_as_fit(texts, most):
    blocks = [f"- **{text}" for text in texts]
    chosen = handouts.choose("Words before.\n\n" + "\n".join(blocks), most, only_points=True)
    kept = chosen.split("\n\n") if chosen else []
    assert kept == blocks[: len(kept)]
    assert sum(map(len, kept)) <= most
    assert kept == blocks or sum(map(len, blocks[: len(kept) + 1])) > most


def test_a_bullet_that_leads_on_is_left_out():
    section = "- **One.** Kept.\n- **Next:** the other notebook.\n- **Two.** Kept.\n- **Saved.** It is saved here:"
    assert handouts.choose(section, 1_000, only_points=True) == "- **One.** Kept.\n\n- **Two.** Kept."


def test_a_formula_is_drawn_not_typed(written):
    assert "$" not in re.sub(r"<code>.*?</code>", "", written)
    (page,) = [sheet(written, number) for number in range(len(NOTEBOOKS)) if "0.975" in sheet(written, number)]
    assert re.search(r'<img class="formula" [^>]*src="data:image/svg\+xml;base64,[^"]+" alt="t_\{0\.975', page)


def test_a_part_that_is_missing_is_named_and_nothing_is_written(monkeypatch, tmp_path, capsys):
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    notebook.cells[-1].source = notebook.cells[-1].source.replace("## Exercises", "## More")
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / NOTEBOOKS[0].name)
    monkeypatch.setattr(handouts, "resolve", lambda path: tmp_path / path)
    assert handouts.main([]) == 1
    assert "README.md" in capsys.readouterr().err
    row = f"| [01 · The data]({NOTEBOOKS[0].name}) | What? | 30 | 1 | core |\n"
    (tmp_path / "notebooks" / "README.md").write_text(row, encoding="utf-8")
    assert handouts.main([]) == 1
    said = capsys.readouterr().err
    assert "01_explore_data.ipynb" in said
    assert "Exercises" in said
    assert not (tmp_path / "outputs").exists()


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


def printed(browser, html: str) -> tuple[int, list[dict]]:
    """How many sheets a printer gets, and what a browser measures on each of the pages meant for them."""
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    page.set_content(html)
    page.emulate_media(media="print")
    sheets, measured = page.pdf(prefer_css_page_size=True), page.evaluate(MEASURES)
    page.close()
    return len(re.findall(rb"/Type\s*/Page\b", sheets)), measured


@pytest.mark.page
def test_each_is_one_sheet_of_a4_and_nothing_sticks_out(browser, written):
    sheets, pages = printed(browser, written)
    assert sheets == len(pages) == len(NOTEBOOKS)
    for path, page in zip(NOTEBOOKS, pages, strict=True):
        assert (page["width"], page["height"]) == pytest.approx(A4, abs=1), path.name
        assert not page["outside"], path.name
        assert page["small"] == 0, path.name
        assert page["notes"] > ROOM_FOR_NOTES, f"{path.name}: {page['notes'] / 96 * 25.4:.0f} mm are left for notes"


@pytest.mark.page
def test_a_page_that_is_too_full_or_too_many_is_seen(browser, written):
    full = written.replace("<h2>Notes</h2>", "<p>One more line.</p>" * 20, 1)
    sheets, pages = printed(browser, full.replace("</html>", f"{sheet(written, 0)}</html>"))
    assert sheets == len(pages) == len(NOTEBOOKS) + 1
    assert pages[0]["outside"]
    assert not pages[1]["outside"]
