"""The MNIST files on disk: verified by hash on every use, extracted once, downloaded only into an empty folder."""

import errno
import gzip
import hashlib
import shutil
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mnist_helpers.files import remove_partials, write_atomically
from mnist_helpers.paths import PROJECT_ROOT, display_path

# name: (MD5 of the .gz as torchvision lists it, MD5 of what it extracts to)
MD5 = {
    "train-images-idx3-ubyte": ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
}
TRAINING = tuple(name for name in MD5 if name.startswith("train"))
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class DataError(RuntimeError):
    """The MNIST files are not there, or are not MNIST; the message says which, why, and what restores them."""


def prepare_raw_folder(data_dir: Path, names: Collection[str] = tuple(MD5)) -> Path:
    """Make sure that `data_dir`, torchvision's `root`, holds the genuine files `names` extracted; return where.

    Every archive and extracted file there is hashed: torchvision only checks that extracted files exist. An archive
    that somebody has packed again will do if it holds the published bytes. What is missing is extracted from its
    archive; where that is missing too, torchvision downloads. In a folder that is read only, such as a class' common
    one, archives are left as they are (`extracted`). Raises DataError: a file differs from the published one, the
    folder is full, or a download failed; then nothing new is there.
    """
    raw = data_dir / "MNIST" / "raw"
    remove_partials(raw)
    for name, (archive_md5, file_md5) in MD5.items():
        _check(raw / f"{name}.gz", archive_md5, file_md5)
    try:
        missing = [name for name in names if not (raw / name).exists() and not (raw / f"{name}.gz").exists()]
        if missing:
            _download(missing, data_dir, raw)
        for name in names:
            if not (raw / name).exists():
                _extract(raw / f"{name}.gz", raw / name)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise DataError(
                f"MNIST cannot be extracted into {display_path(raw)}: {error.strerror or error}. "
                "Give data_dir a folder you can write to."
            ) from error
    for name, (_, file_md5) in MD5.items():
        _check(raw / name, file_md5)
    return raw


def extracted(path: Path, elsewhere: Path) -> Path:
    """Return where a verified file lies extracted: at `path`, or else made from its archive in `elsewhere`."""
    if path.exists():
        return path
    _extract(path.with_name(f"{path.name}.gz"), elsewhere / path.name)
    return elsewhere / path.name


def _check(path: Path, expected: str, held: str | None = None) -> None:
    """Check that a file, if there, has the MD5 `expected`, or is an archive of a file with the MD5 `held`."""
    if not path.exists():
        return
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "md5").hexdigest()
    if actual != expected and not (held and _holds(path, held)):
        raise DataError(
            f"{display_path(path)} is not the published MNIST file: MD5 expected {expected}, actual {actual} "
            f"({path.stat().st_size:,} bytes). Restore it with: {_restore_command(path)}"
        )


def _holds(archive: Path, expected: str) -> bool:
    try:
        with gzip.open(archive) as stream:
            return hashlib.file_digest(stream, "md5").hexdigest() == expected
    except (OSError, EOFError, zlib.error):
        return False


def _restore_command(path: Path) -> str:
    """Return the shell command after which the next run finds the genuine file again."""
    in_git = path.is_relative_to(PROJECT_ROOT / "data") and (PROJECT_ROOT / ".git").exists()
    if path.suffix == ".gz" and in_git:
        return f"git checkout -- {display_path(path)}"
    then = "downloaded" if path.suffix == ".gz" else "extracted"
    return f"rm '{display_path(path)}'  (it is {then} again by the next run)"


def _extract(archive: Path, target: Path) -> None:
    # written whole or not at all: a run killed here must not leave a truncated file that merely "exists"
    with gzip.open(archive) as source:
        write_atomically(target, lambda stream: shutil.copyfileobj(source, stream, 2**20))


def _download(missing: Sequence[str], data_dir: Path, raw: Path) -> None:
    from torchvision import datasets  # here: seconds, and hardly anybody downloads

    try:
        with TemporaryDirectory() as folder:  # whatever a broken download leaves goes with it
            datasets.MNIST(folder, download=True)
            raw.mkdir(parents=True, exist_ok=True)
            for name in missing:
                write_atomically(raw / f"{name}.gz", (Path(folder) / "MNIST" / "raw" / f"{name}.gz").read_bytes())
    except (RuntimeError, OSError) as error:
        raise DataError(
            f"MNIST is not in {display_path(raw)}: it lacks {', '.join(missing)}, packed (.gz) or not, which could "
            f"not be downloaded into it ({str(error).strip().splitlines()[-1]}).{_found(missing, data_dir, raw)} "
            'Check the network, or use the copy that comes with the project: data_dir="data".'
        ) from error


def _found(missing: Sequence[str], data_dir: Path, raw: Path) -> str:
    """Return a sentence on files that may be the missing ones under other sites' names, or in other folders."""
    paths = [path for depth in ("*", "*/*", "*/*/*") for path in sorted(data_dir.glob(depth))]
    named = {path: path.name.removesuffix(".gz").replace(".idx", "-idx") for path in paths}
    found = [display_path(path) for path, name in named.items() if name in missing]
    return f" Found: {', '.join(found)}. Copy these to {display_path(raw)}, named as above." if found else ""
