"""What `make site` gives Sphinx: the course as a book, the notebooks as they were executed. None is executed here."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "MNIST under 20k"
author = copyright = "The authors of MNIST under 20k"
language = "en"

extensions = ["myst_nb", "sphinx_external_toc", "sphinx-mathjax-offline"]
external_toc_path = "site/contents.yml"
exclude_patterns = ["**/.ipynb_checkpoints"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the glossary's terms are small headings on purpose

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {
    "show_navbar_depth": 1,
    "navbar_persistent": [],
    "use_download_button": False,
    "use_fullscreen_button": False,
}
html_copy_source = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]

# in a notebook's file, too, a link stands within one line and one string
LINK = re.compile(r'(?<!!)\[([^\[\]\n"]+)\]\(([^()\s"]+)\)')
BADGE = re.compile(r'!\[([^\[\]\n"]+)\]\(https://[^()\s"]+badge[^()\s"]*\)')


def keep_inside(app: "Sphinx", docname: str, source: list[str]) -> None:
    """Lead links to files that are not in the book to the repository, or nowhere; a badge becomes its words."""
    book = Path(app.srcdir)
    folder = (book / docname).parent

    def lead(match: re.Match[str]) -> str:
        words, target = match.groups()
        path = (folder / target.split("#")[0]).resolve()
        if (path.is_relative_to(book) and path.suffix in (".md", ".ipynb")) or not path.exists():
            return match[0]
        at, address = path.relative_to(book.parent).as_posix(), app.config.repository
        return f"[{words}]({address}/blob/HEAD/{at})" if address else words

    source[0] = LINK.sub(lead, BADGE.sub(r"\1", source[0]))


def add_page(app: "Sphinx", error: Exception | None) -> None:
    """Put the page to draw on beside the book; its way back is the book's contents."""
    page = (Path(app.srcdir).parent / "outputs" / "page" / "draw.html").read_text(encoding="utf-8")
    (Path(app.outdir) / "draw.html").write_text(page.replace("../../README.md", "README.html"), encoding="utf-8")


def setup(app: "Sphinx") -> None:
    app.add_config_value("repository", "", "env", str)
    app.connect("source-read", keep_inside)
    app.connect("build-finished", add_page)
