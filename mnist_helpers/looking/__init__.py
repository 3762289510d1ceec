"""Looking at digits, networks and runs: measures of them, and the pictures of all that is measured.

Uses `sweeps`, `runs`, `training`, `networks` and `data`. No look at a network changes it.
"""

from mnist_helpers.looking.attribution import class_maps, occlusion, rank_agreement
from mnist_helpers.looking.calibration import expected_calibration_error, reliability
from mnist_helpers.looking.corruptions import Damage, add_noise, blur, change_width, respond, rotate, shift
from mnist_helpers.looking.error_plots import (
    plot_attributions,
    plot_class_errors,
    plot_confusion,
    plot_errors,
    plot_reliability,
    plot_robustness,
)
from mnist_helpers.looking.explore import (
    DOUBTFUL_TEST_LABELS,
    alikeness,
    class_means,
    count_right,
    most_unusual,
    nearest,
    slant,
    stroke_thickness,
)
from mnist_helpers.looking.plots import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
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
from mnist_helpers.looking.probe import gradient_footprint, side, signal_sizes
from mnist_helpers.looking.run_plots import (
    draw_studies,
    plot_history,
    plot_range_test,
    plot_rates,
    plot_runs,
    plot_schedule,
    plot_seeds,
    plot_studies,
)
from mnist_helpers.looking.schedule import planned_schedule, range_test
