"""The batched augmentation equals torchvision's: exactly for given draws, in distribution for drawn ones."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats
from torchvision import transforms

from mnist_helpers.benchmarks.reference import reference_transform
from mnist_helpers.data import augmentation as ours
from mnist_helpers.data.augmentation import (
    MEAN,
    STD,
    augment,
    draw,
    erase,
    inverse_affine,
    move,
    normalise,
    recolour,
    sampling_grid,
)
from mnist_helpers.data.ranges import Augmentation

AUGMENTATION = Augmentation()
STILL = Augmentation(degrees=0, translate=0, scale=(1, 1), shear=0, brightness=0, contrast=0, erasing_p=0)


def torchvision_image(image, draws, index):
    """One image through torchvision's own functions with the same drawn numbers."""
    shift = [int(draws.shift_x[index]), int(draws.shift_y[index])]
    image = TF.affine(
        image,
        float(draws.angle[index]),
        shift,
        float(draws.scale[index]),
        [float(draws.shear[index]), 0.0],
        interpolation=TF.InterpolationMode.BILINEAR,
    )
    steps = [
        lambda x: TF.adjust_brightness(x, float(draws.brightness[index])),
        lambda x: TF.adjust_contrast(x, float(draws.contrast[index])),
    ]
    for step in reversed(steps) if draws.contrast_first[index] else steps:
        image = step(image)
    return image


