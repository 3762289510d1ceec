"""The quick check of the ratios of whole trainings: its margin is wide, and it can fail."""

import pytest

from mnist_helpers.benchmarks import REFERENCE_RUN, Measured, benchmark, read_benchmark
from mnist_helpers.benchmarks.benchmark import QUICK_LIMITS, main


def test_the_margin_is_wide():
    for name, limit in QUICK_LIMITS.items():
        assert 2 * read_benchmark().runs[name].ratios[REFERENCE_RUN] < limit


@pytest.mark.parametrize(("share", "status"), [(0.5, 0), (1.5, 1)])
def test_a_ratio_above_its_limit_fails_the_command(share, status, monkeypatch, capsys):
    measured = {
        name: Measured(seconds=[1], median_seconds=1, ratios={REFERENCE_RUN: share * limit})
        for name, limit in QUICK_LIMITS.items()
    }
    monkeypatch.setattr(benchmark, "take_turns", lambda measure, repeats: {})
    monkeypatch.setattr(benchmark, "compare", lambda found, against: measured)
    assert main(["--quick"]) == status
    assert capsys.readouterr().out.count("of the reference's time, limit") == len(QUICK_LIMITS)
