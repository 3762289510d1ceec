"""A study is its seeds' last epochs, each trained once."""

import json

import pytest

from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.records import DamagedError
from mnist_helpers.runs import RunConfig, make_config
from mnist_helpers.sweeps import study, sweep
from mnist_helpers.sweeps.comparison import difference
from mnist_helpers.sweeps.engines import local_engine
from mnist_helpers.sweeps.study import (
    Spread,
    Study,
    code_version,
    find_study,
    format_studies,
    make_study,
    read_study,
    spread,
)
from mnist_helpers.sweeps.sweep import run_studies

RECORDS = sorted((PROJECT_ROOT / "outputs" / "studies").glob("*.json"))


def test_spread_is_mean_and_sample_deviation():
    found = spread([1.0, 2.0, 4.0])
    assert (found.mean, found.minimum, found.maximum, found.n) == (pytest.approx(7 / 3), 1, 4, 3)
    assert found.std == pytest.approx((7 / 3) ** 0.5)
    assert spread([1.0]).std == 0


@pytest.mark.parametrize("changes", [{"n": 0}, {"std": -0.1}, {"std": float("nan")}, {"mean": 5.0}, {"mean": 0.5}])
def test_a_spread_that_contradicts_itself_is_refused(changes):
    whole = spread([1.0, 2.0, 4.0]).model_dump()
    Spread(**whole)
    with pytest.raises(ValueError, match="no mean, deviation and extremes"):
        Spread(**whole | changes)


def test_what_is_on_record_cannot_be_changed():
    whole, now = read_study("sprint"), code_version()
    for record, name in ((whole, "name"), (whole.runs[0], "config"), (whole.test_accuracy, "mean"), (now, "sources")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(record, name, getattr(record, name))


def test_a_study_of_two_settings_or_of_one_seed_twice_is_refused():
    whole = read_study("final")
    first, second = whole.runs[:2]
    other = second.model_copy(update={"config": second.config.but(batch_size=64)})
    for runs in ([first, first], [first, other]):
        with pytest.raises(ValueError, match="differ in more than the seed, or have one seed twice"):
            make_study("made", {}, runs)


def test_a_study_without_runs_or_with_another_mean_than_its_runs_is_refused():
    whole = read_study("final").model_dump(mode="json")
    Study.model_validate(whole)
    with pytest.raises(ValueError, match="it has no runs"):
        Study.model_validate(whole | {"runs": []})
    other = whole["test_accuracy"] | {"mean": whole["test_accuracy"]["mean"] - 1e-4}
    with pytest.raises(ValueError, match=r"test_accuracy\.mean is not that of its runs"):
        Study.model_validate(whole | {"test_accuracy": other})


def test_a_study_under_anothers_name_is_refused(monkeypatch):
    whole = read_study("final")
    monkeypatch.setattr(study, "read_record", lambda *_: whole)
    with pytest.raises(DamagedError, match="holds the study final"):
        read_study("fast")


def test_a_difference_is_taken_seed_by_seed():
    final = read_study("final")
    better = [
        run.model_copy(
            update={
                "history": [
                    last.model_copy(update={"test_accuracy": last.test_accuracy + 0.001 * (1 + run.config.seed)})
                ]
            }
        )
        for run in final.runs
        for last in run.history[-1:]
    ]
    found = difference(final.model_copy(update={"runs": better[1:4]}), final)  # seeds 1 to 3, of ten
    assert (found.n, found.mean, found.minimum, found.maximum) == (3, *map(pytest.approx, (0.003, 0.002, 0.004)))
    with pytest.raises(ValueError, match=r"final has seeds \[0\], final has \[1\]: none in common"):
        difference(*(final.model_copy(update={"runs": [run]}) for run in final.runs[:2]))


def test_a_table_of_studies_has_a_line_each():
    lines = format_studies([read_study("final")] * 2).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("seeds")
    assert lines[0].index("validation") + len("validation") == 22 + 1 + 15  # names, accuracies
    assert f"{100 * read_study('final').test_accuracy.mean:.2f} ± " in lines[1]


@pytest.mark.training
def test_a_study_trains_every_seed_once(tmp_path, monkeypatch):
    for module in (study, sweep):
        monkeypatch.setattr(module, "STUDIES", str(tmp_path / "studies"))
    monkeypatch.setattr(sweep, "SWEEPS", str(tmp_path / "sweeps"))
    settings = {"epochs": "2", "train_size": "500", "validation_size": "100"}
    names = {"small": settings, "small_2": {**settings, "schedule": "constant"}}
    first, _ = run_studies(names, dict.fromkeys(names, (1, 0)), local_engine(processes=2)).studies
    assert [run.config.seed for run in first.runs] == [0, 1]
    assert first.settings == {"epochs": 2, "train_size": 500, "validation_size": 100}
    assert first.test_accuracy.mean == pytest.approx(sum(run.history[-1].test_accuracy for run in first.runs) / 2)
    assert first.runs[0].history[-1].test_loss != first.runs[1].history[-1].test_loss
    (again,) = run_studies({"small": settings}, {"small": [0, 1]}).studies
    assert again == first == read_study("small")  # seconds included: nothing was trained twice


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_committed_study_is_what_its_runs_say(path):
    record = read_study(path.stem)
    assert record.name == path.stem
    seeds = [run.config.seed for run in record.runs]
    assert seeds == sorted(set(seeds))
    assert record.test_accuracy == spread([run.history[-1].test_accuracy for run in record.runs])
    assert record.validation_loss == spread([run.history[-1].validation_loss for run in record.runs])
    for run in record.runs:
        assert run.final_test_accuracy == run.history[-1].test_accuracy
        assert len(run.history) == run.config.epochs < 20
        settings = json.loads(run.config.model_dump_json())
        assert all(settings[key] == value for key, value in record.settings.items())
        recipe = make_config(model=run.config.model)
        changed = {line.split(":")[0] for line in run.config.training_differences(recipe)}
        assert changed - {"seed"} <= set(record.settings)


def test_a_study_is_found_by_its_settings_whatever_the_seed():
    assert find_study(RunConfig(seed=77, output_dir="elsewhere")).name == "final"
    assert find_study(RunConfig(epochs=3)) is None


def test_the_final_networks_mean_reaches_the_goal():
    accuracy = read_study("final").test_accuracy
    assert accuracy.n >= 3
    assert accuracy.mean >= 0.994
