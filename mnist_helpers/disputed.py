"""What the disputed labels of the test set cost: right answers as labelled, and beside it as most people read."""

import torch
from torch import Tensor

from mnist_helpers.explore import DOUBTFUL_TEST_LABELS


def agrees(answer: int, reading: str) -> bool:
    """Return whether an answer is (one of) what most people read, such as "6" or "4 or 9"; "no digit" never is."""
    return str(answer) in reading.split(" or ")


def count_right(predictions: Tensor, targets: Tensor) -> dict[str, tuple[int, int]]:
    """Return right answers and digits counted, as labelled first, then corrected in two ways.

    Args:
        predictions: (10000,) int64, of the whole test set in its own order.
        targets: (10000,) int64, its labels.
    """
    right = predictions == targets
    undisputed = torch.ones_like(right)
    undisputed[list(DOUBTFUL_TEST_LABELS)] = False
    rest, rest_count = int(right[undisputed].sum()), int(undisputed.sum())
    readable = {index: reading for index, reading in DOUBTFUL_TEST_LABELS.items() if reading != "no digit"}
    agreed = sum(agrees(int(predictions[index]), reading) for index, reading in readable.items())
    return {
        "as labelled": (int(right.sum()), len(targets)),
        "without the disputed digits": (rest, rest_count),
        "disputed digits as most people read them": (rest + agreed, rest_count + len(readable)),
    }
