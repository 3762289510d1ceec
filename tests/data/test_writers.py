"""The folds are by writers, balanced, and the split holds one of them out whole."""

import gzip
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers.data import DataError, load_split, load_writers
from mnist_helpers.data import writers as module
from mnist_helpers.data.mnist import hold_out_writers
from mnist_helpers.data.writers import FOLD_SIZES, LABELS, derive, main


def test_the_folds_are_alike_in_size_and_classes(mnist):
    folds, test_students = load_writers()
    sizes = folds.bincount().tolist()
    assert tuple(sizes) == FOLD_SIZES
    assert max(sizes) - min(sizes) <= 300
    by_class = torch.stack([mnist[0].targets[folds == fold].bincount() for fold in range(5)]).double()
    assert ((by_class / by_class.mean(0) - 1).abs() < 0.05).all()
    # QMNIST: half of the test digits are by students
    assert (len(test_students), int(test_students.sum())) == (10_000, 5_001)


@settings(deadline=None, max_examples=15)
@given(
    fold=st.integers(0, 4),
    seed=st.integers(0, 9),
    train_size=st.one_of(st.none(), st.integers(100, 40_000)),
    validation_size=st.one_of(st.just(None), st.integers(100, 11_000)),
)
def test_a_fold_is_held_out_whole_and_nothing_else_of_it_is_trained_on(
    mnist, fold, seed, train_size, validation_size
):
    targets, folds = mnist[0].targets, load_writers()[0]
    size = validation_size or FOLD_SIZES[fold]
    train, validation = hold_out_writers(targets, size, train_size, seed, fold)
    assert (folds[train] != fold).all()
    assert (folds[validation] == fold).all()
    assert len(validation.unique()) == size
    assert len(train.unique()) == (train_size or 60_000 - FOLD_SIZES[fold])
    share = targets[train].bincount(minlength=10) / len(train)
    assert ((share - targets[folds != fold].bincount() / (folds != fold).sum()).abs() * len(train) < 1.5).all()


def test_a_split_holds_out_the_fold_that_is_asked_for(mnist):
    first, second = (load_split("data", 11_000, None, 0, "writers", fold) for fold in (0, 1))
    assert not torch.equal(first.validation.pixels, second.validation.pixels)
    assert torch.equal(first.test.pixels, mnist[1].pixels)


def label_files(folder):
    """Write labels in QMNIST's form: 50 employees in order, 50 students shuffled, each of 600 digits."""
    generator = np.random.default_rng(0)
    writers = np.repeat(np.arange(100), 600)
    writers[30_000:] = generator.permutation(writers[30_000:])
    table = np.zeros((60_000, 8), dtype=int)
    table[:, 0] = writers % 10  # whoever writes one digit only must be spread over the folds by it
    table[:, 1], table[:, 2] = np.where(writers < 50, 0, 4), writers
    for name in LABELS:
        with gzip.open(folder / name, "wt") as stream:
            np.savetxt(stream, table, fmt="%d", delimiter="\t")
    return writers


def test_no_writer_is_in_two_folds(tmp_path):
    from safetensors.torch import load

    writers = label_files(tmp_path)
    tensors = load(derive(tmp_path))
    found = np.array([len(tensors["folds"][writers == writer].unique()) for writer in range(100)])
    assert (found == 1).all()
    assert tensors["test_students"].sum() == 0  # the first 10,000 of these labels are by employees
    sizes = tensors["folds"].long().bincount()
    assert len(sizes) == len(FOLD_SIZES)
    assert sizes.max() - sizes.min() <= 1_200
    for fold in range(len(FOLD_SIZES)):
        classes = np.bincount(writers[tensors["folds"].numpy() == fold] % 10, minlength=10)
        assert 800 <= classes.min() <= classes.max() <= 1_600  # two of the ten who write it, 600 times each


def test_what_is_not_qmnist_or_not_the_file_is_said(tmp_path, monkeypatch, capsys):
    with pytest.raises(
        DataError, match=r"qmnist-train-labels\.tsv\.gz is not there; torchvision's QMNIST fetches it"
    ):
        derive(tmp_path)
    label_files(tmp_path)
    assert main([str(tmp_path), "--output", str(tmp_path / "writers")]) == 0
    short = tmp_path / "short"
    short.mkdir()
    for name in LABELS:
        with gzip.open(short / name, "wt") as stream:
            np.savetxt(stream, np.zeros((20_000, 8), dtype=int), fmt="%d", delimiter="\t")
    with pytest.raises(DataError, match=r"holds other labels than QMNIST's: \(20000, 8\), \(20000, 8\)"):
        derive(short)
    assert re.search(r"SHA-256 [0-9a-f]{64}", capsys.readouterr().out)
    monkeypatch.setattr(module, "WRITERS", str(tmp_path / "writers"))
    with pytest.raises(DataError, match="is not the file that comes with the project"):
        load_writers()
