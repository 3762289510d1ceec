"""Many assessments as one table: CSV, a page, and Markdown, in which no name is read as a formula or as markup."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_helpers.files import write_text_atomically

if TYPE_CHECKING:
    import pandas as pd

# what a spreadsheet takes for one (https://owasp.org/www-community/attacks/CSV_Injection)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Submissions assessed</title>
<style>body{{font-family:sans-serif}} table{{border-collapse:collapse}}
td,th{{padding:.3em .6em;text-align:left}}</style>
<h1>Submissions assessed</h1>
{table}
</html>
"""


@dataclass(frozen=True)
class Row:
    """One submission: where there is nothing to say, an empty text."""

    submission: str
    verdict: str
    accuracy: str = ""  # mean over seeds, its 95 % interval
    seeds: str = ""
    parameters: str = ""
    epochs: str = ""
    copies: str = ""
    remark: str = ""


def _frame(rows: Sequence[Row]) -> "pd.DataFrame":
    import pandas as pd  # needed here only

    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(Row)], dtype=str)


def write_table(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `assessed.csv` and `assessed.html` into `folder`, each whole or not at all; return their paths."""
    table = _frame(rows)
    safe = table.map(lambda text: f"'{text}" if text.startswith(FORMULA) else text)
    texts = {
        folder / "assessed.csv": safe.to_csv(index=False),
        folder / "assessed.html": PAGE.format(table=table.to_html(index=False, escape=True, border=1)),
    }
    for path, text in texts.items():
        write_text_atomically(path, text)
    return list(texts)


def format_markdown(rows: Sequence[Row]) -> str:
    """Return the table in Markdown, as GitHub's job summary shows it; no text in it is markup."""
    lines = [[field.name for field in fields(Row)], ["---"] * len(fields(Row))]
    lines += [[_plain(text) for text in asdict(row).values()] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _plain(text: str) -> str:
    # numbers for whatever Markdown knows: GitHub shows the characters and reads nothing into them
    written = (
        character if character.isalnum() or character in " .,%:;" else f"&#{ord(character)};" for character in text
    )
    return "".join(written)
