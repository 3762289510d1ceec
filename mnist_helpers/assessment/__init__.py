"""A network handed in, judged: rules, seeds, its place among the others, a report; a folder of them as one table.

Uses `experiments`, `looking`, `sweeps`, `runs`, `training`, `networks` and `data`.
"""

from .minutes import expected_seconds, seconds_per_seed
from .pictures import plot_among_the_ledger, plot_mistakes, plot_place
from .submission import Submission, make_submission, train_seeds
from .verdict import PASSED, Verdict, judge, write_verdict
from .workplace import Refused, format_time
