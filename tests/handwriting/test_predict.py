"""One picture in every dress it may come in: read the same, or refused by name."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_helpers.data import MEAN, STD
from mnist_helpers.handwriting import Reading, predict
from mnist_helpers.handwriting.photo import PhotoError
from mnist_helpers.handwriting.predict import to_mnist
from mnist_helpers.networks import load

SURE = [0, 1, 2, 3, 4, 5, 7, 13, 15, 17]  # training digits, one of each class, plain to see


@pytest.fixture(scope="module")
def network():
    return load("tiny")


def enlarged(pixels, side=200):
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


DRESSES = {
    "uint8": lambda p: p,
    "inverted": lambda p: 255 - p,
    "a tensor": torch.from_numpy,
    "0 to 1": lambda p: p / 255,
    "0 to 1, inverted": lambda p: 1 - p / 255,
    "0 to 255": lambda p: p.astype(np.float32),
    "float16": lambda p: (p / 255).astype(np.float16),
    "16 bits": lambda p: p.astype(np.uint16) * 257,
    "int64": lambda p: p.astype(np.int64),
    "(1, 28, 28)": lambda p: torch.from_numpy(p)[None],
    "(28, 28, 1)": lambda p: p[..., None],
    "colour": lambda p: np.stack([p] * 3, axis=-1),
    "colour, dark on light": lambda p: np.stack([255 - p // 2, 255 - p, 255 - p], axis=-1),
    "transparent paper": lambda p: np.stack([np.zeros_like(p)] * 3 + [p], axis=-1),
    "normalised": lambda p: (torch.from_numpy(p)[None, None].float() / 255 - MEAN) / STD,
    "normalised, inverted": lambda p: (1 - torch.from_numpy(p).float() / 255 - MEAN) / STD,
    "-1 to 1": lambda p: p / 127.5 - 1,
    "PIL": Image.fromarray,
    "PIL, a palette": lambda p: Image.fromarray(p).convert("P"),
    "PIL, CMYK": lambda p: Image.fromarray(p).convert("CMYK"),
    "bool, enlarged": lambda p: enlarged(p) > 127,
    "0 and 1": lambda p: (enlarged(p) > 127).astype(np.uint8),
    "enlarged": enlarged,
    "enlarged, inverted": lambda p: 255 - enlarged(p),
    "on a larger sheet": lambda p: np.pad(255 - p, ((3, 90), (70, 11)), constant_values=255),
    "noisy": lambda p: (
        0.8 - 0.6 * enlarged(p) / 255 + np.random.default_rng(0).normal(0, 0.03, (200, 200)).clip(-0.19, 0.19)
    ),
    "cut closely": lambda p: 255 - enlarged(p)[25:175, 25:175],
    "light from a side": lambda p: np.linspace(0.5, 1, 80) * (1 - 0.8 * enlarged(p, 80) / 255),
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_a_digit_is_read_the_same_in_every_dress(dress, network, mnist):
    pixels, targets = mnist[0].pixels[SURE].numpy(), mnist[0].targets[SURE].tolist()
    assert sorted(set(targets)) == list(range(10))
    assert [predict(network, dress(one)).digit for one in pixels] == targets


def test_a_file_is_read_like_the_picture_in_it(network, digits, tmp_path):
    for name, pixels in (("plain.png", digits.pixels[0].numpy()), ("large.png", enlarged(digits.pixels[0].numpy()))):
        Image.fromarray(pixels).save(tmp_path / name)
        assert predict(network, tmp_path / name) == predict(network, str(tmp_path / name)) == predict(network, pixels)


def test_what_is_in_mnists_form_stays_as_it_is(mnist):
    for image in mnist[0].pixels[:100]:
        for dressed in (image, 255 - image, image / 255.0, ((image / 255.0) - MEAN) / STD):
            assert torch.equal(to_mnist(dressed), image)


def test_a_digit_out_of_its_place_is_put_there(mnist):
    """Shifted into a corner, or shrunk: no longer MNIST's form, though 28 × 28."""
    image = mnist[0].pixels[7]
    assert not torch.equal(shifted := image.roll((-4, 3), (0, 1)), image)
    assert (to_mnist(shifted).int() - image.int()).abs().float().mean() < 6
    small = torch.zeros_like(image)
    small[4:18, 3:17] = torch.from_numpy(np.array(Image.fromarray(image.numpy()).resize((14, 14))))
    assert (to_mnist(small).int() - image.int()).abs().float().mean() < 25


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (np.zeros(784), "shape (784,) is not one picture"),
        (np.zeros((0, 28)), "too small"),
        (np.zeros((64, 28, 28)), "one at a time"),
        (torch.zeros(3, 28, 28), "one at a time"),
        (torch.zeros(2, 1, 28, 28), "one at a time"),
        (np.zeros((28, 28, 2)), "not one picture"),
        (np.zeros((4, 4)), "too small"),
        (np.full((28, 28), np.nan), "no numbers"),
        (np.full((28, 28), np.inf), "no numbers"),
        (np.zeros((28, 28)), "empty"),
        (np.full((28, 28), 255, np.uint8), "empty"),
        (np.eye(28) * 1000.0, "float64 from 0 to 1000"),
        (np.eye(28) - 5.0, "float64 from -5 to -4"),
        (-np.eye(28, dtype=np.int64), "int64 from -1 to 0"),
        (np.eye(28) * 1j, "complex"),
        (np.array([["a"] * 28] * 28), "U1"),
        (np.pad(np.tile([0.0, 1.0], (20, 10)), 4, constant_values=0.5), "neither dark on light nor light on dark"),
        (np.tile([0, 255], (28, 14)).astype(np.uint8), "border is no paper"),
        (np.random.default_rng(0).random((60, 60)), "border is no paper"),
        (np.repeat([0.0, 1.0], 30) * np.ones((60, 1)), "border is no paper"),
    ],
)
def test_what_cannot_be_a_digit_is_refused_by_name(image, complaint, network):
    with pytest.raises(ValueError, match=rf"^.*{re.escape(complaint)}.*$"):  # on one line
        predict(network, image)


