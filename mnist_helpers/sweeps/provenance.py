"""Which code made a record: git commit, and a hash of the rooms that decide a run's numbers."""

import hashlib
import subprocess
from pathlib import Path

from pydantic import BaseModel

from mnist_helpers.paths import PROJECT_ROOT

PACKAGE = Path(__file__).resolve().parent.parent
DECIDING = ("data", "networks", "training", "runs")
"""Rooms whose code moves a run's numbers, or may: a comment counts too, better one repeat too many."""


class CodeVersion(BaseModel, frozen=True):
    """The code of a run; `sources` alone says whether two runs were made by the same code."""

    commit: str | None
    """None outside a git checkout of this project."""
    dirty: bool | None
    """The helpers held changes that were not committed."""
    sources: str
    """Hash of the rooms in `DECIDING`. A network of one's own has its hash in the configuration."""


def source_hash(package: Path = PACKAGE) -> str:
    """Return a hash of the names and texts of all modules in the rooms in `DECIDING`; line ends do not count."""
    digest = hashlib.sha256()
    for path in sorted(path for room in DECIDING for path in (package / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8").encode()
        # lengths keep a line that moves from one file to the next from going unseen
        digest.update(f"{path.relative_to(package).as_posix()} {len(text)}\n".encode() + text)
    return digest.hexdigest()[:16]


def code_version() -> CodeVersion:
    """Return the version of the helpers as they are on disk now."""
    commit = dirty = None
    checkout = _git("rev-parse", "--show-toplevel", "HEAD").splitlines()
    # a project unpacked inside someone else's repository has no commit of its own
    if checkout and Path(checkout[0]).resolve() == PROJECT_ROOT:
        commit, dirty = checkout[1], bool(_git("status", "--porcelain", "--", PACKAGE.name))
    return CodeVersion(commit=commit, dirty=dirty, sources=source_hash())


def _git(*arguments: str) -> str:
    """Return what git says, nothing where it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
