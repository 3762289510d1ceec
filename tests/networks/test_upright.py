"""Digits are set upright in the middle, whatever their slant and place, and nothing else happens to them."""

from dataclasses import replace

import pytest
import torch

from mnist_helpers.data.augmentation import draw, move, normalise
from mnist_helpers.data.ranges import Augmentation
from mnist_helpers.looking.explore import slant
from mnist_helpers.networks.upright import BLACK, HEIGHT, HEIGHTS, WIDTH, WIDTHS, Upright

STILL = Augmentation(degrees=0, translate=0, scale=(1, 1), shear=0, brightness=0, contrast=0, erasing_p=0)


def centre_of_mass(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    ink = (inputs - BLACK).squeeze(1)
    place = torch.arange(28) - 13.5
    mass = ink.sum((1, 2))
    return (ink.sum(1) @ place) / mass, (ink.sum(2) @ place) / mass


def test_a_slanted_and_shifted_digit_is_set_upright_in_the_middle(digits):
    upright = Upright()(normalise(digits.pixels))
    x, y = centre_of_mass(upright)
    assert x.abs().max() < 0.2
    assert y.abs().max() < 0.2
    before, after = slant(digits.pixels).abs(), slant((upright - BLACK).squeeze(1)).abs()
    assert before.median() > 8
    assert after.median() < 2


def test_digits_come_out_at_one_height(digits):
    def heights(inputs: torch.Tensor) -> torch.Tensor:
        rows = (inputs - BLACK).squeeze(1).sum(2)
        rows = rows / rows.sum(1, keepdim=True)
        place = torch.arange(28) - 13.5
        return (rows @ place.square() - (rows @ place).square()).sqrt()

    inputs = normalise(digits.pixels)
    assert heights(inputs).std() > 0.4
    assert heights(Upright()(inputs)).std() < 0.1
    assert heights(Upright()(inputs)).mean() == pytest.approx(HEIGHT, abs=0.1)


@pytest.mark.parametrize(
    ("degrees", "across", "down", "zoom"),
    [(12.0, 0, 0, 1), (-12.0, 0, 0, 1), (0.0, 3, -2, 1), (8.0, -2, 1, 1), (0.0, 0, 0, 0.85), (5.0, 1, 1, 1.1)],
)
def test_leaning_moving_and_zooming_a_digit_changes_little_of_what_comes_out(digits, degrees, across, down, zoom):
    """Sheared the other way round, the same: what is taken out is just what was put in, up to resampling twice."""
    ink = digits.pixels.unsqueeze(1).float() / 255
    count = len(digits)
    changed = replace(
        draw(count, 28, STILL),
        shear=torch.full((count,), degrees),
        shift_x=torch.full((count,), float(across)),
        shift_y=torch.full((count,), float(down)),
        scale=torch.full((count,), float(zoom)),
    )
    scale = normalise(torch.full((1, 28, 28), 255, dtype=torch.uint8)).max() - BLACK
    one, other = (Upright()(images * scale + BLACK) for images in (ink, move(ink, changed)))
    apart = (one - other).abs().mean((1, 2, 3))
    unlike = (one - one.roll(1, 0)).abs().mean((1, 2, 3))  # of two different digits
    assert (apart < 0.5 * unlike).float().mean() > 0.9
    assert apart.median() < 0.2 * unlike.median()


def test_a_one_stays_narrower_than_a_nought(mnist):
    images, _ = mnist
    outs = {digit: Upright()(normalise(images.pixels[images.targets == digit][:50])) - BLACK for digit in (0, 1)}
    inked = {digit: (out.amax(2) > 0.5).sum(-1).float().mean().item() for digit, out in outs.items()}
    assert inked[1] < 0.7 * inked[0]


@pytest.mark.parametrize("value", [0, 255])
def test_images_without_a_digit_pass_through(value):
    even = normalise(torch.full((2, 28, 28), value, dtype=torch.uint8))
    out = Upright()(even)
    assert torch.isfinite(out).all()
    torch.testing.assert_close(out[:, :, 8:20, 8:20], even[:, :, 8:20, 8:20], rtol=0, atol=1e-3)


def test_it_has_no_parameters_and_leaves_its_inputs_alone(digits):
    inputs = normalise(digits.pixels)
    before, layer = inputs.clone(), Upright()
    layer(inputs)
    assert torch.equal(inputs, before)
    assert list(layer.parameters()) == []
    assert not layer(inputs.requires_grad_()).requires_grad


def bar(height: int, width: int, lean: float = 0) -> torch.Tensor:
    """A bar of ink in the middle, each row moved by `lean` pixels against the one above, (1, 1, 28, 28)."""
    ink = torch.zeros(28, 28)
    top = (28 - height) // 2
    for row in range(height):
        left = round((28 - width) / 2 + lean * (row - (height - 1) / 2))
        ink[top + row, left : left + width] = 255
    return normalise(ink.to(torch.uint8)[None])


def spreads(inputs: torch.Tensor) -> tuple[float, float]:
    """Standard deviations of the ink along rows and columns, in pixels."""
    ink = (inputs - BLACK)[0, 0]
    place = torch.arange(28) - 13.5
    across, down = ink.sum(0) / ink.sum(), ink.sum(1) / ink.sum()
    return tuple(float((part @ place.square() - (part @ place).square()).sqrt()) for part in (down, across))


@pytest.mark.parametrize(("height", "width", "limit"), [(4, 10, HEIGHTS[0]), (28, 10, HEIGHTS[1])])
def test_a_digit_is_stretched_or_shrunk_in_height_by_so_much_and_no_more(height, width, limit):
    before, after = spreads(bar(height, width))[0], spreads(Upright()(bar(height, width)))[0]
    assert not HEIGHTS[0] < before / HEIGHT < HEIGHTS[1]  # to one height it would take more
    assert before / after == pytest.approx(limit, rel=0.05)


@pytest.mark.parametrize(("width", "limit"), [(4, WIDTHS[0]), (28, WIDTHS[1])])
def test_and_in_width(width, limit):
    before, after = spreads(bar(18, width))[1], spreads(Upright()(bar(18, width)))[1]
    assert not WIDTHS[0] < (before / WIDTH) ** 0.5 < WIDTHS[1]
    assert before / after == pytest.approx(limit, rel=0.1)


@pytest.mark.parametrize("lean", [-0.75, -0.5, 0.5, 0.75])
def test_a_digits_width_is_its_strokes_and_not_its_slant(lean):
    straight, slanted = (spreads(Upright()(bar(18, 8, each)))[1] for each in (0, lean))
    assert slanted == pytest.approx(straight, rel=0.1)
