"""Where things are: every relative path means "inside the project", whoever calls from wherever.

Installed by pip without its project, the package takes the folder that it is started in for one.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = any(PACKAGE.parent.glob("mnist_helpers-*.dist-info"))  # pip's note beside what it has copied
PROJECT_ROOT = Path.cwd() if INSTALLED else PACKAGE.parent


def resolve(path: str | Path) -> Path:
    """Return `path` as an absolute path; a relative one is taken from the project's top folder."""
    return (PROJECT_ROOT / Path(path).expanduser()).resolve()


def display_path(path: str | Path) -> str:
    """Return `path` as a reader should see it: relative to the project when inside it, and alike on every system."""
    path = resolve(path)
    return path.relative_to(PROJECT_ROOT).as_posix() if path.is_relative_to(PROJECT_ROOT) else str(path)
