"""Where things are: every relative path means "inside the project", whoever calls from wherever.

Installed by pip without its project, the package takes the folder that it is started in for one.
"""

import os
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = any(PACKAGE.parent.glob("mnist_helpers-*.dist-info"))  # pip's note beside what it has copied
PROJECT_ROOT = Path.cwd() if INSTALLED else PACKAGE.parent
LONGEST_NAME = 255  # bytes, of a file or folder


def resolve(path: str | Path) -> Path:
    """Return `path` as an absolute path; a relative one is taken from the project's top folder."""
    return (PROJECT_ROOT / Path(path).expanduser()).resolve()


def display_path(path: str | Path) -> str:
    """Return `path` as a reader should see it: relative to the project when inside it, and alike on every system."""
    path = resolve(path)
    return path.relative_to(PROJECT_ROOT).as_posix() if path.is_relative_to(PROJECT_ROOT) else str(path)


def as_meant(path: str) -> str:
    """Return a path as the person who gives it means it: `$HOME` and the like filled in.

    Raises ValueError for one that means nothing: blank, with blanks at its ends or signs that cannot be seen, with a
    variable that is not set, in the home folder of nobody, or of a name longer than file systems take.
    """
    if not path or path != path.strip() or not path.isprintable():
        raise ValueError("a path, without blanks at its ends")
    full = os.path.expandvars(path)
    if unset := re.search(r"\$\w+|\$\{[^}]*\}?|%\w+%", full):
        raise ValueError(f"a path whose variables are set; {unset[0]} is not")
    try:
        parts = Path(full).expanduser().parts
    except RuntimeError:
        raise ValueError("a path whose home folder exists") from None
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        raise ValueError(f"a path of names of up to {LONGEST_NAME} bytes")
    return full
