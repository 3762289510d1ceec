"""What was tried to be smaller, better or sooner: by other writers only, then frozen; and timed beside `fast`."""

from mnist_helpers.benchmarks import Taken, measure
from mnist_helpers.data import Split
from mnist_helpers.experiments import aims
from mnist_helpers.experiments.judge import read_verdicts
from mnist_helpers.networks import build_model, count_parameters
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps import difference, mean_interval, read_study

FAST = aims.TIMED[0].name


def test_those_tested_are_what_other_writers_put_first():
    held_out = {each.name: read_study(each.name) for each in aims.CANDIDATES if each.kind == aims.SMALLER}
    within = [study for study in held_out.values() if study.parameters <= 990]
    assert len(within) == 3
    first = max(within, key=lambda study: study.validation_accuracy.mean)
    better, smaller, sooner, shortest = aims.TESTED
    as_best = [read_study(each.name) for each in aims.CANDIDATES if each.kind == aims.BETTER]
    assert len(as_best) == 5
    assert max(as_best, key=lambda study: study.validation_accuracy.mean).name == f"writers_{better.name}"
    assert first.name == f"writers_{smaller.name}"
    assert count_parameters(build_model(smaller.name)) <= 990
    candidates = [read_study(each.name) for each in aims.CANDIDATES if each.kind == aims.SOONER]
    short = [study for study in candidates if study.runs[0].total_epochs == 2]
    assert max(short, key=lambda study: study.validation_accuracy.mean).name == f"writers_{sooner.name}"
    # not told apart from the fast network, and less is learnt in its last epoch
    low, high = mean_interval(
        difference(read_study(f"writers_{shortest.name}"), read_study(FAST), "validation_accuracy")
    )
    assert low < 0 < high
    assert {run.config.seed for tested in aims.TESTED for run in read_study(tested.name).runs} == set(range(10))


def test_verdicts_are_against_what_each_changes():
    tried = [each for each in aims.CANDIDATES if each.name in aims.AGAINST]
    found = {each.tried.name: (each, p) for each, p in read_verdicts(tried, aims.AGAINST)}
    deeper, p = found["writers_looped_2425"]
    assert deeper.gain.mean < 0
    assert p < 0.05
    assert all(0 <= p <= 1 for _, p in found.values())
    to_be_better = [each for each in aims.CANDIDATES if each.kind == aims.BETTER][1:]
    assert [each.name for each in to_be_better] == list(aims.AGAINST_BEST)


def test_the_command_times_every_candidate_beside_the_fast_network(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure, "RECORDS", str(tmp_path))
    seconds = {each.name: 6.0 - number for number, each in enumerate(aims.TIMED)}
    monkeypatch.setattr(
        aims, "take_turns", lambda measure, repeats: {n: [Taken(n, s)] * repeats for n, s in seconds.items()}
    )
    assert aims.main([]) == 0
    found = aims.Sooner.read().runs
    assert {name: measured.median_seconds for name, measured in found.items()} == seconds
    assert found[aims.TIMED[1].name].ratios == {aims.TIMED[0].name: round(5 / 6, 5)}
    assert capsys.readouterr().out.splitlines()[2].split()[-2:] == ["5.0", "0.83"]


def test_each_contestant_is_the_first_of_a_repeat_once(monkeypatch):
    monkeypatch.setattr(aims, "timed", lambda work: (1.0, None))
    monkeypatch.setattr(RunConfig, "split", lambda self: Split(None, None))
    orders = [[taken.name for taken in aims.time_candidates(repeat)] for repeat in range(aims.REPEATS)]
    names = {each.name for each in aims.TIMED}
    assert {order[0] for order in orders} == names
    assert all(set(order) == names for order in orders)


def test_the_seconds_stand_below_each_other():
    lines = aims.format_sooner(aims.Sooner.read()).splitlines()
    assert len({len(line) for line in lines}) == 1
