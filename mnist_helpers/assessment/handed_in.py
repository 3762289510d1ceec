"""Which files are to be judged: one, those of a folder, or of these what git says has changed."""

import subprocess
from pathlib import Path

from mnist_helpers.paths import display_path, resolve
from mnist_helpers.runs import ConfigError


def find_submissions(given: str, changed_since: str | None = None) -> list[tuple[Path, str]]:
    """Return the file of every submission, and its class where `given` is `file.py:Class`, else an empty text.

    `changed_since`: a commit; of a folder only what is new or other since then. Raises ConfigError: there is none, or
    one lies in a folder below, where nobody would judge it.
    """
    path, _, maker = given.rpartition(":")
    file = resolve(path if path.endswith(".py") else given)
    if file.is_dir():
        files = sorted(file.glob("*.py"))
        if not files:
            raise ConfigError(f"{display_path(file)} holds no submission; allowed: a folder of .py files")
        changed = _changed(file, changed_since) if changed_since else [*file.glob("*/*.py"), *files]
        if below := [each for each in changed if each.suffix == ".py" and each.parent != file and each.exists()]:
            names = ", ".join(each.relative_to(file).as_posix() for each in below)
            raise ConfigError(f"{names}: in a folder below {display_path(file)}; move every submission into it")
        return [(each, "") for each in files if each in changed]
    if not file.is_file() or file.suffix != ".py":
        raise ConfigError(f"{given!r} is not there; allowed: file.py:Class, file.py, or a folder of such files")
    return [(file, maker if path.endswith(".py") else "")]


def _changed(folder: Path, commit: str) -> list[Path]:
    command = ["git", "diff", "--name-only", "-z", "--relative", "--end-of-options", commit, "--", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"--changed-since {commit}: {done.stderr.strip().splitlines()[0]}")
    return [folder / name for name in done.stdout.split("\0")]
