"""Who wrote the digits: five folds of the training digits' writers, and which test digits are by students.

Derived from QMNIST (Yadav & Bottou 2019, Cold Case: the Lost MNIST Digits, https://arxiv.org/abs/1905.10498), whose
label files give NIST's series and writer of every MNIST digit in MNIST's own order. `python -m mnist_helpers
derive-writers FOLDER` derives it again.
"""

import argparse
import gzip
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from mnist_helpers.data.archives import DataError
from mnist_helpers.files import write_atomically
from mnist_helpers.paths import display_path, resolve

WRITERS = "data/writers.safetensors"
SHA256 = "a5e4541e2291394dd06b80e50323ac466230f83546a8065d990a3e4dd85647b0"
FOLD_SIZES = (11_998, 12_002, 12_003, 11_991, 12_006)
LABELS = ("qmnist-train-labels.tsv.gz", "qmnist-test-labels.tsv.gz")
CLASS, SERIES, WRITER = 0, 1, 2  # columns of the label files
STUDENTS = 4  # NIST's series hsf_4, high-school students; the others are by employees of the Census Bureau


def load_writers() -> tuple[Tensor, Tensor]:
    """Return the fold (60000,) int64 of every training digit's writer, and whether a student wrote each test digit.

    No writer is in two folds; the folds are alike in both kinds of writers and in classes. The second tensor is
    (10000,) bool. Raises DataError: the file is not the one that comes with the project.
    """
    path = resolve(WRITERS)
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(f"{display_path(path)} is not the file that comes with the project; restore it from there")
    tensors = load(content)
    return tensors["folds"].long(), tensors["test_students"]


def derive(folder: Path) -> bytes:
    """Return the file's content, from the label files in `folder`; DataError: they are missing, or not QMNIST's."""
    tables = []
    for name in LABELS:
        if not (folder / name).exists():
            raise DataError(f"{display_path(folder / name)} is not there; torchvision's QMNIST fetches it")
        text = gzip.decompress((folder / name).read_bytes())
        tables.append(np.loadtxt(io.BytesIO(text), dtype=np.int64))
    train, test = tables
    if train.shape != (60_000, 8) or len(test) < 10_000:
        raise DataError(f"{display_path(folder)} holds other labels than QMNIST's: {train.shape}, {test.shape}")
    from sklearn.model_selection import StratifiedGroupKFold  # here: a second, and folds are derived once

    classes_by_series = train[:, CLASS] * 10 + train[:, SERIES]
    writers = train[:, SERIES] * 100_000 + train[:, WRITER]
    folds = np.zeros(len(train), dtype=np.uint8)
    parts = StratifiedGroupKFold(len(FOLD_SIZES), shuffle=True, random_state=0)
    for number, (_, members) in enumerate(parts.split(train, classes_by_series, writers)):
        folds[members] = number
    tensors = {
        "folds": torch.from_numpy(folds),
        # of QMNIST's 60,000 test labels the first 10,000 are MNIST's
        "test_students": torch.from_numpy(test[:10_000, SERIES] == STUDENTS),
    }
    return save(tensors, metadata={"origin": "QMNIST's labels, facebookresearch/qmnist, BSD licence"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Derive the file again and write it."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers derive-writers", description=main.__doc__)
    parser.add_argument("folder", type=Path, help=f"with {' and '.join(LABELS)}")
    parser.add_argument("--output", default=WRITERS)
    options = parser.parse_args(arguments)
    content, path = derive(options.folder), resolve(options.output)
    write_atomically(path, lambda stream: stream.write(content))
    print(f"{display_path(path)}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    return 0