def test_a_picture_of_something_else_is_not_read(network):
    cross = np.full((90, 90), 240, np.uint8)
    cross[40:50, 10:80] = cross[10:80, 40:50] = 20
    assert predict(network, cross).why == "no digit"


def test_a_file_that_is_no_photo_is_refused_by_name(network, tmp_path):
    (tmp_path / "notes.png").write_text("7")
    for path in (tmp_path / "notes.png", tmp_path / "gone.png", tmp_path):
        with pytest.raises(PhotoError):
            predict(network, path)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["uint8", "uint16", "int32", "bool", "float16", "float32", "float64"]),
    st.lists(st.integers(0, 40), min_size=0, max_size=4),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-3, 3),
    st.integers(0, 2**32 - 1),
)
def test_whatever_is_given_is_read_or_refused_by_name(network, dtype, shape, scale, offset, seed):
    with np.errstate(all="ignore"):
        image = (np.random.default_rng(seed).random(shape) * scale + offset).astype(dtype)
    try:
        reading = predict(network, image)
    except ValueError:
        return
    assert isinstance(reading, Reading)
    assert 0 <= reading.confidence <= 1
    assert (reading.digit is None) == bool(reading.why)


@settings(deadline=None, max_examples=25)
@given(st.integers(40, 260), st.integers(0, 100), st.integers(0, 100), st.booleans(), st.sampled_from(SURE))
def test_size_place_and_polarity_change_no_answer(network, mnist, side, x, y, light, index):
    digit = enlarged(mnist[0].pixels[index].numpy(), side)
    sheet = np.pad(digit, ((y, 100 - y), (x, 100 - x)))
    assert predict(network, sheet if light else 255 - sheet).digit == mnist[0].targets[index]
