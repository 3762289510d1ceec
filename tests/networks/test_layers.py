"""The fast layers are torch's layers: same values, same gradients, same state, same distribution."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from mnist_helpers.networks.layers import LANES, FastBatchNormReLU, FastDropout, dropped_positions, fast_form
from mnist_helpers.networks.names import build_model


def channels_last(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype).contiguous(memory_format=torch.channels_last).requires_grad_()


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(2, 5),
    c=st.integers(1, 20).filter(lambda c: c % LANES),
    h=st.integers(2, 9),
    w=st.integers(2, 9),
    offset=st.floats(-10, 10),
)
def test_batch_norm_relu_equals_torchs_two_layers(n, c, h, w, offset):
    plain = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU()).double()
    nn.init.normal_(plain[0].weight)
    nn.init.normal_(plain[0].bias)
    fast = fast_form(plain)
    assert isinstance(fast[0], FastBatchNormReLU)
    inputs = channels_last(n, c, h, w)
    grad = torch.randn(n, c, h, w, dtype=torch.float64)
    outputs, gradients = [], []
    for net in (plain, fast):
        out = net(inputs + offset)
        outputs.append(out)
        gradients.append(torch.autograd.grad(out, [inputs, net[0].weight, net[0].bias], grad))
    torch.testing.assert_close(outputs[1], outputs[0])
    for mine, theirs in zip(*reversed(gradients), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(fast.state_dict()[name], value)
    for net in (plain, fast):
        net.eval()
    torch.testing.assert_close(fast(inputs), plain(inputs))


def test_float32_batch_norm_stays_accurate_far_from_zero():
    """The one-pass variance loses digits when the mean is large against the spread; ten times is far beyond use."""
    torch.manual_seed(0)
    plain, fast = (
        nn.Sequential(nn.BatchNorm2d(12), nn.ReLU()),
        fast_form(nn.Sequential(nn.BatchNorm2d(12), nn.ReLU())),
    )
    inputs = channels_last(64, 12, 28, 28, dtype=torch.float32) + 10
    torch.testing.assert_close(fast(inputs), plain(inputs), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("p", [0.05, 0.1, 0.5])
def test_dropout_drops_a_share_p_and_keeps_the_mean(p):
    torch.manual_seed(0)
    inputs = channels_last(20, 16, 28, 28, dtype=torch.float32).detach().abs() + 1
    inputs.requires_grad_()
    out = FastDropout(p)(inputs)
    dropped = out == 0
    assert stats.binomtest(int(dropped.sum()), dropped.numel(), p).pvalue > 1e-4
    kept = ~dropped
    torch.testing.assert_close(out[kept], inputs[kept] / (1 - p), rtol=2e-5, atol=0)
    # independent from image to image and from channel to channel
    for dim in (0, 1):
        agreement = (dropped.narrow(dim, 0, 1) & dropped.narrow(dim, 1, 1)).float().mean()
        assert abs(float(agreement) - p * p) < 0.02
    out.sum().backward()
    assert torch.equal(inputs.grad == 0, dropped)


def test_dropped_positions_are_independent_coin_tosses():
    torch.manual_seed(0)
    p, count = 0.3, 40
    tosses = torch.zeros(20_000, count)
    for row in tosses:
        row[dropped_positions(count, p)] = 1
    assert float((tosses.mean(0) - p).abs().max()) < 5 * (p * (1 - p) / len(tosses)) ** 0.5
    correlation = torch.corrcoef(tosses.T) - torch.eye(count)
    assert float(correlation.abs().max()) < 5 / len(tosses) ** 0.5
    expected = stats.binom(count, p).pmf(range(count + 1)) * len(tosses)
    seen = torch.bincount(tosses.sum(1).long(), minlength=count + 1).numpy()
    usual = expected > 10
    assert stats.chisquare(seen[usual], expected[usual] * seen[usual].sum() / expected[usual].sum()).pvalue > 1e-4


def test_dropped_positions_reach_the_end_even_when_too_few_were_drawn(monkeypatch):
    """Without the margin half of the calls run short and must go on drawing."""
    torch.manual_seed(0)
    monkeypatch.setattr("mnist_helpers.networks.layers.MARGIN", -1)
    lasts = [int(dropped_positions(10_000, 0.05)[-1]) for _ in range(50)]
    assert min(lasts) > 9_000


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4, 5), (1, 1, 1, 1), (7,)])
def test_dropout_takes_any_shape_and_is_still_in_evaluation(shape):
    inputs = torch.ones(shape)
    assert FastDropout(0.5)(inputs).shape == shape
    assert torch.equal(FastDropout(0.5).eval()(inputs), inputs)


def test_the_fast_form_is_the_same_network():
    torch.manual_seed(0)
    # in double precision: torch's own sums differ by more than a test can allow in single
    plain = build_model("final").double()
    fast = fast_form(plain)
    replaced = [m.num_features for m in fast.modules() if isinstance(m, FastBatchNormReLU)]
    assert replaced == [12, 20, 24, 24, 20]  # torch's own is faster for 16 channels
    assert sum(isinstance(m, FastDropout) for m in fast.modules()) == 2
    for net in (plain, fast):
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    inputs, targets = torch.randn(32, 1, 28, 28, dtype=torch.float64), torch.randint(0, 10, (32,))
    for net in (plain, fast):
        nn.functional.cross_entropy(net(inputs), targets).backward()
    for (name, mine), theirs in zip(fast.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, msg=lambda text, name=name: f"{name}: {text}")
    plain.load_state_dict(fast.state_dict())
    torch.testing.assert_close(fast.eval()(inputs), plain.eval()(inputs), rtol=1e-4, atol=1e-5)
