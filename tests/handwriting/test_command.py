"""Photos read from the shell: what is printed, what is written, and what is said when a file is no photo."""

import csv
import json

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from mnist_helpers.handwriting import command
from mnist_helpers.handwriting.pages import draw_page
from mnist_helpers.paths import PROJECT_ROOT


@pytest.fixture(scope="module")
def page():
    return draw_page("rows")


@pytest.fixture
def photos(page, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "FOLDER", str(tmp_path / "read"))
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(page.grey).save(folder / "page.png")
    return folder


def test_json_is_all_that_is_printed_and_in_reading_order(photos, page, capsys):
    assert command.main([str(photos / "page.png"), "--json", "--network", "tiny"]) == 0
    (read,) = json.loads(capsys.readouterr().out)
    assert read["file"] == str(photos / "page.png")
    assert len(read["digits"]) == len(page.digits)
    right = 0
    for found, (digit, (x, y, width, height)) in zip(read["digits"], page.digits, strict=True):
        assert set(found) == {"digit", "confidence", "box", "line"}
        right += found["digit"] == digit
        assert np.abs(np.array(found["box"]) - (x, y, width, height)).max() <= 8
    assert right >= 0.9 * len(page.digits)
    lines = [found["line"] for found in read["digits"]]
    assert lines == sorted(lines)
    assert not (photos.parent / "read").exists()


def test_a_folder_is_read_whole_and_a_bad_file_costs_one_line(photos, capsys):
    (photos / "broken<b>.jpg").write_bytes(b"no photo")
    (photos / "labels.txt").write_text("not asked for")
    (photos / "empty paper.png").write_bytes((photos / "page.png").read_bytes())
    Image.new("L", (300, 200), 230).save(photos / "empty paper.png")
    assert command.main([str(photos), "--network", "tiny"]) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "broken<b>.jpg" in err
    assert "nothing found" in out
    written = sorted(path.name for path in (photos.parent / "read").iterdir())
    assert written == [f"{name}.png.{end}" for name in ("empty_paper", "page") for end in ("csv", "read.png")]
    with (photos.parent / "read" / "page.png.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 32
    assert {row["why"] for row in rows if not row["digit"]} <= {"not sure", "no digit"}
    with Image.open(photos.parent / "read" / "page.png.read.png") as picture:
        assert picture.width > 800


@pytest.mark.parametrize("name", ["", "gone.png", "empty"])
def test_what_is_not_there_is_said_in_one_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert command.main([name, "--network", "tiny"]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1


@pytest.mark.smoke
def test_the_notebook_reads_a_folder_of_photos_as_it_reads_its_drawn_page(photos, page, tmp_path):
    Image.fromarray(page.grey[:, ::-1].T).save(photos / "zzz.png")
    notebook = nbformat.read(PROJECT_ROOT / "notebooks" / "10_your_own_digits.ipynb", as_version=4)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    elsewhere = f"from mnist_helpers.handwriting import command\ncommand.FOLDER = {str(tmp_path / 'read')!r}"
    parameters.source = f"photo = {str(photos)!r}\nnetwork = 'tiny'\n{elsewhere}"
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "page.png: 1040 × 720 grey values" in printed
    assert "your photos read: 2" in printed
    written = sorted(path.name for path in (tmp_path / "read").iterdir())
    assert written == [f"{name}.png.{end}" for name in ("page", "zzz") for end in ("csv", "read.png")]
