"""Whatever a file holds: the photo as a person sees it, or one line that says what is wrong."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_helpers.handwriting.photo import LONGEST, MOST_IN_JPEG, MOST_PIXELS, PhotoError, open_photo, printable

INK, PAPER = 20, 230


@pytest.fixture
def page() -> Image.Image:
    """Forty by sixty pixels, ink at the top left."""
    grey = np.full((40, 60), PAPER, np.uint8)
    grey[4:16, 6:18] = INK
    return Image.fromarray(grey)


def transparent(colour: int) -> Image.Image:
    """Ink of that grey value on nothing."""
    pixels = np.full((40, 60, 4), colour, np.uint8)
    pixels[..., 3] = 0
    pixels[4:16, 6:18, 3] = 255
    return Image.fromarray(pixels)


def sixteen_bits(page: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(page).astype(np.uint16) * 257)


WAYS = {
    "grey.png": lambda page: page,
    "colour.jpg": lambda page: page.convert("RGB"),
    "cmyk.jpg": lambda page: page.convert("CMYK"),
    "cmyk.tif": lambda page: page.convert("CMYK"),
    "16bit.png": sixteen_bits,
    "16bit.tif": sixteen_bits,
    "1bit.png": lambda page: page.point(lambda grey: 255 * (grey > 128)).convert("1"),
    "palette.png": lambda page: page.convert("RGB").quantize(8),
    "palette.gif": lambda page: page.convert("P"),
    "alpha.png": lambda page: page.convert("LA"),
    "transparent.png": lambda page: transparent(INK),
    "transparent.webp": lambda page: transparent(INK),
    "transparent_palette.png": lambda page: transparent(INK).quantize(8),
    "page.bmp": lambda page: page,
    "a_png_named.jpg": lambda page: page,
}


@pytest.mark.parametrize("name", WAYS)
def test_every_kind_of_picture_is_seen_as_it_is(name, page, tmp_path):
    options = {"lossless": True} if name.endswith("webp") else {}
    options |= {"format": "PNG"} if name.startswith("a_png") else {}
    WAYS[name](page).save(tmp_path / name, **options)
    grey = open_photo(tmp_path / name).grey
    assert grey.shape == (40, 60)
    assert grey.dtype == np.float32
    assert grey[7:13, 9:15].mean() < 0.15
    assert grey[25:].mean() > 0.85


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_as_an_iphone_keeps_it_is_read_where_the_extra_is_installed(page, tmp_path, orientation):
    heif = pytest.importorskip("pillow_heif", reason="an optional extra (make test-heic)")
    exif = Image.Exif()
    exif[274] = orientation
    stored = page.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else page
    large = stored.convert("RGB").resize((4 * stored.width, 4 * stored.height), Image.Resampling.NEAREST)
    heif.from_pillow(large).save(tmp_path / "photo.heic", quality=90, exif=exif.tobytes())
    grey = open_photo(tmp_path / "photo.heic").grey
    assert grey.shape == (160, 240)
    assert np.abs(grey[::4, ::4] - np.asarray(page) / 255).mean() < 0.02


@pytest.mark.parametrize("name", ["page.jpg", "page.png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_camera_says(page, tmp_path, name, orientation):
    turns = {  # how a camera stores what it sees (EXIF 2.3, tag 274): undone by the reader
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[274] = orientation
    stored = page.transpose(turns[orientation]) if orientation in turns else page
    stored.save(tmp_path / name, exif=exif, **({"quality": 95} if name.endswith("jpg") else {}))
    assert np.abs(open_photo(tmp_path / name).grey - np.asarray(page) / 255).mean() < 0.02


def test_light_ink_without_paper_is_seen_on_dark(tmp_path):
    transparent(255).save(tmp_path / "white.png")
    grey = open_photo(tmp_path / "white.png").grey
    assert grey[10, 10] == 1
    assert grey[30, 30] == 0


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_big_photo_is_scaled_down_and_says_by_how_much(tmp_path, ending):
    width, height = 4000, 3000
    picture = Image.new("L", (width, height), PAPER)
    picture.paste(INK, (2000, 1500, 2400, 1700))
    picture.save(tmp_path / f"big.{ending}")
    photo = open_photo(tmp_path / f"big.{ending}")
    assert max(photo.grey.shape) <= LONGEST
    rows, columns = np.nonzero(photo.grey < 0.5)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) * photo.scale
    assert np.allclose(box, [2000, 1500, 2400, 1700], atol=2 * photo.scale)


def test_a_transparent_photo_that_is_scaled_down_is_seen_on_paper_whatever_its_strips(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5003, 2402, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "big.png", compress_level=0)
    grey, cover = np.asarray(Image.fromarray(pixels).convert("L")) / 255, pixels[..., 3] / 255
    on_white = (grey * cover + 1 - cover)[:5001, :2400].reshape(1667, 3, 800, 3).mean((1, 3))
    photo = open_photo(tmp_path / "big.png")
    assert photo.scale == 3
    assert np.abs(photo.grey - on_white).max() < 1e-5


MOST_MEBIBYTES = 10**9 / 2**20  # a gigabyte, of a process that reads a photo of the most pixels allowed
READ_AND_MEASURED = """
import re, sys
from pathlib import Path
from mnist_helpers.handwriting import command, open_photo
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
before = peak()
{work}
print(before, peak())
"""
has_peak = pytest.mark.skipif(sys.platform != "linux", reason="where /proc says the most memory that was used")


def mebibytes(work: str, *given: object) -> list[int]:
    """Return the most memory that a process of its own used, before and after this work."""
    program = READ_AND_MEASURED.format(work=work)
    done = subprocess.run([sys.executable, "-c", program, *map(str, given)], capture_output=True, check=True)
    return [int(number) for number in done.stdout.split()[-2:]]


@has_peak
def test_a_large_photo_is_never_copied_whole(tmp_path):
    Image.new("RGBA", (5000, 5000), (PAPER, PAPER, PAPER, 255)).save(tmp_path / "big.png", compress_level=1)
    before, after = mebibytes("open_photo(sys.argv[1])", tmp_path / "big.png")
    assert after - before < 2.2 * 5000 * 5000 * 4 / 2**20  # decoded it has so many bytes, and the page some


TURNED = Image.Exif()
TURNED[274] = 6
LARGEST = {  # what takes most to decode: four colours, a TIFF that is turned, a JPEG that comes in ever finer scans
    "noise.png": ("RGBA", MOST_PIXELS, {"compress_level": 0}),
    "turned.tif": ("RGB", MOST_PIXELS, {"exif": TURNED}),
    "scans.jpg": ("RGB", MOST_IN_JPEG, {"progressive": True, "subsampling": 0}),
    "ink.jpg": ("CMYK", MOST_PIXELS, {"progressive": True}),
}


@has_peak
@pytest.mark.training
@pytest.mark.parametrize("name", [pytest.param("noise.png", marks=pytest.mark.quick), *list(LARGEST)[1:]])
def test_the_largest_photo_is_read_with_less_than_a_gigabyte(tmp_path, name):
    mode, pixels, options = LARGEST[name]
    size = (6000, pixels // 6000)
    bands = [Image.effect_noise(size, 60) for _ in Image.new(mode, (1, 1)).getbands()]
    Image.merge(mode, bands).save(tmp_path / name, **options)
    assert mebibytes("command.main([sys.argv[1], '--json'])", tmp_path / name)[1] < MOST_MEBIBYTES


@pytest.mark.parametrize(
    ("name", "mode", "most"),
    [("page.png", "L", MOST_PIXELS), ("page.jpg", "L", MOST_IN_JPEG), ("page.jpg", "CMYK", MOST_PIXELS)],
)
def test_as_many_pixels_as_are_allowed_are_read_and_more_are_refused(tmp_path, name, mode, most):
    for rows in (most // 6000, most // 6000 + 1):
        Image.new("L", (6000, rows), PAPER).convert(mode).save(tmp_path / name)
        if 6000 * rows <= most:
            assert max(open_photo(tmp_path / name).grey.shape) <= LONGEST
        else:
            with pytest.raises(PhotoError, match=f"more than {most // 10**6} megapixels; scale it down first"):
                open_photo(tmp_path / name)


def test_a_photo_read_as_data_loads_no_pictures_and_pictures_are_there_when_asked_for(page, tmp_path):
    page.save(tmp_path / "page.png")
    program = (
        "import sys; from mnist_helpers import handwriting\n"
        "status = handwriting.command.main([sys.argv[1], '--json'])\n"
        "assert 'matplotlib' not in sys.modules; handwriting.plot_page; assert 'matplotlib' in sys.modules\n"
        "assert not hasattr(handwriting, 'plot_nothing') and not hasattr(handwriting, 'nothing'); sys.exit(status)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "page.png"], check=True)


def make_broken(folder):
    """Files that are no photo, by what has to be said of them."""
    page = Image.new("RGB", (300, 200), (200, 200, 200))
    page.putpixel((5, 5), (0, 0, 0))
    for name in ("cut.jpg", "cut.png", "cut.webp", "cut.tif"):
        page.save(folder / name)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) * 2 // 3])
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("no picture", encoding="utf-8")
    (folder / "postscript.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", encoding="utf-8")
    (folder / "folder").mkdir()
    other = page.rotate(180)
    page.save(folder / "moving.gif", save_all=True, append_images=[other])
    page.save(folder / "moving.png", save_all=True, append_images=[other])
    page.save(folder / "pages.tif", save_all=True, append_images=[other])
    Image.new("L", (20_000, 9)).save(folder / "narrow.png")
    Image.new("L", (3, 3)).save(folder / "tiny.png")
    Image.new("1", (10_000, 10_000)).save(folder / "huge.png")
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    Image.fromarray(np.zeros((40, 60), np.float32)).save(folder / "floats.tif")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    return {
        **dict.fromkeys(("cut.jpg", "cut.png", "cut.webp", "cut.tif"), "damaged"),
        "empty.png": "empty",
        **dict.fromkeys(("text.jpg", "postscript.png"), "no picture"),
        "folder": "folder",
        **dict.fromkeys(("moving.gif", "moving.png", "pages.tif"), "2 pictures"),
        **dict.fromkeys(("narrow.png", "tiny.png"), "too narrow"),
        **dict.fromkeys(("huge.png", "bomb.png"), f"more than {MOST_PIXELS // 10**6} megapixels"),
        "floats.tif": "32 bits",
        "phone.heic": "HEIC",
        "missing.png": "no file",
        "a" * 300: "cannot be opened",
        "nul\0": "cannot be opened",
    }


def test_what_is_no_photo_is_refused_in_one_line_that_says_why(tmp_path):
    for name, expected in make_broken(tmp_path).items():
        with pytest.raises(PhotoError, match=expected) as caught:
            open_photo(tmp_path / name)
        assert "\n" not in str(caught.value), name


@pytest.mark.parametrize(
    ("size", "scale"), [((2400, 2400), 1), ((4800, 3600), 2), ((4800, 3700), 3), ((4000, 4000), 2), ((4800, 4800), 3)]
)
def test_of_a_square_photo_no_more_pixels_are_left_than_of_one_of_4_to_3(tmp_path, size, scale):
    Image.new("L", size, PAPER).save(tmp_path / "page.png", compress_level=1)
    photo = open_photo(tmp_path / "page.png")
    assert photo.scale == scale
    assert photo.grey.shape == (size[1] // scale, size[0] // scale)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=60))
def test_a_name_is_printed_on_one_line(name):
    shown = printable(name)
    assert shown.isprintable()
    shown.encode("utf-8")


def test_names_with_line_ends_and_terminal_codes_are_read_and_shown_safely(page, tmp_path):
    page.save(tmp_path / "<b>\n\x1b[31m.png")
    assert open_photo(tmp_path / "<b>\n\x1b[31m.png").name == "<b>\\n\\x1b[31m.png"


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_damage_is_a_photo_error_or_a_photo(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "page.png"
    Image.new("L", (64, 48), 200).save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        shape = open_photo(path).grey.shape
    except PhotoError:
        return
    assert len(shape) == 2
