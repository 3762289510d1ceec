"""What several test files need: the real digits, once; and that no test changes what the project keeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from guard import OUTPUTS, snapshot
from hypothesis import settings

from mnist_helpers import paths
from mnist_helpers.data.images import Images
from mnist_helpers.data.mnist import load_mnist

# a machine that is busy with other things is slow, not wrong
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _outputs_stay_as_they_are() -> Iterator[None]:
    """Processes that tests start are not stopped from writing there; what they change is found in the end."""
    before = snapshot()
    yield
    assert snapshot() == before, "a test has changed the checkout's outputs/"


@pytest.fixture(autouse=True)
def _runs_write_elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is told no folder has one in `outputs`, and so have those on record; in a test, one of the tests."""

    def resolve(path: str | Path) -> Path:
        found = paths.resolve(path)
        there = found.is_relative_to(OUTPUTS)
        return tmp_path_factory.getbasetemp() / "outputs" / found.relative_to(OUTPUTS) if there else found

    monkeypatch.setattr("mnist_helpers.training.settings.resolve", resolve)


@pytest.fixture(scope="session")
def mnist() -> tuple[Images, Images]:
    return load_mnist("data")


@pytest.fixture
def digits(mnist) -> Images:
    """Sixty-four real training digits."""
    return mnist[0].take(torch.arange(64))
