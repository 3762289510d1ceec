"""What was run on the way, one change at a time, and what came of it.

The top floor: uses every other room.
"""

from mnist_helpers.experiments.course import ABLATIONS, FASTER, ITERATIONS, SMALLER
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.experiments.frontier import (
    FRONTIER,
    ONE_PLAN,
    TARGETED,
    format_frontier,
    format_public,
    plot_frontier,
    read_frontier,
)
from mnist_helpers.experiments.ideas import IDEAS, UNCHANGED, format_ideas, look_up, plot_ideas
from mnist_helpers.experiments.ledger import format_ledger, markdown_ledger, plot_ledger, read_ledger
from mnist_helpers.experiments.speedups import (
    STEPS,
    TRIED,
    format_speedups,
    plot_filters,
    plot_speedups,
    read_speedups,
)
