"""What several test files need: the real digits, once."""

import pytest
import torch
from hypothesis import settings

from mnist_helpers.data.images import Images
from mnist_helpers.data.mnist import load_mnist

# a machine that is busy with other things is slow, not wrong
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def mnist() -> tuple[Images, Images]:
    return load_mnist("data")


@pytest.fixture
def digits(mnist) -> Images:
    """Sixty-four real training digits."""
    return mnist[0].take(torch.arange(64))
