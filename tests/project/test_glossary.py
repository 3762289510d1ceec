"""The glossary and the contents: links lead to terms, every term is linked; order and minutes are as listed."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from mnist_helpers.paths import PROJECT_ROOT

NOTEBOOKS = PROJECT_ROOT / "notebooks"
GLOSSARY = (NOTEBOOKS / "GLOSSARY.md").read_text(encoding="utf-8")
CONTENTS = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+)\n\n(.+)$", GLOSSARY, re.MULTILINE))
LINK = re.compile(r"\]\((?:\.\./)*(?:notebooks/)?GLOSSARY\.md#([^)]*)\)")


def slug(term: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-")


def pages() -> Iterator[tuple[Path, str]]:
    """Yield what may link a term: notebooks, solutions and pages, with their prose."""
    for path in sorted([*NOTEBOOKS.glob("[0-9]*.ipynb"), *NOTEBOOKS.glob("solutions/[0-9]*.ipynb")]):
        prose = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
        yield path, "\n".join(prose)
    for path in (PROJECT_ROOT / "README.md", NOTEBOOKS / "README.md"):
        yield path, path.read_text(encoding="utf-8")


def lost(text: str) -> set[str]:
    """Return the anchors that `text` links in the glossary and the glossary lacks."""
    return set(LINK.findall(text)) - set(map(slug, SECTIONS))


@pytest.mark.parametrize(("path", "text"), list(pages()), ids=lambda value: getattr(value, "stem", ""))
def test_every_link_leads_to_a_term(path, text):
    assert lost(text) == set()


def test_a_link_that_leads_nowhere_is_found():
    assert lost("see [logit](GLOSSARY.md#logit) and [odd](../GLOSSARY.md#no-such-term)") == {"no-such-term"}


def test_every_term_is_linked_from_somewhere():
    linked = {anchor for _, text in pages() for anchor in LINK.findall(text)}
    linked |= {anchor for text in SECTIONS.values() for anchor in re.findall(r"\]\(#([^)]*)\)", text)}
    assert sorted(set(map(slug, SECTIONS)) - linked) == []


def test_links_between_terms_lead_to_terms():
    assert set(re.findall(r"\]\(#([^)]*)\)", GLOSSARY)) <= set(map(slug, SECTIONS))


def test_terms_are_in_order_and_each_once():
    headings = re.findall(r"^### (.+)$", GLOSSARY, re.MULTILINE)
    assert headings == sorted(headings, key=str.casefold)
    assert list(SECTIONS) == headings, "each has its text in the one paragraph below it"


@pytest.mark.parametrize("term", SECTIONS)
def test_a_term_has_two_sentences_and_the_notebook_where_it_comes_first(term):
    text, number, target = re.fullmatch(r"(.+) \[(\d\d)\]\((.+)\)", SECTIONS[term]).groups()
    assert len(re.findall(r"\.(?= [A-Z0`]|$)", text)) == 2
    assert target.startswith(number)
    assert (NOTEBOOKS / target).exists()
    row = re.search(rf"^\| {number} \| \[.+$", CONTENTS, re.MULTILINE)[0]
    assert f"[{term}](GLOSSARY.md#{slug(term)})" in row, "the teachers' page names the new words of every notebook"


LISTED = re.findall(r"^\| \[\d\d · [^|]+\]\((\S+)\) \|[^|]+\| (\d+) \| (\d+) \|", CONTENTS, re.MULTILINE)
NUMBERS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}


def test_the_contents_list_every_notebook_in_order():
    assert [name for name, _, _ in LISTED] == [path.name for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))]


@pytest.mark.parametrize(("name", "read", "run"), LISTED)
def test_a_notebook_says_the_minutes_and_neighbours_that_the_contents_list(name, read, run):
    cells = nbformat.read(NOTEBOOKS / name, as_version=4).cells
    takes = r"- Takes: (?:about )?(\d+) minutes to read, (?:about )?([\w ]+?) minutes? to run"
    found = re.search(takes, cells[0].source)
    assert found, "the title cell says: - Takes: 30 minutes to read, 2 minutes to run on two cores."
    longest = found[2].split()[-1]
    assert (found[1], str(NUMBERS.get(longest, longest))) == (read, run)
    names = [name for name, _, _ in LISTED]
    place = names.index(name)
    expected = {"previous": names[place - 1] if place else None, "next": (*names, None)[place + 1]}
    for cell in (cells[0], cells[-1]):
        linked = dict(re.findall(r"\[(previous|next): [^]]+\]\(([^)]+)\)", cell.source))
        assert {way: linked.get(way) for way in expected} == expected
        assert "(README.md)" in cell.source