def test_transform_equals_torchvision_pixel_by_pixel(digits):
    torch.manual_seed(0)
    images = digits.pixels.unsqueeze(1).float() / 255
    draws = draw(len(digits), 28, AUGMENTATION)
    expected = torch.stack([torchvision_image(image, draws, i) for i, image in enumerate(images)])
    torch.testing.assert_close(recolour(move(images, draws), draws), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("size", [28, 29, 5])
def test_the_sampling_grid_is_torchs(size):
    torch.manual_seed(0)
    maps = inverse_affine(draw(50, size, AUGMENTATION), size)
    expected = F.affine_grid(maps, [50, 1, size, size], align_corners=False)
    torch.testing.assert_close(sampling_grid(maps, size), expected, rtol=0, atol=5e-6)


def test_changes_that_are_switched_off_cost_nothing(digits, monkeypatch):
    only_moved = Augmentation(brightness=0, contrast=0, erasing_p=0)
    torch.manual_seed(0)
    draws = draw(len(digits), 28, only_moved)
    assert draws.brightness is draws.contrast is draws.contrast_first is draws.boxes is draws.elastic is None
    expected = (move(digits.pixels.unsqueeze(1).float() / 255, draws) - MEAN) / STD
    for step in ("recolour", "erase"):
        monkeypatch.delattr(ours, step)
    torch.manual_seed(0)
    torch.testing.assert_close(augment(digits.pixels, only_moved), expected)


@pytest.mark.parametrize("switched_on", [{"brightness": 0.2}, {"contrast": 0.2}, {"erasing_p": 1}, {"elastic": 1}])
def test_any_one_change_is_applied(digits, switched_on):
    torch.manual_seed(0)
    changed = augment(digits.pixels, Augmentation(**STILL.model_dump() | switched_on))
    # beyond rounding, in most images: a factor may be drawn next to 1
    assert (changed - normalise(digits.pixels)).abs().amax((1, 2, 3)).median() > 1e-2


def test_erase_equals_torchvision(digits):
    torch.manual_seed(0)
    boxes = draw(len(digits), 28, Augmentation(erasing_p=1)).boxes
    inputs = normalise(digits.pixels)
    expected = torch.stack(
        [TF.erase(x, *map(int, box), torch.zeros(1)) for x, box in zip(inputs, boxes, strict=True)]
    )
    assert torch.equal(erase(inputs.clone(), boxes), expected)
    assert not torch.equal(expected, inputs)


def test_affine_parameters_follow_torchvisions_distributions():
    torch.manual_seed(0)
    count, a = 4000, AUGMENTATION
    draws = draw(count, 28, a)
    theirs = torch.tensor(
        [
            (angle, *shift, scale, shear[0])
            for angle, shift, scale, shear in (
                transforms.RandomAffine.get_params(
                    [-a.degrees, a.degrees], [a.translate] * 2, a.scale, [-a.shear, a.shear], [28, 28]
                )
                for _ in range(count)
            )
        ]
    )
    for name, column in zip(("angle", "shift_x", "shift_y", "scale", "shear"), theirs.T, strict=True):
        assert stats.ks_2samp(getattr(draws, name), column).pvalue > 1e-4, name
    assert draws.shift_x.abs().max() == 3  # 0.1 of 28 pixels, rounded
    for factor in (draws.brightness, draws.contrast):
        assert stats.kstest(factor.numpy(), "uniform", (0.8, 0.4)).pvalue > 1e-4
    assert abs(float(draws.contrast_first.float().mean()) - 0.5) < 0.04


def test_erased_boxes_follow_torchvisions_distribution():
    torch.manual_seed(0)
    count, image = 4000, torch.ones(1, 28, 28)
    a = Augmentation(erasing_p=1)
    boxes = draw(count, 28, a).boxes
    theirs = torch.tensor(
        [transforms.RandomErasing.get_params(image, a.erasing_area, a.erasing_ratio, [0.0])[:4] for _ in range(count)]
    )
    for name, our_side, their_side in zip(("top", "left", "height", "width"), boxes.T, theirs.T, strict=True):
        assert stats.ks_2samp(our_side, their_side).pvalue > 1e-4, name
    share = (draw(count, 28, AUGMENTATION).boxes[:, 2] > 0).float().mean()
    assert abs(float(share) - 0.2) < 0.03


@pytest.mark.parametrize(("on_tensors", "rounding"), [(True, 0), (False, 1.5 / 255 / STD)])
def test_augmented_digits_have_the_pixel_statistics_of_the_reference(digits, on_tensors, rounding):
    """The whole pipelines agree in every pixel's mean and spread; PIL rounds to 8 bits at every step."""
    torch.manual_seed(0)
    count = 3000
    pixels = digits.pixels[:1].expand(count, -1, -1)
    mine = augment(pixels, AUGMENTATION)
    pipeline, image = reference_transform(AUGMENTATION, on_tensors), Image.fromarray(digits.pixels[0].numpy())
    theirs = torch.stack([pipeline(image) for _ in range(count)])
    standard_error = (mine.var(0) / count + theirs.var(0) / count).sqrt()
    assert ((mine.mean(0) - theirs.mean(0)).abs() < 5 * standard_error + rounding + 1e-6).all()
    often_lit = theirs.std(0) > 0.3  # a pixel lit in a handful of 3,000 images has no stable spread
    torch.testing.assert_close(mine.std(0)[often_lit], theirs.std(0)[often_lit], rtol=0.25, atol=0)
    assert stats.ks_2samp(mine.mean((1, 2, 3)), theirs.mean((1, 2, 3))).pvalue > 1e-4


def test_every_image_gets_its_own_draw(digits):
    torch.manual_seed(0)
    same = digits.pixels[:1].expand(16, -1, -1)
    assert len(torch.unique(augment(same, AUGMENTATION).flatten(1), dim=0)) == 16


def test_nothing_drawn_changes_nothing(digits):
    torch.testing.assert_close(augment(digits.pixels, STILL), normalise(digits.pixels), rtol=0, atol=2e-5)
    assert torch.equal(augment(digits.pixels, None), normalise(digits.pixels))


def test_normalised_training_pixels_have_mean_0_and_deviation_1(mnist):
    inputs = normalise(mnist[0].pixels)
    assert inputs.shape == (60_000, 1, 28, 28)
    assert inputs.dtype == torch.float32
    assert abs(float(inputs.mean())) < 1e-3
    assert abs(float(inputs.std()) - 1) < 1e-3


def test_same_seed_same_images(digits):
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(augment(digits.pixels, AUGMENTATION))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@settings(max_examples=40)
@given(
    degrees=st.floats(0, 180),
    translate=st.floats(0, 0.5),
    scale=st.floats(0.3, 3),
    shear=st.floats(0, 60),
    count=st.integers(1, 9),
)
def test_any_setting_keeps_shape_range_and_the_raw_pixels(degrees, translate, scale, shear, count):
    setting = Augmentation(degrees=degrees, translate=translate, scale=(scale, scale), shear=shear, erasing_p=0.5)
    pixels = torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8)
    before = pixels.clone()
    inputs = augment(pixels, setting)
    assert inputs.shape == (count, 1, 28, 28)
    assert torch.equal(pixels, before)
    assert inputs.min() >= -MEAN / STD - 1e-5
    assert inputs.max() <= (1 - MEAN) / STD + 1e-5


