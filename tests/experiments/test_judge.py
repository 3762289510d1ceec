"""Verdicts by held-out writers: paired seed by seed, corrected for many comparisons, one change at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweeps.scripted import with_last

from mnist_helpers.experiments import judge
from mnist_helpers.experiments.experiment import SEEDS
from mnist_helpers.experiments.judge import AGAINST, GROUPS, PARTS, format_verdicts, holm
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps.study import FinishedRun, make_study, read_study

CHANGES = [each for group in GROUPS.values() for each in group if each.name in AGAINST]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holms_correction_keeps_the_order_and_lies_between_none_and_bonferronis(p_values):
    corrected = holm(p_values)
    for p, found in zip(p_values, corrected, strict=True):
        assert p <= found <= min(1, p * len(p_values))
    ranked = [found for _, found in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)


def test_holms_correction_against_one_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.name)
def test_a_change_is_one_and_both_are_judged_by_ten_turns_of_writers(change):
    base = AGAINST[change.name]
    assert tuple(change.seeds) == tuple(base.seeds) == tuple(SEEDS)
    ours, theirs = (make_config(**each.settings) for each in (change, base))
    assert ours.held_out == theirs.held_out == "writers"
    changed = {line.split(":")[0] for line in ours.training_differences(theirs)}
    together = {"epochs", "batch_size", "max_lr", "pct_start", "final_div_factor", "base_momentum", "max_momentum"}
    assert len(changed) == 1 or changed == together or changed in (
        {"optimizer", "max_lr", "weight_decay"}, {"epochs", "learning_epochs"},
    )  # fmt: skip


def test_a_verdict_is_paired_by_seed_and_said_in_a_line(monkeypatch):
    final = read_study("final")

    def recorded(name: str) -> object:
        better = 0.002 if name == PARTS[0].name else 0.001 if name == PARTS[1].name else 0
        runs = [
            FinishedRun(**dict(run) | with_last(run, validation_accuracy=validation))
            for run in final.runs
            for validation in [0.98 + run.config.seed / 1000 + better * (1 + run.config.seed / 10)]
        ]
        return make_study(name, {}, runs)

    monkeypatch.setattr(judge, "read_study", recorded)
    (first, p), (second, second_p) = judge.read_verdicts(PARTS[:2])
    assert first.gain.mean == pytest.approx(0.002 * 1.45)
    assert second.gain.mean == pytest.approx(0.001 * 1.45)
    # of ten pairs all in one direction: 2 of 1,024 patterns of signs are as far from 0, twice for two comparisons
    assert p == second_p == pytest.approx(4 / 1024)
    header, line, _ = format_verdicts([(first, p), (second, second_p)]).splitlines()
    assert line.startswith("no augmentation")
    assert "+0.29" in line
    assert line.split()[-2:] == ["0.004", "10"]
    assert len(header) <= 88
