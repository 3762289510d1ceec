"""Seconds: contestants measured in turn, in processes of their own, and read as ratios; what is drawn of them.

Uses `sharing`, `looking`, `sweeps`, `runs`, `training`, `networks` and `data`.
"""

from .benchmark import read_benchmark
from .growth import format_arithmetic, plot_growth
from .measure import Measured, Record, Taken, compare, take_turns, timed
from .profiles import BFLOAT16_STEP, FAST_STEP, FINAL_STEP, PLAIN_STEP, format_profiles, plot_profiles, read_profiles
from .reference import MEMORY, PIL, REFERENCE, epoch_seconds
from .trainings import BFLOAT16_RUN, FAST_RUN, PEER_RUN, REFERENCE_RUN, SPRINT_RUN, format_trainings, plot_trainings
