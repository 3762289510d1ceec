"""Notebooks and pages in GitHub's style, in a real browser: none is wider than its window (make test-page)."""

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html

from mnist_helpers.benchmarks.page import open_browser
from mnist_helpers.paths import PROJECT_ROOT

pytestmark = pytest.mark.page
WIDTHS = (900, 390)  # pixels: GitHub's column on a desk, and a phone
PAGES = [
    *(path for path in sorted(PROJECT_ROOT.glob("notebooks/**/*.ipynb")) if path.stem[:2].isdigit()),
    *sorted(path for path in PROJECT_ROOT.glob("[!.]*/**/*.md") if "own" not in path.parts),
    *sorted([*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob(".github/*.md")]),
]
STYLE = (PROJECT_ROOT / "tests" / "project" / "github-markdown-light.css").read_text(encoding="utf-8")
HEAD = f'<!doctype html><meta charset="utf-8"><style>{STYLE} body {{ margin: 0 }} article {{ padding: 16px }}</style>'
# what sticks out of the window, unless something around it scrolls; with the cell that it is in
WIDER = """() => {
  const scrolls = (element) => element && element !== document.body &&
    (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.querySelectorAll("article *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement))
    .map((e) => `${e.closest("[id^=cell-id]")?.id ?? ""} ${e.tagName}: ${e.textContent.trim().slice(0, 60)}`);
}"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


def as_on_github(path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        body = markdown2html(text)
    else:
        body, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.reads(text, as_version=4))
    return framed(body)


def framed(body: str) -> str:
    return f'{HEAD}<article class="markdown-body">{body}</article>'


def too_wide(browser, html) -> list[str]:
    found = []
    page = browser.new_page()
    page.set_content(html)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width} px, {what}" for what in page.evaluate(WIDER)]
        across = page.evaluate("document.documentElement.scrollWidth")
        if across > width:
            found.append(f"{width} px, the page is {across} px wide")
    page.close()
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(PROJECT_ROOT).as_posix())
def test_nothing_is_wider_than_the_window(browser, path):
    assert not too_wide(browser, as_on_github(path))


@pytest.mark.parametrize(
    "wide",
    [f'<p style="overflow-wrap: normal">{"w" * 500}</p>', '<img alt="" style="max-width: none; width: 1000px">'],
    ids=["word", "picture"],
)
def test_what_is_too_wide_is_seen_and_what_scrolls_is_not(browser, wide):
    found = too_wide(browser, framed(wide))
    assert {line.split(" px,")[0] for line in found} == {"900", "390"}
    assert not too_wide(browser, framed(f"<pre>{'w' * 500}</pre>"))


@pytest.mark.parametrize(("end", "fits"), [("The assignment", True), ("Hand out, collect, judge", False)])
def test_the_plan_of_four_afternoons_fits_a_sheet_of_a4(browser, end, fits):
    page = browser.new_page(viewport={"width": round(180 / 25.4 * 96) + 2 * 16, "height": 900})  # 15 mm of margin
    page.set_content(as_on_github(PROJECT_ROOT / "notebooks" / "README.md"))
    heading = "(text) => [...document.querySelectorAll('h2, h3')].find((e) => e.textContent.startsWith(text))"
    first, last = (
        page.evaluate(f"(text) => ({heading})(text).getBoundingClientRect().top", text)
        for text in ("Four afternoons", end)
    )
    page.close()
    assert ((last - first) / 96 * 25.4 < 297 - 2 * 15) == fits
