"""How long an assessment will take, from a few steps of its training: said before it starts."""

import math
import time
from itertools import islice

import torch

from mnist_helpers.data import epoch_batches, load_training_images
from mnist_helpers.runs import RunConfig
from mnist_helpers.training import TRAINING_IMAGES, make_optimizer, train_step

WARM_UP, TIMED = 3, 12  # batches
STARTING_SECONDS = 8.0  # what a seed's two processes need to load torch and the digits


def seconds_per_seed(config: RunConfig) -> float:
    """Return about how many seconds a run takes with one thread: steps are timed, evaluation and hooks left out."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network, device = config.build().train(), config.torch_device()
        optimizer = make_optimizer(network, config)
        some = torch.arange(min(TRAINING_IMAGES, (WARM_UP + TIMED) * config.batch_size))
        images = load_training_images(config.data_dir).take(some).to(device)
        batches = epoch_batches(images, config.batch_size, config.augmentation)
        for batch in islice(batches, WARM_UP):
            train_step(network, *batch, optimizer)
        started, done = time.perf_counter(), [train_step(network, *batch, optimizer) for batch in batches]
        step = (time.perf_counter() - started) / max(1, len(done))
    finally:
        torch.set_num_threads(threads)
    images_an_epoch = config.train_size or TRAINING_IMAGES - config.validation_size
    return STARTING_SECONDS + step * math.ceil(images_an_epoch / config.batch_size) * config.epochs


def expected_seconds(per_seed: float, seeds: int) -> float:
    """Return how long so many seeds take here, one a core that torch may use."""
    return per_seed * math.ceil(seeds / torch.get_num_threads())
