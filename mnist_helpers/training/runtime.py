"""The process a run lives in: its random numbers and its memory."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

SEED_STRIDE = 100  # more than a run has epochs, so that no two (seed, epoch) share random numbers


def seed_epoch(seed: int, epoch: int) -> None:
    """Start the random numbers of one epoch (0: the first weights) of the run with this seed."""
    torch.manual_seed(seed * SEED_STRIDE + epoch)
    # cuDNN may otherwise choose among algorithms by timing them, and those differ in the last bits
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    # a run computes in float32 unless told otherwise; cuDNN would multiply in TF32, whose mantissa has 10 bits of 23
    torch.backends.cudnn.allow_tf32 = False


def keep_freed_memory() -> None:
    """Tell glibc's allocator to keep freed memory for the next step instead of returning it to the system.

    A step frees and asks for about 100 MB in blocks of megabytes; by default glibc gives such blocks back, and the
    kernel hands out zeroed pages anew. Other C libraries are left as they are. Options: https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    if sys.platform != "linux":
        return
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
        mallopt(m_mmap_max, 0)
        mallopt(m_trim_threshold, 2**31 - 1)
        mallopt(m_top_pad, 64 * 2**20)


@contextmanager
def in_float32() -> Iterator[None]:
    """Make new tensors float32, whatever the caller has made torch's default; a decorator, too."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(default)
