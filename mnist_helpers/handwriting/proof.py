"""The reader proved on pages whose truth is known: the command, its table, its record and its picture."""

import argparse
import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from mnist_helpers.data import Images, load_mnist
from mnist_helpers.files import write_atomically
from mnist_helpers.handwriting.empty import OF_EACH, empty_pages
from mnist_helpers.handwriting.letters import MARK
from mnist_helpers.handwriting.pages import PAGES, draw_page
from mnist_helpers.handwriting.proofs import LOST, REFUSED, Proof, prove_letters, prove_on_paper, prove_page
from mnist_helpers.handwriting.reader import Reader, load_reader
from mnist_helpers.looking import BLUE, GREEN, GREY, ORANGE, panels
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import read_record, write_record
from mnist_helpers.runs import FIGURES, RECORDS

NETWORK = "final"
DRAWS, DIGITS, QUICK_DIGITS = 5, 1000, 200
QUICK_LOST = 0.015  # of so few digits one is half a point
RECORD, FIGURE = "reading.json", "reading.png"
BELOW = {"fontsize": 8, "loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "frameon": False}  # nothing is covered


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove the reader on made pages, empty pages and capital letters; 1 where a mark is missed."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers check-reading", description=main.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two minutes: 200 training digits, fewer pages; no record"
    )
    quick = parser.parse_args(arguments).quick
    try:
        reader, (train, test) = load_reader(NETWORK), load_mnist()
        found = prove(reader, train, 1, QUICK_DIGITS, quick) if quick else prove(reader, test, DRAWS, DIGITS)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    marks = found.marks(QUICK_LOST if quick else LOST)
    print(format_proof(found, marks))
    if not quick:
        record, picture = resolve(RECORDS) / RECORD, resolve(FIGURES) / FIGURE
        write_record(record, found)
        figure = plot_proof(found)
        write_atomically(
            picture, lambda stream: figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
        )
        plt.close(figure)
        print(f"→ {display_path(record)}, {display_path(picture)}")
    return int(not all(marks.values()))


def prove(reader: Reader, images: Images, draws: int, digits: int, quick: bool = False) -> Proof:
    """Run all proofs: `draws` draws of so many `digits` of `images`, the drawn pages, the empty ones, the letters.

    `quick` takes one empty page of each kind, and the typefaces that are installed.
    """
    empty = list(empty_pages(1 if quick else OF_EACH))
    typefaces = [typeface for typeface in MARK if not quick or typeface.find()]
    bar = tqdm(total=draws + len(PAGES) + len(empty), desc="pages", disable=None)
    on_paper, drawn, read = [], [], {}
    with bar:
        for seed in range(draws):
            chosen = torch.randperm(len(images.targets), generator=torch.Generator().manual_seed(seed))[:digits]
            on_paper.append(prove_on_paper(images.take(chosen), seed, reader))
            bar.update()
        for name in PAGES:
            drawn.append(prove_page(draw_page(name), reader))
            bar.update()
        for page in empty:
            read[page.name] = prove_page(page, reader).extra
            bar.update()
    return Proof(
        network=NETWORK,
        threshold=reader.threshold,
        draws=tuple(on_paper),
        pages=tuple(drawn),
        empty=read,
        letters=prove_letters(typefaces, reader),
    )


def read_proof() -> Proof:
    """Return the record. Raises FileNotFoundError: it is not there; ValueError: it is another file."""
    return read_record(resolve(RECORDS) / RECORD, Proof, "the reader's proof", "run: make check-reading")


def format_proof(proof: Proof, marks: dict[str, bool]) -> str:
    """Return a row for each draw and drawn page, then each of its `marks`, `yes` or `no`."""
    rows = [f"{'':14s} digits  found  right  clean  answered  wrong  extra  in order"]
    outcomes = [(draw.outcome, str(draw.clean)) for draw in proof.draws] + [(page, "") for page in proof.pages]
    rows += [
        f"{one.name:14s} {one.digits:6d} {one.found:6d} {one.right:6d} {clean:>6s} {one.answered:9d} {one.wrong:6d} "
        f"{one.extra:6d}  {'yes' if one.in_order else 'no'}"
        for one, clean in outcomes
    ]
    return "\n".join([*rows, "", *(f"{'yes' if reached else 'no':4s} {mark}" for mark, reached in marks.items())])


def plot_proof(proof: Proof) -> Figure:
    """Draw how the digits on paper and on the drawn pages were read, and the letters of each typeface refused."""
    figure, axes = panels(4.8, 1, 3, gridspec_kw={"width_ratios": [1, 1.4, 1.2]})
    draws, pages, letters = axes
    for place, draw in enumerate(proof.draws):
        shares = [100 * count / draw.outcome.digits for count in (draw.clean, draw.outcome.right)]
        draws.plot([place, place], shares, color=GREY, zorder=1)
        draws.scatter(place, shares[0], color=GREY, label=None if place else "as MNIST has them")
        draws.scatter(place, shares[1], color=BLUE, label=None if place else "on paper")
        draws.hlines(shares[0] - 100 * LOST, place - 0.3, place + 0.3, color=ORANGE, label=None if place else "mark")
    draws.set(title="Test digits right (%)", xlabel="draw of 1,000", xticks=range(len(proof.draws)))
    draws.legend(**BELOW)
    names = [page.name.replace("_", " ") for page in proof.pages]
    left = [0] * len(names)
    for label, colour, count in (
        ("answered, right", BLUE, lambda page: page.answered - page.wrong),
        ("not sure", GREY, lambda page: page.digits - page.answered),
        ("wrong", ORANGE, lambda page: page.wrong),
    ):
        widths = [count(page) for page in proof.pages]
        pages.barh(names, widths, left=left, color=colour, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    pages.set(title="Digits on the drawn pages")
    pages.invert_yaxis()
    pages.legend(**BELOW, ncols=3)
    letters.barh(
        [each.typeface for each in proof.letters], [100 * e.refused / e.letters for e in proof.letters], color=GREEN
    )
    letters.axvline(100 * REFUSED, color=ORANGE)
    letters.set(title="Capitals refused (%)", xlim=(0, 100))
    letters.invert_yaxis()
    return figure
