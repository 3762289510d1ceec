"""The archives are verified, the split is what it says, and a damaged file is found and named."""

import errno
import gzip
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers.data import archives
from mnist_helpers.data.archives import MD5, DataError, prepare_raw_folder
from mnist_helpers.data.augmentation import MEAN, STD
from mnist_helpers.data.mnist import hold_out_last, load_mnist, load_split, split_indices
from mnist_helpers.looking.explore import alikeness, stroke_thickness
from mnist_helpers.paths import PROJECT_ROOT

RAW = PROJECT_ROOT / "data" / "MNIST" / "raw"
SMALL = "t10k-labels-idx1-ubyte"


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """A private copy of the archives."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in MD5:
        shutil.copy(RAW / f"{name}.gz", raw)
    return tmp_path


def test_mnist_is_mnist(mnist):
    train, test = mnist
    assert train.pixels.shape == (60_000, 28, 28)
    assert test.pixels.shape == (10_000, 28, 28)
    assert train.pixels.dtype == torch.uint8
    assert train.targets.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.targets.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    scaled = train.pixels.float() / 255
    assert round(float(scaled.mean()), 4) == MEAN
    assert round(float(scaled.std()), 4) == STD


def test_hashes_are_torchvisions():
    from torchvision.datasets import MNIST

    assert {f"{name}.gz": archive for name, (archive, _) in MD5.items()} == dict(MNIST.resources)


def test_archives_are_extracted_beside_themselves(data_dir):
    raw = prepare_raw_folder(data_dir)
    assert sorted(path.name for path in raw.iterdir()) == sorted([*MD5, *(f"{name}.gz" for name in MD5)])


def test_a_folder_with_only_extracted_files_will_do(data_dir):
    raw = prepare_raw_folder(data_dir)
    for name in MD5:
        (raw / f"{name}.gz").unlink()
    train, _ = load_mnist(data_dir)
    assert len(train) == 60_000


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


def edit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def swap(path):
    other = path.with_name(path.name.replace("t10k-labels", "train-labels"))
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize("damage", [truncate, edit, swap])
@pytest.mark.parametrize("name", [f"{SMALL}.gz", SMALL])
def test_a_damaged_file_is_named_with_both_hashes_and_its_cure(data_dir, name, damage):
    path = prepare_raw_folder(data_dir) / name
    damage(path)
    with pytest.raises(DataError) as caught:
        load_mnist(data_dir)
    message = str(caught.value)
    expected = MD5[SMALL][0 if name.endswith(".gz") else 1]
    assert str(path) in message
    assert f"expected {expected}" in message
    assert re.search(r"actual [0-9a-f]{32} ", message)
    cure = re.search(r"(rm '[^']+')", message).group(1)
    if not name.endswith(".gz"):  # an archive elsewhere is downloaded again, which needs a network
        subprocess.run(cure, shell=True, check=True)
        assert len(load_mnist(data_dir)[1]) == 10_000


def test_the_projects_own_archives_are_restored_from_git_where_it_is():
    if not (PROJECT_ROOT / ".git").exists():
        assert archives._restore_command(RAW / f"{SMALL}.gz").startswith("rm ")
        pytest.skip("a download without git")
    assert archives._restore_command(RAW / f"{SMALL}.gz") == f"git checkout -- data/MNIST/raw/{SMALL}.gz"
    tracked = subprocess.run(
        ["git", "ls-files", str(RAW)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(Path(line).name for line in tracked.stdout.split()) == sorted(f"{name}.gz" for name in MD5)


def test_a_damaged_archive_is_found_before_it_is_extracted(data_dir):
    archive = data_dir / "MNIST" / "raw" / f"{SMALL}.gz"
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes())[:-1]))
    with pytest.raises(DataError, match=f"{SMALL}.gz"):
        load_mnist(data_dir)
    assert not archive.with_suffix("").exists()


def test_without_files_and_network_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError, match=r'could not be downloaded.*data_dir="data"'):
        load_mnist(tmp_path / "new")
    assert not list(tmp_path.iterdir()), "a download that failed leaves folders"


@pytest.mark.parametrize("arrange", ["dotted", "flat", "raw itself", "half"])
def test_files_as_other_sites_give_them_are_found_and_the_missing_ones_named(arrange, data_dir, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", ["http://127.0.0.1:9/"])
    raw, given = data_dir / "MNIST" / "raw", data_dir
    lacking = MD5
    if arrange == "dotted":
        for name in MD5:
            (raw / f"{name}.gz").rename(raw / f"{name.replace('-idx', '.idx')}.gz")
    elif arrange == "flat":
        for name in MD5:
            (raw / f"{name}.gz").rename(data_dir / f"{name}.gz")
        raw.rmdir()
    elif arrange == "raw itself":
        given = raw
    else:
        (raw / f"{SMALL}.gz").unlink()
        lacking = [SMALL]
    before = sorted(data_dir.rglob("*"))
    with pytest.raises(DataError) as caught:
        load_mnist(given)
    message = str(caught.value)
    assert f"it lacks {', '.join(lacking)}, packed" in message
    assert str(given / "MNIST" / "raw") in message
    assert ("Found: " in message) == (arrange != "half")
    assert sorted(data_dir.rglob("*")) == before


def test_an_archive_packed_again_will_do_if_it_holds_the_published_bytes(data_dir):
    archive = data_dir / "MNIST" / "raw" / f"{SMALL}.gz"
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()), compresslevel=1))
    assert hashlib.md5(archive.read_bytes()).hexdigest() != MD5[SMALL][0]
    assert len(load_mnist(data_dir)[1]) == 10_000


def test_a_full_folder_is_reported(data_dir, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "write_atomically", refuse)
    with pytest.raises(DataError, match=r"No space left.*data_dir"):
        load_mnist(data_dir)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_read_only_is_read_all_the_same(number, data_dir, mnist, monkeypatch):
    raw, write = data_dir / "MNIST" / "raw", archives.write_atomically

    def refuse(target, writing):
        if target.is_relative_to(data_dir):
            raise OSError(number, "no writing here")
        write(target, writing)

    monkeypatch.setattr(archives, "write_atomically", refuse)
    before = sorted(raw.iterdir())
    for found, expected in zip(load_mnist(data_dir), mnist, strict=True):
        assert torch.equal(found.pixels, expected.pixels)
        assert torch.equal(found.targets, expected.targets)
    assert sorted(raw.iterdir()) == before


def test_torchvisions_old_processed_files_are_not_used(data_dir):
    """torchvision loads `processed/*.pt` before anything else, if they are there."""
    processed = data_dir / "MNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(1, 28, 28), torch.zeros(1)), processed / name)
    assert len(load_mnist(data_dir)[0]) == 60_000


def test_the_references_split(mnist):
    split = load_split("data", validation_size=50, train_size=None, seed=0)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [59_950, 50, 10_000]


@settings(deadline=None, max_examples=25)
@given(
    validation_size=st.integers(10, 5000),
    train_size=st.one_of(st.none(), st.integers(10, 50_000)),
    seed=st.integers(0, 2**31 - 1),
)
def test_any_split_is_disjoint_stratified_and_repeatable(mnist, validation_size, train_size, seed):
    targets = mnist[0].targets
    train, validation = split_indices(targets, validation_size, train_size, seed)
    assert len(validation) == validation_size
    assert len(train) == (train_size or len(targets) - validation_size)
    assert not set(train.tolist()) & set(validation.tolist())
    assert len(train.unique()) == len(train)
    for indices in (train, validation):
        share = targets[indices].bincount(minlength=10) / len(indices)
        assert ((share - targets.bincount() / len(targets)).abs() * len(indices) < 1.5).all()
    again = split_indices(targets, validation_size, train_size, seed)
    assert torch.equal(train, again[0])
    assert torch.equal(validation, again[1])


def test_another_seed_draws_another_split(mnist):
    drawn = [split_indices(mnist[0].targets, 50, None, seed)[1] for seed in (0, 1)]
    assert not torch.equal(*drawn)


@pytest.mark.parametrize("train_size", [None, 100, 150])
def test_the_last_images_can_be_held_out(train_size, mnist):
    targets = mnist[0].targets[:200]
    train, validation = hold_out_last(targets, 50, train_size, seed=0)
    assert validation.tolist() == list(range(150, 200))
    assert len(train) == (train_size or 150)
    assert train.max() < 150
    assert len(set(train.tolist())) == len(train)


def test_the_training_images_lie_in_the_order_of_their_writers_and_the_last_are_by_others(mnist):
    """Thickness is a writer's habit: alike in images near each other, which a drawn split parts, not in far ones."""
    images, _ = mnist
    near, far = alikeness(stroke_thickness(images.pixels), images.targets, (2, 20_000))
    assert near > 0.3
    assert abs(far) < 0.1


def test_values_in_no_order_are_not_alike():
    torch.manual_seed(0)
    values, targets = torch.randn(10_000) * 3 + 5, torch.arange(10_000) % 10
    assert all(abs(found) < 0.05 for found in alikeness(values + targets, targets, (1, 10, 100)))
    assert alikeness(torch.arange(200) // 20 % 2 * 1.0, torch.zeros(200), (40,)) == [pytest.approx(1, abs=0.02)]
