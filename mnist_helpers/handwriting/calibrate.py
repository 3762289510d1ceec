"""The thresholds made: networks that have not seen the digits these are chosen on, the refusal, the record."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mnist_helpers.data import Images, load_mnist
from mnist_helpers.handwriting.made import enlarge
from mnist_helpers.handwriting.oddities import make_oddities
from mnist_helpers.handwriting.prepare import prepare
from mnist_helpers.handwriting.refusal import DIGIT, FOLDER, NO_DIGIT, PLAN, strangeness
from mnist_helpers.handwriting.thresholds import (
    KEPT,
    RECORD,
    WANTED,
    Answers,
    Limit,
    Threshold,
    Thresholds,
    choose_threshold,
    count_answers,
    read_thresholds,
)
from mnist_helpers.networks import SHARED, load
from mnist_helpers.paths import resolve
from mnist_helpers.records import write_record
from mnist_helpers.runs import RunConfig, load_weights, make_config, save_weights
from mnist_helpers.training import fit, predict_logits

HELD_OUT = {"held_out": "writers", "fold": 0, "validation_size": 11_000, "seed": 0}
WORK = "outputs/own/reading"  # networks that serve to choose thresholds, and nothing else
# bent a little, as no typeface is; never blanked in part, or there would be a digit that is none
UNBLANKED = {"brightness": 0, "contrast": 0, "erasing_p": 0}
REFUSAL = {"epochs": 8, "augmentation": {"degrees": 7, "translate": 0.05, "shear": 3, "elastic": 0.6} | UNBLANKED}
ODDITIES = {"letter": 10_000, "scribble": 3_000, "blot": 1_000, "lines": 2_000, "texture": 1_000}
ODDITIES |= {"grown together": 2_000}
AS_THEY_ARE, PREPARED = 20_000, 12_000  # digits that the refusal learns from: as they are, and prepared again,
TURNED = 12  # turned by up to so many degrees before: few hands write upright
LEARNT = {"digit": AS_THEY_ARE, f"digit prepared again, turned by up to {TURNED}°": PREPARED} | ODDITIES
JUDGED, JUDGED_OF_A_KIND = 4_000, 200  # held-out digits, and things drawn anew, that it is judged by


def calibrate(show: bool = True, again: bool = False) -> Thresholds:
    """Choose all thresholds on digits of writers not learnt from, count test digits with them, write the record.

    What a run with today's settings chose stays, unless `again`; test digits are counted anew. `show`: with bars.
    Writes `outputs/models/reading.json`, and the refusal's weights beside it.
    """
    try:
        old = None if again else read_thresholds()
    except (FileNotFoundError, ValueError):
        old = None
    test = load_mnist()[1]
    networks = {}
    for name in SHARED:
        config = make_config(model=name, **HELD_OUT, output_dir=f"{WORK}/{name}")
        before = old.networks.get(name) if old and old.wanted == WANTED else None
        if before and not before.config.training_differences(config):
            threshold, held_out = before.threshold, before.held_out
        else:
            threshold, held_out = choose(config, show, again)
        answers = count_answers(*answer(load(name), test), threshold)
        networks[name] = Threshold(config=config, threshold=threshold, held_out=held_out, test=answers)
    config = make_config(model=PLAN, **HELD_OUT, **REFUSAL, output_dir=FOLDER)
    refusal = old.refusal if old and old.refusal.learnt == LEARNT else None
    if not refusal or refusal.kept != KEPT or refusal.config.training_differences(config):
        refusal = choose_limit(config, show, again=refusal is None)
    record = Thresholds(wanted=WANTED, networks=networks, refusal=refusal)
    write_record(resolve(RECORD), record)
    return record


def answer(network: nn.Module, images: Images) -> tuple[Tensor, Tensor]:
    """Return a network's confidence in its answers (N,) float32, and whether they are right (N,) bool."""
    confidence, answers = predict_logits(network, images.pixels).cpu().softmax(1).max(1)
    return confidence, answers == images.targets


def choose(config: RunConfig, show: bool, again: bool) -> tuple[float, Answers]:
    """Return the threshold of one network, and what it makes of the held-out digits."""
    split = config.split()
    network = _trained(config, lambda: split.train, show, again)
    confidence, right = answer(network, split.validation)
    threshold = choose_threshold(confidence, right)
    return threshold, count_answers(confidence, right, threshold)


def choose_limit(config: RunConfig, show: bool, again: bool) -> Limit:
    """Return the refusal's limit, at which the share `KEPT` of held-out digits is kept, and what it refuses."""
    split = config.split()
    network = _trained(config, lambda: what_refusal_learns_from(split.train, config.seed, show), show, again)
    held_out = split.validation.pixels
    digits = strangeness(network, torch.cat([held_out, prepare_again(held_out[:JUDGED], config.seed + 1)]))
    limit = float(digits.double().quantile(KEPT))
    things = make_oddities(held_out, dict.fromkeys(ODDITIES, JUDGED_OF_A_KIND), config.seed + 1, show)
    return Limit(
        config=config,
        learnt=LEARNT,
        kept=KEPT,
        limit=limit,
        digits=len(digits),
        digits_refused=int((digits > limit).sum()),
        refused={kind: float((strangeness(network, some) > limit).double().mean()) for kind, some in things.items()},
    )


def what_refusal_learns_from(digits: Images, seed: int, show: bool) -> Images:
    """Return digits, some as they are and some prepared again, and things that are none, of the refusal's classes."""
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    again = prepare_again(digits.pixels[order[AS_THEY_ARE : AS_THEY_ARE + PREPARED]], seed)
    parts = [digits.pixels[order[:AS_THEY_ARE]], again, *make_oddities(digits.pixels, ODDITIES, seed, show).values()]
    count = AS_THEY_ARE + len(again)
    pixels = torch.cat(parts)
    return Images(pixels, torch.where(torch.arange(len(pixels)) < count, DIGIT, NO_DIGIT))


def _trained(config: RunConfig, images: Callable[[], Images], show: bool, again: bool) -> nn.Module:
    """Return the network of an earlier run with these settings, or, if there is none, of a new one on `images`."""
    try:
        network, made = load_weights(config.output_folder())
        if not again and not made.training_differences(config):
            return network
    except (FileNotFoundError, ValueError):
        pass
    network = fit(config.build, images(), config, show)
    save_weights(network, config, config.output_folder())
    return network


def prepare_again(pixels: Tensor, seed: int) -> Tensor:
    """Return digits (N, 28, 28) uint8 put into MNIST's form as from a photo, turned by up to `TURNED` degrees."""
    random = np.random.default_rng(seed)
    return torch.from_numpy(
        np.stack([prepare(enlarge(one, 2, random.uniform(-TURNED, TURNED))) for one in pixels.numpy() / 255])
    )
