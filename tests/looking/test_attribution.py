"""Attributions of networks whose reasons are known, and of the course's own."""

import pytest
import torch
from torch import nn

from mnist_helpers.looking import class_maps, occlusion, rank_agreement
from mnist_helpers.networks import build_model, fast_form
from mnist_helpers.training import predict_logits

SHAPE = (28, 28)


def planted(row, column, weight, digit):
    """A linear network whose logit of one digit is `weight` times one normalised pixel; the others are 0."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10)).eval()
    nn.init.zeros_(network[1].weight)
    nn.init.zeros_(network[1].bias)
    with torch.no_grad():
        network[1].weight[digit, row * 28 + column] = weight
    return network


@pytest.fixture
def final():
    torch.manual_seed(0)
    return build_model("final").eval()


@pytest.mark.parametrize("weight", [2.0, -2.0])
def test_occlusion_finds_the_planted_pixel_and_its_sign(weight):
    pixels = torch.full((3, *SHAPE), 255, dtype=torch.uint8)
    falls = occlusion(planted(13, 15, weight, digit=4), pixels, torch.tensor([4, 4, 5]))
    assert falls.shape == (3, *SHAPE)
    assert falls.dtype == torch.float32
    for fall in falls[:2]:
        assert fall.abs().argmax() == 13 * 28 + 15
        # patches 5 wide in steps of 2: nothing farther than 4 pixels shares a patch with it
        near = torch.zeros(SHAPE, dtype=torch.bool)
        near[9:18, 11:20] = True
        assert not fall[~near].any()
        assert fall[13, 15] == pytest.approx(weight / 0.3081, rel=1e-4)
    assert not falls[2].any(), "the other digit's logit does not depend on the image"


def test_paper_has_no_part(final):
    paper = torch.zeros(2, *SHAPE, dtype=torch.uint8)
    assert occlusion(final, paper, torch.tensor([1, 8])).abs().max() < 1e-6


@pytest.mark.parametrize("form", [lambda network: network, fast_form], ids=["plain", "fast"])
def test_the_mean_of_a_class_map_is_the_logit(final, digits, form):
    network = form(final)
    maps = class_maps(network, digits.pixels)
    assert maps.shape == (len(digits), 10, 7, 7)
    assert not maps.requires_grad
    torch.testing.assert_close(maps.mean((2, 3)), predict_logits(network, digits.pixels), rtol=1e-4, atol=1e-5)


def test_a_class_map_knows_where(final, digits):
    """Ink in one corner changes that corner's votes, not those out of its reach."""
    marked = digits.pixels.clone()
    marked[:, :2, :2] = 255
    change = (class_maps(final, marked) - class_maps(final, digits.pixels)).abs().amax((0, 1))
    assert change[0, 0] > 0
    assert not change[-1, -1]


def test_rank_agreement_of_equal_opposite_and_unrelated_pictures():
    first = torch.randn(20, *SHAPE, generator=torch.Generator().manual_seed(0))
    other = torch.randn(20, *SHAPE, generator=torch.Generator().manual_seed(1))
    everywhere = torch.ones(20, *SHAPE, dtype=torch.bool)
    assert rank_agreement(first, first.exp(), everywhere) == pytest.approx(1)
    assert rank_agreement(first, -first, everywhere) == pytest.approx(-1)
    assert rank_agreement(first, other, everywhere) == pytest.approx(0, abs=0.05)


def test_rank_agreement_looks_only_where_told():
    first = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    second = first.clone()
    where = torch.zeros(4, *SHAPE, dtype=torch.bool)
    where[:, 5:9, 5:9] = True
    second[~where] *= -1
    assert rank_agreement(first, second, where) == pytest.approx(1)
    assert rank_agreement(first, second, ~where) == pytest.approx(-1)
    for given in ((first[:3], second, where), (first, second, where[:3])):
        with pytest.raises(ValueError, match="argument"):
            rank_agreement(*given)
