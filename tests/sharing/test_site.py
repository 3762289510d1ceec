"""The book that `make site` builds: what Sphinx is told, and the book itself in a real browser (make test-site)."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from mnist_helpers.benchmarks.page import open_browser
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.sharing import site

BOOK = PROJECT_ROOT / "notebooks"
SITE = PROJECT_ROOT / "outputs" / "own" / "site" / "html"
OUTSIDE = "[licence](../LICENSE)"
KEPT = (
    "[next](02_baseline.ipynb) [term](GLOSSARY.md#loss) [there](https://example.org/) ![picture](a.png)",
    "networks[name](images)",
    '"source": [\n "print(1)"], "other": ["x](../LICENSE)"',
)


def kept_inside(text: str, address: str = "", docname: str = "README") -> str:
    spec = spec_from_file_location("book", BOOK / "site" / "conf.py")
    spec.loader.exec_module(conf := module_from_spec(spec))
    source = [text]
    conf.keep_inside(SimpleNamespace(srcdir=str(BOOK), config=SimpleNamespace(repository=address)), docname, source)
    return source[0]


def test_a_link_to_what_is_not_in_the_book_leads_to_the_repository_or_is_its_words():
    assert kept_inside(OUTSIDE) == "licence"
    address = "https://github.com/someone/course"
    assert kept_inside(OUTSIDE, address) == f"[licence]({address}/blob/HEAD/LICENSE)"
    deeper = kept_inside("[data](../../data/README.md)", address, "solutions/01_explore_data")
    assert deeper == f"[data]({address}/blob/HEAD/data/README.md)"


@pytest.mark.parametrize("text", KEPT)
def test_other_links_and_code_stay_as_they_are(text):
    assert kept_inside(text) == text


def test_a_badge_becomes_its_words():
    badge = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://example.org/x)"
    assert kept_inside(badge) == "[Open in Colab](https://example.org/x)"


def test_without_sphinx_it_is_said_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(site, "find_spec", lambda name: None)
    assert site.main([]) == 1
    assert capsys.readouterr().err == 'Sphinx is not installed; run: pip install -e ".[site]"\n'


def test_sphinx_is_given_the_address_and_no_page_of_before_stays(monkeypatch, tmp_path):
    (tmp_path / "outputs" / "own" / "site" / "html").mkdir(parents=True)
    ran = []
    monkeypatch.setattr(site, "find_spec", lambda name: True)
    monkeypatch.setattr(site, "resolve", lambda path: tmp_path / path)
    monkeypatch.setattr(site, "repository", lambda: "https://github.com/someone/course")
    monkeypatch.setattr(site.subprocess, "run", lambda command: ran.append(command) or SimpleNamespace(returncode=7))
    assert site.main([]) == 7
    assert "repository=https://github.com/someone/course" in ran[0]
    assert "--fail-on-warning" in ran[0]
    assert not (tmp_path / "outputs" / "own" / "site").exists()


@pytest.fixture(scope="module")
def address():
    """Serve the book as GitHub Pages would, below a folder; it must have been built."""
    assert (SITE / "index.html").exists(), "run: make site"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/html/"
    server.shutdown()
    server.server_close()


def pages() -> list[str]:
    found = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)
    return [name for name in found if name not in ("index.html", "genindex.html")]


@pytest.mark.site
def test_every_notebook_and_its_solutions_are_in_it():
    expected = [*BOOK.glob("[0-9][0-9]_*.ipynb"), *BOOK.glob("solutions/*.ipynb"), BOOK / "GLOSSARY.md"]
    assert {f"{path.relative_to(BOOK).with_suffix('')}.html" for path in expected} <= set(pages())
    page = (PROJECT_ROOT / "outputs" / "page" / "draw.html").read_text(encoding="utf-8")
    assert (SITE / "draw.html").read_text(encoding="utf-8") == page.replace("../../README.md", "README.html")


@pytest.mark.site
def test_links_inside_the_book_lead_somewhere():
    for name in pages():
        for target in re.findall(r'<a[^>]* href="([^"]+)"', (SITE / name).read_text(encoding="utf-8")):
            file, _, anchor = unquote(target).partition("#")
            if "://" not in target and not target.startswith("mailto:"):
                path = (SITE / name).parent / file if file else SITE / name
                assert path.exists(), f"{name}: {target}"
                if anchor and path.suffix == ".html":
                    assert f'id="{anchor}"' in path.read_text(encoding="utf-8"), f"{name}: {target}"


@pytest.mark.site
@pytest.mark.parametrize("width", [1200, 390])
def test_it_fits_asks_nobody_else_and_has_no_error(address, width):
    wide, outside, errors = [], [], []
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: outside.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name in pages():
            page.goto(address + name, wait_until="load")
            page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
            across = page.evaluate("document.documentElement.scrollWidth")
            if across > width:
                wide.append(f"{name}: {across}")
    assert not wide
    assert not errors
    assert not [url for url in outside if not url.startswith((address, "data:"))]


@pytest.mark.site
def test_a_word_of_notebook_08_is_found_and_a_digit_is_drawn(address):
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1200})
        page.goto(f"{address}search.html?q=calibration")
        page.wait_for_selector("#search-results li a")
        page.wait_for_timeout(1000)
        found = page.locator("#search-results li a").evaluate_all("links => links.map((link) => link.href)")
        assert any(f"{address}08_" in link for link in found), found
        page.goto(f"{address}site/draw.html")
        frame = next(frame for frame in page.frames if frame.url.endswith("/draw.html") and frame != page.main_frame)
        frame.wait_for_selector("#paper")
        box = frame.locator("#paper").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8, steps=12)
        page.mouse.up()
        frame.wait_for_function("document.body.dataset.answer === '1'")
