"""What a model card says beside the records of runs: mistakes by class, and how far damaged digits are read."""

import torch
from pydantic import BaseModel
from torch import nn
from tqdm import tqdm

from mnist_helpers.data import CLASSES, Images, split_indices
from mnist_helpers.looking import Damage, add_noise, blur, change_width, respond, rotate, shift
from mnist_helpers.runs import RunResults

RECORD_FILE = "card.json"
DAMAGED_DIGITS = 2_000
NOISE, SPREAD = "standard deviation, full ink = 1", "standard deviation in pixels"
DAMAGES = (
    Damage("turned", "degrees, left or right", rotate, (0, 15, 20, 30, 45, 60)),
    Damage("shifted", "pixels, in one of four directions", shift, (0, 3, 4, 6, 8, 10)),
    Damage("strokes wider", "pixels; narrower below 0", change_width, (-2, -1, 0, 1, 2, 3)),
    Damage("noise", NOISE, add_noise, (0, 0.05, 0.1, 0.15, 0.2, 0.3)),
    Damage("blur", SPREAD, blur, (0, 0.5, 1, 1.5, 2, 3)),
)


class Damaged(BaseModel, frozen=True):
    """How many of the damaged digits were read right, as a share, at each strength of one kind of damage."""

    name: str
    unit: str
    strengths: tuple[float, ...]
    accuracy: tuple[float, ...]


class CardRecord(BaseModel, frozen=True):
    """What a card says beside the records of the run and of its study."""

    digits: list[int]  # of the test set, by class
    mistakes: list[int]  # of them read wrong, by class
    damaged: list[Damaged]


def measure(network: nn.Module, results: RunResults, test: Images, show: bool = False) -> CardRecord:
    """Count the mistakes of a run by class, and damage `DAMAGED_DIGITS` digits of `test`, drawn evenly."""
    sample = test.take(split_indices(test.targets, DAMAGED_DIGITS, None, seed=0)[1])
    bar = tqdm(DAMAGES, desc="damage", disable=None if show else True)
    damaged = [
        Damaged(name=d.name, unit=d.unit, strengths=d.strengths, accuracy=respond(network, sample, d).accuracy)
        for d in bar
    ]
    counts = [torch.bincount(some, minlength=CLASSES) for some in (test.targets, test.targets[results.test_mistakes])]
    return CardRecord(digits=counts[0].tolist(), mistakes=counts[1].tolist(), damaged=damaged)
