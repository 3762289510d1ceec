"""Looking at digits, networks and runs: measures of them, and the pictures of all that is measured.

Uses `sweeps`, `runs`, `training`, `networks` and `data`. No look at a network changes it.
"""

from .answers import DOUBTFUL_TEST_LABELS, count_right, expected_calibration_error, reliability
from .corruptions import Damage, add_noise, blur, change_width, respond, rotate, shift
from .error_plots import plot_class_errors, plot_confusion, plot_errors, plot_reliability, plot_robustness
from .explore import alikeness, class_means, most_unusual, nearest, slant, stroke_thickness
from .own_ledger import Noted, note, plot_own_ledger
from .plots import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    ORANGE,
    panels,
    plot_alikeness,
    plot_augmentation,
    plot_class_sizes,
    plot_digits,
    plot_distributions,
    plot_footprint,
    plot_readings,
    plot_shares,
    plot_signals,
)
from .probe import class_maps, gradient_footprint, occlusion, plot_attributions, rank_agreement, side, signal_sizes
from .run_plots import draw_studies, plot_history, plot_runs, plot_seeds, plot_studies
from .schedule import planned_schedule, plot_range_test, plot_rates, plot_schedule, range_test
from .symptoms import plot_symptoms
