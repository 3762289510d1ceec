"""Records: JSON files that end with a digest of themselves, which is asked for whenever one is read."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SerializeAsAny, TypeAdapter, ValidationError

from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT, display_path

RECORDS = "outputs"  # what commands measured, one file each
RESULTS_FILE = "results.json"  # of a run, in its output folder
DIGEST = "sha256"
_ENDS = {"}": f'"{DIGEST}": "%s"', "]": f'{{"{DIGEST}": "%s"}}'}
_SEAL = re.compile(r',\n (?:"sha256": "([0-9a-f]{64})"\n\}|\{"sha256": "([0-9a-f]{64})"\}\n\])\n\Z')


class DamagedError(ValueError):
    """A file that is not as it was written; the message says which, what is wrong, and what to do."""


def write_record(path: Path, record: BaseModel | Sequence[BaseModel]) -> None:
    """Write a record, or a list of some, with its digest, whole or not at all; WriteError: it cannot be written."""
    write_text_atomically(path, record_text(record))


def record_text(record: BaseModel | Sequence[BaseModel]) -> str:
    """Return what `write_record` writes."""
    if isinstance(record, BaseModel):
        return seal(record.model_dump_json(indent=1))
    return seal(TypeAdapter(list[SerializeAsAny[BaseModel]]).dump_json(list(record), indent=1).decode())


def read_record(path: Path, kind: Any, what: str, cure: str) -> Any:
    """Return the record of `kind`, a model or another type that pydantic knows, which must be as it was written.

    Raises FileNotFoundError: it is not there; DamagedError: its digest is of other bytes, or it is not `what` it
    should be. The messages name the command, or whatever else, that is the `cure`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{display_path(path)} is not there; {cure}")
    try:
        return TypeAdapter(kind).validate_json(unseal(path.read_bytes()))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        reason = f"{where} {problem['msg'].removeprefix('Value error, ')}".strip()
    except ValueError as error:
        reason = str(error)
    raise DamagedError(f"{display_path(path)} is not {what} ({reason}); it was left as it is; {_restore(path)}{cure}")


def seal(text: str) -> str:
    """Return the text of a JSON object or list, indented by one, with its digest as the last that it holds."""
    body = text.replace("\r\n", "\n").rstrip()
    if body[-2:] not in ("\n}", "\n]"):
        raise ValueError("no JSON object or list, indented by one, that holds something")
    digest = hashlib.sha256(f"{body}\n".encode()).hexdigest()
    return f"{body[:-2]},\n {_ENDS[body[-1]] % digest}\n{body[-1]}\n"


def unseal(data: bytes) -> str:
    """Return the text that `seal` was given; ValueError: it is another by now, or never had a digest."""
    if not data.strip():
        raise ValueError("it is empty")
    try:
        text = data.decode().replace("\r\n", "\n")  # as git may give it to Windows
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    found = _SEAL.search(text)
    if found is None:
        raise ValueError(
            "it does not end with its digest: it was cut short, or is older or another program's; if you know it to "
            "be whole, python -m mnist_helpers seal FILE adds one"
        )
    body = f"{text[: found.start()]}\n{text[-2]}\n"
    if hashlib.sha256(body.encode()).hexdigest() != (found[1] or found[2]):
        raise ValueError("its digest is of another text: it was changed or damaged after it was written")
    return body


def check_mark(results: Path, mark: str | None, of: Path) -> None:
    """Check that the file `of` bears the mark of the run whose `results` those are, if they can be read.

    Raises ValueError: it bears another one, since a run was stopped while it replaced the files of an older one.
    """
    try:
        expected = json.loads(results.read_bytes()).get("run")
    except (OSError, ValueError, AttributeError):
        return  # whoever reads them says what is wrong
    if mark != expected:
        raise ValueError(
            f"{display_path(of)} is of run {mark or '(no mark)'}, {display_path(results)} of run "
            f"{expected or '(no mark)'}: they do not belong together; train again, or put files of one run there"
        )


def _restore(path: Path) -> str:
    """Return how a published record comes back, nothing for others."""
    records = PROJECT_ROOT / RECORDS
    published = path.is_relative_to(records) and not path.is_relative_to(records / "own")
    return f"git checkout -- {display_path(path)} restores it; or " if published else ""


def seal_file(path: Path) -> bool:
    """Give a record without a digest its own; return whether it had none; ValueError: it is of other bytes."""
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    if _SEAL.search(text.replace("\r\n", "\n")):
        unseal(data)
        return False
    write_text_atomically(path, seal(text))
    return True
