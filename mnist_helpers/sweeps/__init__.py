"""Many runs: planned, spread over cores or machines, each on record, several seeds as one study, studies compared.

Uses `runs`, `training`, `networks` and `data`.
"""

from .cluster import cluster_engine
from .comparison import (
    difference,
    differences,
    format_comparisons,
    format_difference,
    format_interval,
    images_interval,
    mcnemar,
    mean_interval,
    sign_flip_p,
)
from .engines import local_engine
from .plan import check_configurations, make_plan
from .study import (
    CodeVersion,
    FailedRun,
    FinishedRun,
    RunRecord,
    Spread,
    Study,
    code_version,
    find_study,
    format_spread,
    format_studies,
    read_study,
    spread,
)
from .sweep import add_engine_options, format_report, run_from_options, run_studies, run_sweep
