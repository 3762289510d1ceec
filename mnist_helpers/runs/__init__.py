"""A run as a whole: a network by name or from a file, its recipe and hooks, what it leaves on disk.

Uses `training`, `networks` and `data`.
"""

from mnist_helpers.runs.checks import ConfigError, explain
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.distillation import Taught, distilled
from mnist_helpers.runs.goals import ACCURACY_GOAL, check_goals, format_goals
from mnist_helpers.runs.hooks import EachAlone, InBfloat16, multiplies_bfloat16_fast
from mnist_helpers.runs.notebook import notebook_config
from mnist_helpers.runs.own import is_own, known_network, load_own, own_file
from mnist_helpers.runs.recipes import (
    COMPACT_AUGMENTATION,
    FAST,
    GENTLE,
    NO_COLOUR_NO_BLANKING,
)
from mnist_helpers.runs.record import (
    FIGURES,
    OWN,
    PUBLISHED,
    RECORDS,
    RunResults,
    file_product,
    last_run,
    publish,
    read_results,
    show,
    write_results,
)
from mnist_helpers.runs.weights import load_weights, save_weights
from mnist_helpers.runs.whitening import SAMPLE, whiten
