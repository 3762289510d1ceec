"""Files of every kind that is read, damaged in every way: the error names the file, or the damage does not matter."""

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mnist_helpers.data import Images, load_mnist
from mnist_helpers.looking import Noted
from mnist_helpers.networks import WEIGHTS_FILE
from mnist_helpers.paths import resolve
from mnist_helpers.records import RECORDS, RESULTS_FILE, read_record, write_record
from mnist_helpers.runs import load_weights, read_results
from mnist_helpers.sweeps import Study
from mnist_helpers.training import load_checkpoint
from mnist_helpers.trust.runs import Reference
from mnist_helpers.trust.trial import Kind, Trial

RAW = Path("MNIST") / "raw"


@dataclass(frozen=True)
class Read:
    """A kind of file that is read: where a whole one is, below the folder that a reader is given."""

    name: str
    source: Callable[[], Path]  # a whole folder
    file: str  # in it
    read: Callable[[Path], Any]
    most: int


def _cut(random: random.Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def _flip(random: random.Random, data: bytes) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _blank(random: random.Random, data: bytes) -> bytes:
    """Zeros from some byte on, as a crashed file system leaves them."""
    kept = random.randrange(len(data))
    return data[:kept] + bytes(len(data) - kept)


def _empty(_: random.Random, __: bytes) -> bytes:
    return b""


def _other(random: random.Random, _: bytes) -> bytes:
    return random.choice(
        [b"{}\n", b"[]\n", b"PK\x03\x04", b"\x1f\x8b\x08", random.randbytes(500), b"\x80\x04]q\x00."]
    )


DAMAGES = (_cut, _flip, _blank, _empty, _other)


def damages(reference: Reference, place: Path) -> list[Kind]:
    """Return a kind of trials for each kind of file, and that of single bits of a checkpoint."""

    def ledger() -> Path:
        folder = place / "ledger"
        if not folder.exists():
            folder.mkdir()
            run = Noted(name="x", seed=0, parameters=1, epochs=1, train_size=None, test_accuracy=0.5)
            write_record(folder / "ledger.json", [run])
        return folder

    def data() -> Path:
        folder = place / "data"
        if not folder.exists():
            shutil.copytree(resolve("data"), folder)
            load_mnist(folder)
        return folder

    def at(path: str) -> Callable[[], Path]:
        return lambda: resolve(RECORDS) / path

    def record(name: str, kind: Any) -> Callable[[Path], Any]:
        return lambda folder: read_record(folder / name, kind, "a record", "make it again")

    reads = [
        Read("checkpoints", reference.folder, "checkpoints/epoch_03.pth", _checkpoint("epoch_03.pth"), 60),
        Read("best models", reference.folder, "checkpoints/best_model.pth", _checkpoint("best_model.pth"), 60),
        Read("results", reference.folder, RESULTS_FILE, read_results, 60),
        Read("weights", reference.folder, WEIGHTS_FILE, _state, 60),
        Read("studies", at("studies"), "tiny.json", record("tiny.json", Study), 60),
        Read("ledgers of one's own", ledger, "ledger.json", record("ledger.json", list[Noted]), 60),
        Read("archives", data, f"{RAW}/t10k-labels-idx1-ubyte.gz", load_mnist, 20),
        Read("extracted files", data, f"{RAW}/t10k-labels-idx1-ubyte", load_mnist, 20),
    ]
    kinds = [Kind(f"damaged {read.name}", _trial(read, DAMAGES), read.most) for read in reads]
    return [*kinds, Kind("single bits of a checkpoint", _trial(reads[0], (_flip,)), 300)]


def _trial(read: Read, ways: tuple[Callable[[random.Random, bytes], bytes], ...]) -> Callable[..., Trial]:
    def trial(random: random.Random, folder: Path) -> Trial:
        source, way = read.source(), random.choice(ways)
        name = Path(read.file).name
        whole = (source / read.file).read_bytes()
        damaged = way(random, whole)
        if read.read is load_mnist:
            copy = source  # 66 MB: damaged in its place, and put right again
        else:
            copy = folder / "copy"
            (copy / read.file).parent.mkdir(parents=True)
            (copy / read.file).write_bytes(whole)
        expected = read.read(copy)
        (copy / read.file).write_bytes(damaged)
        try:
            found = read.read(copy)
        except Exception as error:  # whatever a reader may raise
            return Trial(unnamed="" if name in str(error) else f"{way.__name__} {name}: {error!r}"[:300])
        finally:
            (copy / read.file).write_bytes(whole)
        return Trial(silent="" if damaged == whole or _same(found, expected) else f"{way.__name__} {name} was used")

    return trial


def _checkpoint(name: str) -> Callable[[Path], Any]:
    return lambda folder: load_checkpoint(folder / "checkpoints" / name)


def _state(folder: Path) -> Any:
    network, config = load_weights(folder)
    return network.state_dict(), config


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Images):
        one, other = (one.pixels, one.targets), (other.pixels, other.targets)
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
