"""A run as a whole: a network by name or from a file, its recipe and hooks, what it leaves on disk.

Uses `training`, `networks` and `data`.
"""

from .checks import ConfigError, explain
from .config import RunConfig, make_config
from .distillation import Taught, distilled
from .goals import ACCURACY_GOAL, check_goals, format_goals
from .hooks import EachAlone, InBfloat16, multiplies_bfloat16_fast
from .notebook import notebook_config
from .own import is_own, known_network, load_own, own_file
from .recipes import COMPACT_AUGMENTATION, FAST, GENTLE, NO_COLOUR_NO_BLANKING
from .record import (
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
from .weights import load_weights, save_weights
from .whitening import SAMPLE, whiten
