"""Capital letters that look like no digit, from typefaces: to learn what to refuse, and to be judged by.

Nothing learns from the typefaces of the mark, and nothing was chosen by them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAPITALS = "ACDEFHJKLMNPRTUVWXY"  # B, G, I, O, Q, S and Z look like digits
SMALL = "acdefhkmnprtuvwx"
SIGNS = "&@#%=+*~^"
HEIGHT = 56  # pixels a character is drawn with
MARGIN = 4

# What is learnt from comes with matplotlib, wherever the course is installed: a file, and where its capitals begin.
# STIX has whole alphabets among Unicode's mathematical letters: sans serif, bold and slanted too, typewriter, script.
LEARNT = tuple(
    (file, first)
    for file, starts in {
        **dict.fromkeys(("cmb10", "cmr10", "cmss10", "cmti10", "cmtt10"), "A"),
        **dict.fromkeys(("STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"), "A"),
        "STIXGeneral": "A\U0001d4d0\U0001d5a0\U0001d5d4\U0001d608\U0001d670",
    }.items()
    for first in starts
)


@dataclass(frozen=True)
class Typeface:
    """A file that a Debian package installs."""

    name: str
    package: str
    file: str

    def find(self) -> Path | None:
        """Return where it is; None: it is not installed (`make fonts`)."""
        return next(Path("/usr/share/fonts").rglob(self.file), None)


MARK = (
    Typeface("Carlito", "fonts-crosextra-carlito", "Carlito-Regular.ttf"),
    Typeface("Comic Neue", "fonts-comic-neue", "ComicNeue-Regular.otf"),
    Typeface("DejaVu Sans", "fonts-dejavu-core", "DejaVuSans.ttf"),
    Typeface("DejaVu Sans Mono", "fonts-dejavu-core", "DejaVuSansMono.ttf"),
    Typeface("DejaVu Serif", "fonts-dejavu-core", "DejaVuSerif.ttf"),
    Typeface("Gentium Basic", "fonts-sil-gentium-basic", "GenBasR.ttf"),
    Typeface("Lato", "fonts-lato", "Lato-Regular.ttf"),
    Typeface("Liberation Mono", "fonts-liberation", "LiberationMono-Regular.ttf"),
    Typeface("Liberation Sans", "fonts-liberation", "LiberationSans-Regular.ttf"),
    Typeface("Liberation Serif", "fonts-liberation", "LiberationSerif-Regular.ttf"),
)


def draw_learnt(rng: np.random.Generator) -> np.ndarray:
    """Return the ink of a letter or sign, as `draw_character` does."""
    import matplotlib  # here: as in `__init__`, a part of half a second

    file, first = LEARNT[rng.integers(len(LEARNT))]
    kinds = (CAPITALS, CAPITALS, SMALL) if first != "A" else (CAPITALS, CAPITALS, SMALL, SIGNS)
    characters = kinds[rng.integers(len(kinds))]
    character = characters[rng.integers(len(characters))]
    if first != "A":  # 26 capitals, then the small letters
        character = chr(ord(first) + ord(character) - ord("A") - 6 * (characters is SMALL))
    return draw_character(character, Path(matplotlib.get_data_path()) / "fonts/ttf" / f"{file}.ttf")


def draw_character(character: str, typeface: Path) -> np.ndarray:
    """Return one character's ink (H, W) float64 in [0, 1], light on dark, with a margin around it."""
    font = ImageFont.truetype(str(typeface), HEIGHT)
    left, top, right, bottom = font.getbbox(character)
    picture = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN))
    ImageDraw.Draw(picture).text((MARGIN - left, MARGIN - top), character, 255, font=font)
    return np.asarray(picture) / 255


def capitals(typeface: Path) -> list[np.ndarray]:
    """Return the ink of each of `CAPITALS`, as `draw_character` does."""
    return [draw_character(letter, typeface) for letter in CAPITALS]