@pytest.mark.parametrize(("field", "value"), [("angle", 90.0), ("shift_x", 3.0), ("shift_y", -2.0)])
def test_directions(field, value):
    """A dot right of the centre: turned by +90° it is below, shifted it moves as named."""
    image = torch.zeros(1, 1, 29, 29)
    image[0, 0, 14, 20] = 1
    draws = replace(draw(1, 29, STILL), **{field: torch.tensor([value])})
    row, column = divmod(int(ours.move(image, draws).argmax()), 29)
    assert (row, column) == {"angle": (20, 14), "shift_x": (14, 23), "shift_y": (12, 20)}[field]


def test_an_even_elastic_field_is_a_shift(digits):
    """Every pixel taken from two to its right and one above: the digit moves two left and one down."""
    images = digits.pixels.unsqueeze(1).float() / 255
    still = draw(len(digits), 28, STILL)
    field = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(len(digits), 2, ours.ELASTIC_NODES, ours.ELASTIC_NODES)
    shifted = replace(still, shift_x=still.shift_x - 2, shift_y=still.shift_y + 1)
    torch.testing.assert_close(move(images, replace(still, elastic=field)), move(images, shifted), rtol=0, atol=1e-4)


@pytest.mark.parametrize("pixels", [0.5, 2.0])
def test_elastic_displacements_are_normal_and_of_the_given_size(pixels):
    torch.manual_seed(0)
    field = draw(500, 28, Augmentation(elastic=pixels)).elastic
    assert field.shape == (500, 2, ours.ELASTIC_NODES, ours.ELASTIC_NODES)
    assert stats.kstest(field.flatten() / pixels, "norm").pvalue > 1e-3


def test_elastic_draws_leave_the_others_as_they_were():
    drawn = []
    for elastic in (0, 1):
        torch.manual_seed(0)
        drawn.append(draw(5, 28, Augmentation(elastic=elastic)))
    assert torch.equal(drawn[0].angle, drawn[1].angle)
    assert torch.equal(drawn[0].boxes, drawn[1].boxes)


def test_erased_boxes_reach_every_border_and_no_pixel_is_spared():
    """Everywhere in the image as often as torchvision's, the first and the last row and column included."""
    torch.manual_seed(0)
    a = Augmentation(erasing_p=1, erasing_area=(0.02, 0.05))
    boxes = draw(20_000, 28, a).boxes
    top, left, height, width = boxes.T
    for start, side in ((top, height), (left, width)):
        assert start.min() == 0
        assert (start + side).max() == 28
        # every place of a box is as likely as any other: the last as the first
        first, last = (start == 0).sum(), (start + side == 28).sum()
        assert abs(first - last) < 5 * (first + last).sqrt()
    erased = erase(torch.ones(20_000, 1, 28, 28), boxes).eq(0).float().mean(0)[0]
    assert torch.equal(erased > 0, torch.ones(28, 28, dtype=torch.bool))
    torch.testing.assert_close(erased, erased.flip(0), rtol=0, atol=0.012)
    torch.testing.assert_close(erased, erased.flip(1), rtol=0, atol=0.012)
