"""The table holds what it was given, and no program that opens it runs any of it."""

import csv
import io
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers.assessment.table import FORMULA, Row, format_markdown, write_table

EVIL = ["<script>alert(1)</script>", "a,b\"c'\nd", "=HYPERLINK(1)", "@x", "-1+1", "|a|`b`[c](d)", "&lt;b&gt;", "../é"]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.cells = set(), []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.lasttag_is_cell:
            self.cells[-1] += data

    @property
    def lasttag_is_cell(self):
        return bool(self.cells) and self.lasttag == "td"


@pytest.mark.parametrize("text", EVIL)
def test_names_are_text_in_csv_and_page(tmp_path, text):
    row = Row(text, "passed", remark=text)
    write_table([row, Row("b", "not yet")], tmp_path)
    lines = list(csv.DictReader(io.StringIO((tmp_path / "assessed.csv").read_text(encoding="utf-8"), newline="")))
    assert [line["verdict"] for line in lines] == ["passed", "not yet"]
    assert lines[0]["submission"].lstrip("'") == text
    assert not lines[0]["submission"].startswith(FORMULA)
    page = (tmp_path / "assessed.html").read_text(encoding="utf-8")
    parser = Tags()
    parser.feed(page)
    assert parser.tags <= {"html", "meta", "title", "style", "h1", "table", "thead", "tbody", "tr", "th", "td"}
    assert parser.cells[0].strip().replace("\\n", "\n") == text


@settings(deadline=None)
@given(st.text(max_size=40))
def test_markdown_shows_any_text_and_reads_nothing_into_it(text):
    written = format_markdown([Row(text, "refused", remark=text)])
    header, rule, line = written.splitlines()
    assert line.count("|") == header.count("|") == rule.count("|")
    assert not set("<>`[]*_|\\!#") & set(line.replace("|", "").replace("&#", "")), line


def test_the_columns_are_the_rows_and_an_empty_table_has_them_too(tmp_path):
    write_table([], tmp_path)
    assert list(pd.read_csv(tmp_path / "assessed.csv").columns)[:2] == ["submission", "verdict"]
