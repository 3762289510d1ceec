"""A sweep runs everything once and keeps it, whatever fails, is killed or changes meanwhile."""

import contextlib
import tempfile
from pathlib import Path
from shutil import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.scripted import BEFORE, PLAN, TODAY, Scripted, files, finished, read_studies

from mnist_helpers.paths import resolve
from mnist_helpers.runs import ConfigError
from mnist_helpers.sweeps import study, sweep
from mnist_helpers.sweeps.plan import make_plan, run_key
from mnist_helpers.sweeps.store import RecordError, open_store
from mnist_helpers.sweeps.study import read_study
from mnist_helpers.sweeps.sweep import format_report, main, run_studies, run_sweep
from mnist_helpers.training import source_hash


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Studies and single runs below a folder of the test."""
    for module in (study, sweep):
        monkeypatch.setattr(module, "STUDIES", str(tmp_path / "studies"))
    monkeypatch.setattr(sweep, "SWEEPS", str(tmp_path / "sweeps"))
    return tmp_path


def test_what_is_not_allowed_stops_before_anything_runs_or_is_written(tmp_path):
    plan = make_plan(name="bad", grid={"max_lr": [0.1, -1]})
    with pytest.raises(ConfigError, match="max_lr=-1 is not allowed"):
        run_sweep(plan, engine := Scripted(), folder=str(tmp_path))
    assert engine.ran == list(tmp_path.iterdir()) == []


@settings(database=None, deadline=None, max_examples=15)
@given(
    st.lists(st.integers(0, 4), max_size=3), st.sets(st.sampled_from([(r, s) for r in (0.1, 0.2) for s in range(3)]))
)
def test_however_often_it_is_killed_everything_runs_once_and_failures_are_tried_again(kills, failing):
    def fails(config):
        return (config.max_lr, config.seed) in failing

    with tempfile.TemporaryDirectory() as folder:
        done = []
        for survives in kills:
            engine = Scripted(fails, survives)
            with contextlib.suppress(KeyboardInterrupt):
                run_sweep(PLAN, engine, folder=folder)
            done += [run_key(config) for config in engine.ran if not fails(config)]
        report = run_sweep(PLAN, last := Scripted(fails), folder=folder)
        done += [run_key(config) for config in last.ran if not fails(config)]
        assert len(done) == len(set(done)) == 6 - len(failing)
        assert {(failure.config.max_lr, failure.config.seed) for failure in report.failures} == failing
        assert sum(found.test_accuracy.n for found in report.studies) == 6 - len(failing)
        assert len(files(Path(folder) / "rates")) == 2 - len({rate for rate, _ in failing})

        run_sweep(PLAN, retry := Scripted(), folder=folder)
        assert {(config.max_lr, config.seed) for config in retry.ran} == failing
        report = run_sweep(PLAN, nothing := Scripted(), folder=folder)
        assert nothing.ran == report.failures == []
        assert len(files(Path(folder) / "rates")) == 2
        assert files(Path(folder) / "rates" / "running") == {}


def test_a_record_is_on_disk_before_the_next_run_ends(tmp_path):
    seen = []

    def engine(configs, code):
        for config in configs:
            yield [finished(config, code)]
            seen.append((len(files(tmp_path / "rates" / "running")), len(files(tmp_path / "rates"))))

    run_sweep(PLAN, engine, folder=str(tmp_path))
    # two configurations in turn; with its last seed each becomes a study
    assert seen == [(1, 0), (2, 0), (3, 0), (4, 0), (2, 1), (0, 2)]


def test_seeds_take_turns_and_the_same_run_is_not_planned_twice(tmp_path):
    plan = PLAN.model_copy(update={"grid": {"max_lr": [0.1, 0.2, "0.10"]}, "seeds": (0, 1, 1)})
    run_sweep(plan, engine := Scripted(), folder=str(tmp_path))
    assert [(config.max_lr, config.seed) for config in engine.ran] == [(0.1, 0), (0.2, 0), (0.1, 1), (0.2, 1)]


def test_records_of_other_code_are_kept_and_said_and_repeated_only_when_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "code_version", lambda: BEFORE)
    run_sweep(PLAN, first := Scripted(), folder=str(tmp_path))
    before = files(tmp_path / "rates")

    monkeypatch.setattr(sweep, "code_version", lambda: TODAY)
    report = run_sweep(PLAN, kept := Scripted(), folder=str(tmp_path))
    assert kept.ran == []
    assert files(tmp_path / "rates") == before
    assert report.other_code == 6
    assert "6 runs were recorded by other code and kept; --again repeats them" in format_report(report)

    with pytest.raises(KeyboardInterrupt):
        run_sweep(PLAN, killed := Scripted(survives=4), again=True, folder=str(tmp_path))
    report = run_sweep(PLAN, rest := Scripted(), again=True, folder=str(tmp_path))
    assert (len(killed.ran), len(rest.ran), report.other_code) == (4, 2, 0)
    # no checkpoint of the older code is continued
    assert not {c.output_dir for c in first.ran} & {c.output_dir for c in killed.ran + rest.ran}


def test_two_sweeps_do_not_share_a_folder(tmp_path):
    def engine(configs, code):
        with pytest.raises(RecordError, match=r"another sweep is at work in .*rates"):
            run_sweep(PLAN, Scripted(), folder=str(tmp_path))
        assert main(["--name", "rates", "--folder", str(tmp_path)]) == 2
        yield [finished(config, code) for config in configs]

    assert len(run_sweep(PLAN, engine, folder=str(tmp_path)).studies) == 2
    with open_store(tmp_path / "rates", tmp_path / "rates" / "running", TODAY):
        pass  # and it is free afterwards


def test_other_settings_under_a_name_on_record_are_refused_before_anything_runs(tmp_path):
    run_sweep(PLAN, Scripted(), folder=str(tmp_path))
    before = files(tmp_path / "rates")
    other = PLAN.model_copy(update={"settings": {"epochs": 2}})
    with pytest.raises(RecordError, match=r"max_lr=0\.1\.json holds other settings"):
        run_sweep(other, engine := Scripted(), folder=str(tmp_path))
    assert engine.ran == []
    assert files(tmp_path / "rates") == before


def test_a_log_gets_no_bar(tmp_path, capsys):
    run_sweep(PLAN, Scripted(), folder=str(tmp_path))
    assert capsys.readouterr() == ("", "")


def test_the_command_line_and_a_file_say_the_same(tmp_path, capsys):
    (tmp_path / "rates.toml").write_text("settings.epochs = 1\ngrid.max_lr = [0.1, 0.2]\n")
    run_sweep(PLAN, Scripted(), folder=str(tmp_path))  # all that both ask for, so that neither runs anything
    shown = []
    for arguments in (
        [str(tmp_path / "rates.toml")],
        ["--name", "rates", "--set", "epochs=1", "--grid", "max_lr=0.1,0.2", "--seeds", "0", "1", "2"],
    ):
        assert main([*arguments, "--folder", str(tmp_path)]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert [line.split()[0] for line in shown[0].splitlines()[1:3]] == ["max_lr=0.1", "max_lr=0.2"]


@pytest.mark.parametrize("arguments", [[], ["x.toml", "--name", "x"], ["--name", "x", "--set", "epochs"]])
def test_a_command_that_is_none_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "usage:" in capsys.readouterr().err


# studies


def test_committed_studies_are_not_run_again_and_their_files_stay(elsewhere):
    (elsewhere / "studies").mkdir()
    for path in sorted(resolve("outputs/studies").glob("*.json"))[::6]:
        copy(path, elsewhere / "studies")
    before = files(elsewhere / "studies")
    recorded = {each.name: each for each in read_studies()}
    seeds = {name: [run.config.seed for run in each.runs] for name, each in recorded.items()}
    report = run_studies({name: each.settings for name, each in recorded.items()}, seeds, engine := Scripted())
    assert engine.ran == report.failures == []
    assert report.studies == list(recorded.values())
    codes = [run.code for each in recorded.values() for run in each.runs]
    assert report.other_code == sum(code is None or code.sources != source_hash() for code in codes) >= 100
    assert files(elsewhere / "studies") == before


def test_a_study_is_written_when_its_last_seed_is_done_and_never_loses_one(elsewhere):
    names, running = {"short": {"epochs": "1"}, "long": {"epochs": "2"}}, elsewhere / "sweeps" / "studies" / "running"

    def run(engine, seeds):
        return run_studies(names, dict.fromkeys(names, seeds), engine)

    report = run(Scripted(lambda c: (c.epochs, c.seed) == (2, 1)), [0, 1])
    assert list(files(elsewhere / "studies")) == ["short.json"]
    assert (read_study("short").settings, read_study("short").test_accuracy.n) == ({"epochs": 1}, 2)
    assert [failure.config.seed for failure in report.failures] == [1]
    assert len(files(running)) == 2  # of the long one, whose seed 1 failed

    run(engine := Scripted(), [1])
    assert [(config.epochs, config.seed) for config in engine.ran] == [(2, 1)]
    assert files(running) == {}
    run(engine := Scripted(), [2])
    assert [run.config.seed for run in read_study("long").runs] == [0, 1, 2]

    # a clone has the studies and no running files
    (running / ".lock").unlink(missing_ok=True)
    running.rmdir()
    run(engine := Scripted(), [0, 1, 2, 3])
    assert [config.seed for config in engine.ran] == [3, 3]
    assert [run.config.seed for run in read_study("short").runs] == [0, 1, 2, 3]


def test_every_configuration_has_its_own_seeds_in_turn(elsewhere):
    names = {"short": {"epochs": "1"}, "long": {"epochs": "2"}}
    run_studies(names, {"short": [5], "long": [0, 1]}, engine := Scripted())
    assert [(config.epochs, config.seed) for config in engine.ran] == [(1, 5), (2, 0), (2, 1)]
    assert (read_study("short").test_accuracy.n, read_study("long").test_accuracy.n) == (1, 2)


def test_a_killed_repeat_leaves_the_study_until_all_its_seeds_are_repeated(elsewhere, monkeypatch):
    names, seeds = {"short": {"epochs": "1"}}, {"short": [0, 1, 2]}
    monkeypatch.setattr(sweep, "code_version", lambda: BEFORE)
    run_studies(names, seeds, Scripted())
    before = files(elsewhere / "studies")
    monkeypatch.setattr(sweep, "code_version", lambda: TODAY)
    with pytest.raises(KeyboardInterrupt):
        run_studies(names, seeds, Scripted(survives=2), again=True)
    assert files(elsewhere / "studies") == before
    run_studies(names, seeds, last := Scripted(), again=True)
    assert [config.seed for config in last.ran] == [2]
    assert {run.code.sources for run in read_study("short").runs} == {"today"}
