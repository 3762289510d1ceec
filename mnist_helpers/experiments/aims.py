"""Smaller and better still: what is to be tried on writers of whom nothing was read."""

from typing import Any

from mnist_helpers.experiments.experiment import BY_WRITERS, SEEDS, Experiment


def _candidate(name: str, kind: str, change: str, model: str, **settings: Any) -> Experiment:
    return Experiment(f"writers_{name}", change, {"model": model, **BY_WRITERS, **settings}, SEEDS, kind)


SMALLER, BETTER = "fewer parameters", "fewer errors"
CANDIDATES = (
    _candidate("compact_1006", SMALLER, "1,006: a convolution for each place", "compact_1006"),
    _candidate("compact_1904", SMALLER, "1,904: a convolution for each place", "compact_1904"),
    _candidate("tinier", SMALLER, "2,930: a convolution for each place", "tinier"),
    *(
        _candidate(f"looped_{width}", SMALLER, f"{size}: one convolution four times", f"looped_{width}")
        for width, size in ((8, "866"), (10, "1,260"), (12, "1,726"), (14, "2,264"))
    ),
    _candidate("looped_10_averaged", SMALLER, "1,260, weights averaged", "looped_10", averaging=0.998),
    _candidate("looped_10_taught", SMALLER, "1,260, distilled from 75,946", "looped_10", teacher="teacher"),
    _candidate("best", BETTER, "best as it is", "best"),
    _candidate("best_averaged", BETTER, "best, weights averaged", "best", averaging=0.998),
    _candidate("looped_views", BETTER, "one wide convolution in each view", "looped_views"),
)
