"""A photo or scan opened as grey values, whatever its colours, depth, turn and size, or one line saying why not."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from mnist_helpers.paths import resolve

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
ALLOWED = "allowed: JPEG, PNG, WebP, TIFF, BMP, and HEIC with the optional extra"
HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1")  # how such files begin, after four bytes (ISO/IEC 23008-12)
MOST_PIXELS = 36_000_000  # a page of A4 at 600 dots an inch has 35; with four colours each they take 144 MB
MOST_IN_JPEG = 50_000_000  # as phones make; of three colours or one, and only a part of them is decoded
LONGEST = 2400  # pixels of the longer side that are worth looking at: a page of 30 lines has 80 for each
MOST_SEEN = 2400 * 1800  # pixels left of a photo that is scaled down: of a square one as many as of one of 4:3
SMALLEST = 8  # pixels: less is no digit
STRIP = 64  # rows of blocks looked at together: a second copy of the whole would be as large as the first
FAINT = 0.1  # contrast, of that between black and white


class PhotoError(ValueError):
    """A file is no photo that can be read; the message is one line, safe to print."""


@dataclass(frozen=True)
class Photo:
    """Grey values (H, W) float32 from 0, black, to 1, white; `scale` pixels of the file, turned upright, to one."""

    name: str
    grey: np.ndarray
    scale: float = 1


def open_photo(path: str | Path) -> Photo:
    """Open one photo, turned as its camera says (EXIF), what is transparent as paper, big ones scaled down.

    A relative path is taken from here, else from the project's top folder. Raises PhotoError: the file is missing, a
    folder, empty, damaged, no picture, animated, too big, or of a kind that can be read in several ways.
    """
    name = printable(Path(path).name or path)
    formats = FORMATS
    try:
        path = Path(path).expanduser()
        path = path if path.exists() else resolve(path)
        if path.is_dir():
            raise PhotoError(f"{name} is a folder; name one photo in it, or give the folder to `make read`")
        if not path.is_file():
            raise PhotoError(f"there is no file {printable(path)}")
        if not path.stat().st_size:
            raise PhotoError(f"{name} is empty (0 bytes)")
        with path.open("rb") as stream:
            if stream.read(12)[4:] in HEIC:
                formats = _with_heic(name)
    except (OSError, ValueError) as error:
        raise (
            error if isinstance(error, PhotoError) else PhotoError(f"{name} cannot be opened: {_reason(error)}")
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=formats) as image:
                _check(name, image)
                longer = max(image.size)
                image.draft("L", (LONGEST, LONGEST))  # JPEG only: decodes fewer pixels, at least so many
                side = math.ceil(max(image.size) / LONGEST)
                side += side > 1 and image.width * image.height > MOST_SEEN * side**2
                grey = _seen(*_shrunk(image, side), image.getexif().get(ExifTags.Base.Orientation, 1))
                return Photo(name, grey, side * longer / max(image.size))
    except PhotoError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise PhotoError(_too_big(name)) from None
    except Image.UnidentifiedImageError:
        raise PhotoError(f"{name} is no picture, whatever its name says; {ALLOWED}") from None
    except Exception as error:  # a decoder given a stranger's bytes may raise anything
        raise PhotoError(f"{name} is damaged or of a rare kind ({_reason(error)}); save it as PNG or JPEG") from None


def printable(name: str | Path) -> str:
    """Return a file's name on one line: line ends, terminal codes and bytes that are no text as escapes."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "backslashreplace").decode()
        for sign in str(name)
    )


def _with_heic(name: str) -> tuple[str, ...]:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise PhotoError(f"{name} is HEIC; install the extra: pip install -e '.[heic]', or save it as JPEG") from None
    register_heif_opener()
    return (*FORMATS, "HEIF")


def _check(name: str, image: Image.Image) -> None:
    """Raise PhotoError for what cannot be a photo of digits, or may be read in several ways, before it is decoded."""
    most = MOST_IN_JPEG if image.format in ("JPEG", "MPO") and image.mode != "CMYK" else MOST_PIXELS
    if image.width * image.height > most:
        raise PhotoError(_too_big(name, most))
    if min(image.size) * LONGEST < SMALLEST * max(image.size) or min(image.size) < SMALLEST:
        raise PhotoError(f"{name} has {image.width} × {image.height} pixels: too narrow for a digit")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # MPO: a phone's JPEG with a second view
        raise PhotoError(
            f"{name} has {image.n_frames} pictures (animated, or pages); save one of them as PNG or JPEG"
        )
    if image.mode in ("I", "F"):
        raise PhotoError(
            f"{name} has 32 bits a pixel, and nothing says what white is; save it as PNG of 8 or 16 bits"
        )


def _shrunk(image: Image.Image, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return means (H, W) float32, 0 to 1, of whole blocks of `side` × `side` pixels: opaque light, opacity."""
    width, height = (length // side for length in image.size)
    light, cover = np.ones((2, height, width), np.float32)
    for top in range(0, height, STRIP):
        rows = min(STRIP, height - top)
        strip = image.crop((0, top * side, width * side, (top + rows) * side))
        for whole, values in zip((light, cover), _light_and_cover(strip), strict=False):  # opaque: no second
            whole[top : top + rows] = Image.fromarray(values).reduce(side)
    return light, cover


def _light_and_cover(strip: Image.Image) -> tuple[np.ndarray, ...]:
    if strip.mode.startswith("I;16"):
        values = np.asarray(strip)
        light = values / np.float32(np.iinfo(values.dtype).max)
        cover = (values != strip.info["transparency"]).astype(np.float32) if "transparency" in strip.info else None
    elif strip.has_transparency_data:
        strip = strip.convert("RGBA")
        light, cover = (np.asarray(part, np.float32) / 255 for part in (strip.convert("L"), strip.getchannel("A")))
    else:
        light, cover = np.asarray(strip.convert("L"), np.float32) / 255, None
    return (light,) if cover is None else (light * cover, cover)


def _seen(light: np.ndarray, cover: np.ndarray, orientation: int) -> np.ndarray:
    """Return grey values as on white paper, or on black where white would show nothing; turned as EXIF says."""
    on_white = light + (1 - cover)
    picture = Image.fromarray(on_white if np.ptp(on_white) > FAINT else light)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return np.array(ImageOps.exif_transpose(picture))


def _too_big(name: str, most: int = MOST_PIXELS) -> str:
    return f"{name} has more than {most // 10**6} megapixels; scale it down first"


def _reason(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or error)
