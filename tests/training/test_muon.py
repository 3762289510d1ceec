"""Muon: steps of convolutions are equally long in every direction, all others are those of SGD."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mnist_helpers.runs.config import make_config
from mnist_helpers.training.muon import MATRIX_SHARE, Muon, orthogonal
from mnist_helpers.training.optimizing import make_optimizer


@given(st.integers(2, 40), st.integers(2, 200), st.integers(0, 1000))
def test_a_matrix_becomes_nearly_orthogonal_and_keeps_its_directions(rows, columns, seed):
    matrix = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.T @ orthogonal(matrix) @ right.T
    large = values > 0.1 * values.norm()
    assert ((found.diagonal()[large] > 0.6) & (found.diagonal()[large] < 1.3)).all()
    torch.testing.assert_close(found, found.diagonal().diag(), rtol=0, atol=1e-4)
    torch.testing.assert_close(orthogonal(3 * matrix), orthogonal(matrix), rtol=0, atol=1e-4)


def stepped(optimizer_of, layer, steps=3):
    optimizer = optimizer_of(layer.parameters())
    for step in range(steps):
        layer(torch.ones(4, *layer.weight.shape[1:2]) * (step + 1)).pow(2).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return [parameter.detach().clone() for parameter in layer.parameters()]


def test_dense_layers_take_the_steps_of_sgd():
    ends = []
    for optimizer_of in (
        lambda parameters: Muon(parameters, lr=0.01, momentum=0.9, weight_decay=0.1),
        lambda parameters: torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=0.1, nesterov=True),
    ):
        torch.manual_seed(0)
        ends.append(stepped(optimizer_of, nn.Linear(3, 2)))
    for one, other in zip(*ends, strict=True):
        torch.testing.assert_close(one, other)


def test_a_convolution_moves_by_the_rate_in_every_direction_whatever_its_gradient():
    for scale in (1e-3, 1.0, 1e3):
        convolution = nn.Conv2d(8, 4, 3, bias=False)
        before = convolution.weight.detach().clone()
        convolution.weight.grad = scale * torch.randn_like(before)
        Muon(convolution.parameters(), lr=0.5, momentum=0.9, weight_decay=0).step()
        lengths = torch.linalg.svdvals((convolution.weight - before).flatten(1))
        assert ((lengths > 0.6 * 0.5 * MATRIX_SHARE) & (lengths < 1.3 * 0.5 * MATRIX_SHARE)).all()


def test_weights_decay_and_what_has_no_gradient_stays():
    convolution, still = nn.Conv2d(2, 2, 1, bias=False), nn.Conv2d(2, 2, 1, bias=False)
    kept, before = still.weight.detach().clone(), convolution.weight.detach().clone()
    convolution.weight.grad = torch.zeros_like(before)
    Muon([convolution.weight, still.weight], lr=0.5, momentum=0.9, weight_decay=0.1).step()
    torch.testing.assert_close(convolution.weight.detach(), 0.95 * before)
    assert torch.equal(still.weight, kept)


def test_a_run_is_told_to_use_it():
    assert isinstance(make_optimizer(nn.Linear(2, 2), make_config(optimizer="muon")), Muon)


@pytest.mark.training
def test_a_run_with_it_resumes_to_the_same_weights(tmp_path):
    from mnist_helpers.training.loop import train

    settings = {"model": "fast", "optimizer": "muon", "train_size": 2_000, "epochs": 2, "output_dir": str(tmp_path)}
    config = make_config(**settings)
    split = config.split(with_test=False)
    whole = train(config.build, split, config, show=False)[0].state_dict()
    (newest,) = (tmp_path / "checkpoints").glob("*2*")
    newest.unlink()
    again = train(config.build, split, config.but(resume=True), show=False)[0].state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
