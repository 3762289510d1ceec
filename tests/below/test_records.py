"""A record knows whether it is as it was written, whatever happened to it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mnist_helpers import commands
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.records import DamagedError, read_record, seal, unseal, write_record


class Figure(BaseModel, frozen=True):
    name: str
    value: float


FIGURES = st.builds(Figure, name=st.text(), value=st.floats(allow_nan=False, allow_infinity=False))


@given(figure=FIGURES)
def test_what_is_written_is_read_alone_and_in_a_list(tmp_path_factory, figure):
    path = tmp_path_factory.mktemp("record") / "a.json"
    for record, kind in ((figure, Figure), ([figure, figure], list[Figure])):
        write_record(path, record)
        assert read_record(path, kind, "a figure", "measure it") == record
        assert json.loads(path.read_text())  # for everybody else it is JSON
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # as git may give it to Windows
        assert read_record(path, kind, "a figure", "measure it") == record


def damages(data: bytes):
    """Every single bit flipped, every length cut, emptied, and something behind."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        yield data[:place]
    yield data + b" "
    yield seal('{\n "name": "another"\n}').encode()


def test_every_damage_is_seen_and_named(tmp_path):
    path = tmp_path / "a.json"
    for record, kind in ((Figure(name="x", value=1), Figure), ([Figure(name="x", value=1)], list[Figure])):
        write_record(path, record)
        for damaged in damages(path.read_bytes()):
            path.write_bytes(damaged)
            with pytest.raises(DamagedError, match=r"a\.json is not a figure \(.*; it was left as it is; measure it"):
                read_record(path, kind, "a figure", "measure it")
            assert path.read_bytes() == damaged


def test_a_published_record_is_restored_by_git(monkeypatch):
    path = PROJECT_ROOT / "outputs" / "no_such.json"
    with pytest.raises(FileNotFoundError, match=r"outputs/no_such\.json is not there; measure it"):
        read_record(path, Figure, "a figure", "measure it")
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"{}")
    with pytest.raises(DamagedError, match=r"git checkout -- outputs/no_such\.json restores it; or measure it"):
        read_record(path, Figure, "a figure", "measure it")


def test_every_published_record_is_as_it_was_written(capsys):
    assert commands.seal([]) == 0
    assert capsys.readouterr().out == ""  # none was without a digest


def test_an_older_record_is_given_a_digest_and_a_damaged_one_is_not(tmp_path, capsys):
    path = tmp_path / "a.json"
    text = Figure(name="x", value=1).model_dump_json(indent=1) + "\n"
    path.write_text(text)
    assert commands.seal([str(path)]) == 0
    assert unseal(path.read_bytes()) == text
    path.write_bytes(damaged := path.read_bytes().replace(b"1", b"2", 1))
    capsys.readouterr()
    assert commands.seal([str(path)]) == 1
    assert "its digest is of another text" in capsys.readouterr().err
    assert path.read_bytes() == damaged
