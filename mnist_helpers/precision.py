"""Which numbers a network computes in: float32, or bfloat16 where the machine multiplies those faster."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return a context for a forward pass, in which convolutions and dense layers compute in this precision.

    bfloat16 is float32 with a mantissa of 8 bits in place of 24: half the memory, and a fraction of the time where a
    machine is made for it. Weights, their gradients and the optimizer's state stay float32 (Micikevicius et al.
    2018, https://arxiv.org/abs/1710.03740); with float32's range, nothing needs to be scaled. Gradients flow back in
    what the forward pass computed in. A context of float32 is an island in one of bfloat16.
    """
    under_autocast = torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)
    if precision == "float32" and not under_autocast:
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def multiplies_bfloat16_fast(device: torch.device) -> bool:
    """Say whether the device has units for products of bfloat16 matrices: AMX on a CPU, tensor cores on a GPU.

    Any other CPU computes them too, but slower than float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16", False)
