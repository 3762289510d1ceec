"""Many runs: planned, spread over cores or machines, each on record, several seeds as one study, studies compared.

Uses `runs`, `training`, `networks` and `data`.
"""

from mnist_helpers.sweeps.cluster import ClusterError, cluster_engine
from mnist_helpers.sweeps.comparison import (
    Comparison,
    compare_studies,
    format_comparisons,
    images_interval,
    mcnemar,
    mean_interval,
    sign_flip_p,
)
from mnist_helpers.sweeps.engines import local_engine
from mnist_helpers.sweeps.plan import SweepPlan, make_plan, read_plan
from mnist_helpers.sweeps.provenance import code_version
from mnist_helpers.sweeps.records import FailedRun, FinishedRun
from mnist_helpers.sweeps.report import SweepReport, format_report
from mnist_helpers.sweeps.study import (
    Spread,
    Study,
    difference,
    differences,
    find_study,
    format_difference,
    format_spread,
    format_studies,
    read_studies,
    read_study,
    spread,
)
from mnist_helpers.sweeps.sweep import add_engine_options, run_from_options, run_studies, run_sweep
