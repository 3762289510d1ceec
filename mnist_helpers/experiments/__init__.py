"""What was run on the way, one change at a time, and what came of it.

The top floor: uses `benchmarks`, `looking`, `sweeps`, `runs`, `training`, `networks` and `data`.
"""

from .aims import AGAINST as AIMS_AGAINST
from .aims import AGAINST_BEST, CANDIDATES, SMALLER, SOONER, TESTED, Sooner, format_sooner
from .frontier import LOOPED, ONE_PLAN, TARGETED, format_frontier, format_public, plot_frontier, read_frontier
from .ideas import IDEAS, UNCHANGED, format_ideas, look_up, plot_ideas
from .judge import AGAINST, IDEAS_AGAIN, STEPS_AGAIN, TRIED_AGAIN, format_verdicts, read_verdicts
from .judges import format_judges, plot_judges, read_judges
from .ledger import ROWS as LEDGER_ROWS
from .ledger import format_ledger, plot_ledger, read_ledger
from .speedups import STEPS, TRIED, format_speedups, plot_filters, plot_speedups, read_speedups
