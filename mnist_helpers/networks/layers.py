"""BatchNorm + ReLU and Dropout that compute what torch's do, faster on a CPU in channels-last layout.

torch 2.15's channels-last BatchNorm falls back to scalar code for channel counts that do not fill the vector unit
(12, 20 or 24 of 16 lanes), and its Dropout draws numbers one by one on one core (`make bench` measures the shares).
"""

import copy
import math

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

LANES = 16  # float32 numbers in the widest vector unit (AVX-512)
MARGIN = 6  # standard deviations more draws than will likely be needed


def _rows(x: Tensor) -> Tensor:
    """View channels-last images (N, C, H, W) as (N·H, W·C): rows long enough to fill vector units."""
    n, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n * h, w * c)


def _channel_sums(rows: Tensor, channels: int) -> Tensor:
    """Sum rows (N·H, W·C) over everything but the channel: (C,)."""
    return rows.sum(0).view(-1, channels).sum(0)


class _BatchNormReLU(torch.autograd.Function):
    """max(0, (x − mean) · rstd · weight + bias), statistics over (N, H, W), in few passes over memory.

    Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, ...]:
        channels, width = x.shape[1], x.shape[3]
        rows, count = _rows(x), x.numel() // channels
        mean = _channel_sums(rows, channels) / count
        variance = (_channel_sums(rows * rows, channels) / count - mean * mean).clamp_(min=0)
        rstd = (variance + eps).rsqrt()
        scale = weight * rstd
        out = torch.empty_like(x, memory_format=torch.channels_last)
        torch.addcmul((bias - mean * scale).repeat(width), rows, scale.repeat(width), out=_rows(out)).relu_()
        ctx.save_for_backward(x, weight, mean, rstd, out)
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, rstd, out = ctx.saved_tensors
        channels, width = x.shape[1], x.shape[3]
        count = x.numel() // channels
        grad = torch.ops.aten.threshold_backward(grad.contiguous(memory_format=torch.channels_last), out, 0)
        rows, x_rows = _rows(grad), _rows(x)
        grad_bias = _channel_sums(rows, channels)
        grad_weight = (_channel_sums(rows * x_rows, channels) - mean * grad_bias) * rstd
        # scale · (grad − mean of grad − normalised x · mean of (grad · normalised x)), as one line in grad and x
        scale = weight * rstd
        slope = -scale * rstd * grad_weight / count
        offset = -scale * grad_bias / count - slope * mean
        rows.mul_(scale.repeat(width)).addcmul_(x_rows, slope.repeat(width)).add_(offset.repeat(width))
        return grad, grad_weight, grad_bias, None


class FastBatchNormReLU(nn.BatchNorm2d):
    """`nn.BatchNorm2d` followed by `nn.ReLU`, with the training pass above; its state is BatchNorm's."""

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            return super().forward(inputs).relu_()
        # what comes out of a bfloat16 convolution: sums of squares need more digits
        out, mean, variance = _BatchNormReLU.apply(inputs.to(self.weight.dtype), self.weight, self.bias, self.eps)
        count = inputs.numel() // inputs.shape[1]
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
        return out


def dropped_positions(count: int, p: float) -> Tensor:
    """Draw which of `count` elements are dropped, each with probability `p` < 1: their positions, int64, rising.

    The gaps between them are geometric, gap = 1 + ⌊ln u / ln(1 − p)⌋ with u uniform (Devroye 1986, Non-Uniform Random
    Variate Generation, section X.2): only count · p numbers are drawn.
    """
    likely = count * p
    draws = max(1, int(likely + MARGIN * math.sqrt(likely)))
    gaps = torch.rand(draws).neg_().log1p_().div_(math.log1p(-p)).floor_().long().add_(1)
    positions = gaps.cumsum(0).sub_(1)
    last = int(positions[-1])
    if last < count - 1:  # once in a billion draws they do not reach the end
        positions = torch.cat([positions, dropped_positions(count - last - 1, p) + last + 1])
    return positions[: int(torch.searchsorted(positions, count))]


class _Dropout(torch.autograd.Function):
    """Zero the elements at `positions` of the inputs' memory, scale the others."""

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, positions: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(positions)
        ctx.scale, ctx.stride = scale, inputs.stride()
        out = inputs * scale
        out.as_strided((out.numel(),), (1,)).index_fill_(0, positions, 0)
        return out

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        out = torch.mul(grad, ctx.scale, out=torch.empty_strided(grad.shape, ctx.stride, dtype=grad.dtype))
        out.as_strided((out.numel(),), (1,)).index_fill_(0, ctx.saved_tensors[0], 0)
        return out, None, None


class FastDropout(nn.Dropout):
    """`nn.Dropout` that draws positions to drop instead of one number for every element."""

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or self.p in (0, 1):
            return super().forward(inputs)
        return _Dropout.apply(inputs, dropped_positions(inputs.numel(), self.p), 1 / (1 - self.p))


def fast_form(network: nn.Module) -> nn.Module:
    """Return a copy of one of the course's networks that computes the same with the layers above, channels last.

    In every `nn.Sequential` a BatchNorm followed by a ReLU becomes one layer and an identity, so that a `state_dict`
    fits both forms. Where channels fill the vector unit torch's own are faster, and stay.
    """
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for index in range(len(module) - 1):
                norm, relu = module[index], module[index + 1]
                if type(norm) is nn.BatchNorm2d and type(relu) is nn.ReLU and _can_be_fast(norm):
                    norm.__class__ = FastBatchNormReLU
                    module[index + 1] = nn.Identity()
        elif type(module) is nn.Dropout:
            module.__class__ = FastDropout
    return network.to(memory_format=torch.channels_last)


def _can_be_fast(norm: nn.BatchNorm2d) -> bool:
    return norm.affine and norm.track_running_stats and norm.momentum is not None and norm.num_features % LANES != 0
