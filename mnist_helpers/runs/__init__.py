"""A run as a whole: a network by name or from a file, its recipe and hooks, what it leaves on disk.

Uses `training`, `networks` and `data`.
"""

from mnist_helpers.networks import PUBLISHED
from mnist_helpers.records import RECORDS

from .checks import ConfigError, explain, shown
from .config import RunConfig, injected, make_config, notebook_config
from .executed import NOTEBOOK, clear_products, execute, file_product
from .hooks import EachAlone, multiplies_bfloat16_fast
from .own import is_own, known_network, load_own, own_file
from .recipes import COMPACT_AUGMENTATION, FAST, GENTLE, MODERATELY, NO_COLOUR_NO_BLANKING
from .record import (
    ACCURACY_GOAL,
    FIGURES,
    OWN,
    RunResults,
    check_goals,
    format_goals,
    keep,
    last_run,
    publish,
    read_results,
    show,
    write_results,
)
from .weights import load_weights, save_weights
from .whitening import SAMPLE, whiten
