"""Photos of handwritten digits read from the shell: one, or all in a folder."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from mnist_helpers.files import write_atomically, write_text_atomically
from mnist_helpers.handwriting.photo import PhotoError, printable
from mnist_helpers.handwriting.reader import load_reader
from mnist_helpers.handwriting.whole import Page, format_page, page_csv, read_page
from mnist_helpers.networks import SHARED
from mnist_helpers.paths import display_path, resolve

FOLDER = "outputs/own/read"
ENDINGS = {".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the handwritten digits on a photo, or on every photo in a folder."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers read", description=main.__doc__)
    parser.add_argument("photo", nargs="+", help="a photo (JPEG, PNG, …), or a folder of them")
    parser.add_argument("--json", action="store_true", help="print data only; write no files")
    parser.add_argument("--network", choices=SHARED, default="final", help="which network reads (default: final)")
    options = parser.parse_args(arguments)
    try:
        paths = [path for name in options.photo for path in find_photos(name)]
        reader = load_reader(options.network)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    pages: list[tuple[Path, Page]] = []
    for path in tqdm(paths, unit="photo", disable=None if len(paths) > 1 else True):
        try:
            pages.append((path, read_page(path, reader)))
        except PhotoError as error:
            tqdm.write(str(error), file=sys.stderr)
    if options.json:
        print(json.dumps([{"file": str(path), "digits": page.as_data()} for path, page in pages]))
    else:
        for _, page in pages:
            print(report(page))
    return int(len(pages) < len(paths))


def find_photos(name: str) -> list[Path]:
    """Return the photo of that name, or those in the folder of that name, sorted; from here, or the project's top.

    Raises PhotoError: `name` is empty, or the folder has no photo.
    """
    if not name:
        raise PhotoError("name a photo or a folder, as in: make read PHOTO=page.jpg")
    path = Path(name) if Path(name).exists() else resolve(name)
    if not path.is_dir():
        return [path]
    photos = sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS and one.is_file())
    if not photos:
        raise PhotoError(f"{printable(path)} has no photo; their names end in {', '.join(sorted(ENDINGS))}")
    return photos


def report(page: Page) -> str:
    """Write a page's picture and its table as CSV, and return what there is to say about it."""
    import matplotlib.pyplot as plt  # here: half a second, and data alone needs no picture

    from mnist_helpers.handwriting.show import plot_page

    folder = resolve(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / re.sub(r"[^\w.-]", "_", page.photo.name)
    picture, table = (stem.with_name(stem.name + ending) for ending in (".read.png", ".csv"))
    figure = plot_page(page)
    write_atomically(picture, partial(figure.savefig, format="png", dpi=150))
    plt.close(figure)
    write_text_atomically(table, page_csv(page))
    return f"{page.photo.name}\n{format_page(page)}\n→ {display_path(picture)}, {display_path(table)}\n"
