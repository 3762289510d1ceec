"""Seconds: contestants measured in turn, in processes of their own, and read as ratios; what is drawn of them.

Uses `looking`, `sweeps`, `runs`, `training`, `networks` and `data`.
"""

from mnist_helpers.benchmarks.benchmark import read_benchmark
from mnist_helpers.benchmarks.epoch import MEMORY, PIL, REFERENCE, epoch_seconds
from mnist_helpers.benchmarks.growth import format_arithmetic, plot_growth
from mnist_helpers.benchmarks.measure import Measured, Taken, compare, take_turns, timed
from mnist_helpers.benchmarks.reference import reference_transform
from mnist_helpers.benchmarks.step_profile import (
    BFLOAT16_STEP,
    FAST_STEP,
    FINAL_STEP,
    PLAIN_STEP,
    format_profiles,
    plot_profiles,
    read_profiles,
)
from mnist_helpers.benchmarks.trainings import (
    BFLOAT16_RUN,
    FAST_RUN,
    PEER_RUN,
    REFERENCE_RUN,
    SPRINT_RUN,
    format_trainings,
    plot_trainings,
)
