"""The reader proved on pages whose truth is known: the command, its table, its record and its picture."""

import argparse
import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
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
SEEN = 5  # draws of as many test digits were read while the reader was made: seeds 0 to 4
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
        draws = [_shuffled(len(train), 0)[:QUICK_DIGITS]] if quick else unseen(len(test))
        found = prove(reader, [(train if quick else test).take(chosen) for chosen in draws], quick)
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


def unseen(count: int) -> tuple[Tensor, ...]:
    """Return `DRAWS` draws of the positions of `DIGITS` of `count` test digits: none twice, none that was `SEEN`."""
    seen = torch.cat([_shuffled(count, seed)[:DIGITS] for seed in range(SEEN)])
    shuffled = _shuffled(count, SEEN)
    return shuffled[~torch.isin(shuffled, seen)][: DRAWS * DIGITS].split(DIGITS)


def _shuffled(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def prove(reader: Reader, draws: Sequence[Images], quick: bool = False) -> Proof:
    """Run all proofs: `draws` of digits put on paper, the drawn pages, the empty ones, the letters.

    `quick` takes one empty page of each kind, and the typefaces that are installed.
    """
    empty = list(empty_pages(1 if quick else OF_EACH))
    typefaces = [typeface for typeface in MARK if not quick or typeface.find()]
    on_paper, drawn, read = [], [], {}
    with tqdm(total=len(draws) + len(PAGES) + len(empty), desc="pages", disable=None) as bar:
        for seed, images in enumerate(draws, SEEN):
            on_paper.append(prove_on_paper(images, seed, reader))
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
    figure, (draws, pages, letters) = panels(4.8, 1, 3, gridspec_kw={"width_ratios": [1, 1.4, 1.2]})
    places = np.arange(len(proof.draws))
    counts = np.array([(draw.clean, draw.outcome.right, draw.outcome.digits) for draw in proof.draws]).T
    clean, right = 100 * counts[:2] / counts[2]
    draws.vlines(places, right, clean, color=GREY, zorder=1)
    draws.scatter(places, clean, color=GREY, label="as MNIST has them")
    draws.scatter(places, right, color=BLUE, label="on paper")
    draws.hlines(clean - 100 * LOST, places - 0.3, places + 0.3, color=ORANGE, label="mark")
    draws.set(title="Test digits right (%)", xlabel="draw of 1,000", xticks=places)
    draws.legend(**BELOW)
    names = [page.name.replace("_", " ") for page in proof.pages]
    digits, answered, wrong = np.array([(page.digits, page.answered, page.wrong) for page in proof.pages]).T
    # each covers a part of the one before
    pages.barh(names, digits, color=ORANGE, label="wrong")
    pages.barh(names, digits - wrong, color=GREY, label="not sure")
    pages.barh(names, answered - wrong, color=BLUE, label="answered, right")
    pages.set(title="Digits on the drawn pages")
    pages.invert_yaxis()
    pages.legend(**BELOW, ncols=3)
    for each in proof.letters:
        letters.barh(each.typeface, 100 * each.refused / each.letters, color=GREEN)
    letters.axvline(100 * REFUSED, color=ORANGE)
    letters.set(title="Capitals refused (%)", xlim=(0, 100))
    letters.invert_yaxis()
    return figure
