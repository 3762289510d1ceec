"""Damage does what its name says, and a network's response to it is measured."""

from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest
import torch
from torch import nn

from mnist_helpers.data import Images
from mnist_helpers.looking import Damage, add_noise, blur, change_width, respond, rotate, shift

RISING = {
    rotate: (0, 5, 15, 40),
    shift: (0, 1, 3, 8),
    add_noise: (0, 0.1, 0.3, 0.6),
    blur: (0, 0.5, 1, 3),
    change_width: (0, 0.5, 1, 3),
}
EVERY = pytest.mark.parametrize(
    ("damage", "strengths"), RISING.items(), ids=lambda part: getattr(part, "__name__", "")
)


def distance(first, second):
    return (first.float() - second.float()).flatten(1).norm(dim=1)


@EVERY
def test_strength_0_changes_nothing(digits, damage, strengths):
    assert torch.equal(damage(digits.pixels, strengths[0]), digits.pixels)


@EVERY
def test_more_is_farther_and_shape_type_and_input_stay(digits, damage, strengths):
    before = digits.pixels.clone()
    pictures = [damage(digits.pixels, strength) for strength in strengths]
    assert torch.equal(digits.pixels, before)
    for picture in pictures:
        assert picture.shape == before.shape
        assert picture.dtype == torch.uint8
    means = [distance(picture, before).mean() for picture in pictures]
    assert means == sorted(set(means))


@EVERY
def test_the_same_call_gives_the_same_damage_whatever_the_global_seed(digits, damage, strengths):
    torch.manual_seed(1)
    first = damage(digits.pixels, strengths[-1])
    torch.manual_seed(2)
    assert torch.equal(damage(digits.pixels, strengths[-1]), first)


def matches(pictures, ways):
    """How many pictures (N, H, W) are each of the ways (K, N, H, W), but for one grey value of resampling."""
    return ((ways.int() - pictures.int()).abs().amax((2, 3)) <= 1).sum(1)


def test_rotation_turns_either_way_by_the_angle(digits):
    ways = torch.stack([torch.rot90(digits.pixels, turns, (1, 2)) for turns in (1, -1)])
    found = matches(rotate(digits.pixels, 90), ways)
    assert found.sum() == len(digits)
    assert (found > 16).all()


def test_shift_moves_by_whole_pixels_in_four_directions(digits):
    inside = torch.nn.functional.pad(digits.pixels[:, 3:-3, 3:-3], (3, 3, 3, 3))
    ways = torch.stack([inside.roll(step, axis) for step in (2, -2) for axis in (1, 2)])
    found = matches(shift(inside, 2), ways)
    assert found.sum() == len(digits)
    assert (found > 8).all()


def test_what_is_shifted_out_is_lost(digits):
    assert not shift(digits.pixels, 28).any()


def test_noise_has_the_deviation_asked_for():
    grey = torch.full((50, 28, 28), 128, dtype=torch.uint8)
    noisy = add_noise(grey, 0.1).float() / 255
    assert float(noisy.std()) == pytest.approx(0.1, rel=0.03)
    assert float(noisy.mean()) == pytest.approx(128 / 255, abs=0.003)


def test_blur_spreads_a_point_by_sigma():
    point = torch.zeros(1, 28, 28, dtype=torch.uint8)
    point[0, 13, 13] = 255
    ink = blur(point, 1.5).double()[0]
    squares = (torch.arange(28) - 13.0).double().square()
    assert float(ink.sum(0) @ squares / ink.sum()) == pytest.approx(1.5**2, rel=0.1)


@pytest.mark.parametrize("change", [-2, -1, -0.5, 0.5, 1, 2])
def test_width_of_a_bar_changes_by_as_much(change):
    bar = torch.zeros(1, 28, 28, dtype=torch.uint8)
    bar[0, 4:24, 12:16] = 255
    across = change_width(bar, change).double()[0, 14].sum() / 255
    assert float(across) == pytest.approx(4 + change, abs=0.05)


def test_thinning_takes_ink_and_thickening_adds_it(digits):
    ink = [change_width(digits.pixels, change).double().sum((1, 2)) for change in (-2, -1, 0, 1, 2)]
    for less, more in pairwise(ink):
        assert (less < more).all()


class Darkness(nn.Module):
    """Answers 1 with logit gap 4 for images at least half dark, 0 with the same gap for others."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, inputs):
        logits = torch.full((len(inputs), 10), -100.0)
        dark = inputs.mean((1, 2, 3)) > 1
        logits[:, 0], logits[:, 1] = 4.0 * ~dark, 4.0 * dark
        return logits


def test_response_is_accuracy_and_confidence_at_each_strength():
    images = Images(torch.zeros(8, 28, 28, dtype=torch.uint8), torch.tensor([0, 0, 0, 0, 0, 0, 1, 1]))
    darken = Damage("darkness", "grey values", lambda pixels, strength: pixels + int(strength), (0, 10, 250))
    response = respond(Darkness(), images, darken)
    for what, name in ((darken, "strengths"), (response, "accuracy")):
        with pytest.raises(FrozenInstanceError):
            setattr(what, name, ())
    assert response.accuracy == (0.75, 0.75, 0.25)
    assert response.confidence == pytest.approx([torch.tensor([4.0, 0.0]).softmax(0)[0].item()] * 3)
