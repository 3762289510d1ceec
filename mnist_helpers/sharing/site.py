"""The course as a book to search and to read on a phone, built without a network (`make site`)."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from mnist_helpers.paths import resolve
from mnist_helpers.sharing.badges import repository


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site in outputs/own/site/html; return 1 where that fails, or where a link in it leads nowhere."""
    argparse.ArgumentParser(prog="python -m mnist_helpers site", description=__doc__).parse_args(arguments)
    if not find_spec("myst_nb"):
        print('Sphinx is not installed; run: pip install -e ".[site]"', file=sys.stderr)
        return 1
    book, site = resolve("notebooks"), resolve("outputs/own/site")
    shutil.rmtree(site, ignore_errors=True)  # no page stays of a notebook that is gone
    how = ["--quiet", "--fail-on-warning", "-D", f"repository={repository()}"]
    where = ["-c", f"{book}/site", "-d", f"{site}/doctrees", str(book), f"{site}/html"]
    return subprocess.run([sys.executable, "-m", "sphinx", *how, *where]).returncode
