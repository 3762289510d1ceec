"""Every experiment is declared once, on record as declared, and found by its name and its group's."""

from shutil import copytree

import pytest
from sweeps.scripted import read_studies

from mnist_helpers.experiments import IDEAS, UNCHANGED, aims, judge, judges
from mnist_helpers.experiments.command import GROUPS, choose, main
from mnist_helpers.experiments.experiment import ABLATIONS, BY_WRITERS, ITERATIONS
from mnist_helpers.experiments.frontier import FRONTIER
from mnist_helpers.paths import PROJECT_ROOT, resolve
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps import study, sweep
from mnist_helpers.sweeps.plan import config_key
from mnist_helpers.sweeps.study import read_study


def has_record(name: str) -> bool:
    return (resolve(study.STUDIES) / f"{name}.json").exists()


EVERY = choose([])
# judged as far as there was time: what is on record is as declared, and no text leans on what is not
JUDGED = {each.name for group in (*judge.GROUPS.values(), judges.JUDGED.values(), aims.CANDIDATES) for each in group}
ON_RECORD = {name: each for name, each in EVERY.items() if name not in JUDGED or has_record(name)}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The published studies, copied below a folder of the test, where runs would go too."""
    copytree(resolve(study.STUDIES), tmp_path / "studies")
    for module in (study, sweep):
        monkeypatch.setattr(module, "STUDIES", str(tmp_path / "studies"))
    monkeypatch.setattr(sweep, "SWEEPS", str(tmp_path / "sweeps"))
    return tmp_path


def test_names_and_configurations_are_each_ones_own_and_all_that_is_on_record():
    names = [each.name for group in GROUPS.values() for each in group]
    assert len(names) == len(set(names)) == len(EVERY)
    assert not set(names) & set(GROUPS)
    assert len(set(EVERY.values())) == len(EVERY)  # settings do not keep an experiment out of a set
    assert len({config_key(make_config(**each.settings)) for each in EVERY.values()}) == len(EVERY)
    recorded = {found.name for found in read_studies()}
    assert recorded <= set(EVERY)
    assert recorded >= set(EVERY) - JUDGED


@pytest.mark.parametrize("experiment", ON_RECORD.values(), ids=lambda each: each.name)
def test_an_experiment_is_on_record_with_its_settings_and_seeds(experiment):
    found = read_study(experiment.name)
    seeds = [run.config.seed for run in found.runs]
    assert seeds == list(experiment.seeds) or (experiment.name in JUDGED and set(seeds) < set(experiment.seeds))
    for run in found.runs:
        assert run.config.training_differences(make_config(**experiment.settings, seed=run.config.seed)) == []


@pytest.mark.parametrize("experiment", ABLATIONS, ids=lambda each: each.name)
def test_an_ablation_leaves_out_one_part(experiment):
    (whole,) = [each for each in ITERATIONS if each.name == "augmentation"]
    config = make_config(**experiment.settings)
    changed = {line.split(":")[0] for line in config.training_differences(make_config(**whole.settings))}
    assert len(changed) == 1 or changed == {"model", "max_lr"}  # without BatchNorm another rate is needed


def test_what_is_tried_for_the_aims_is_judged_by_writers_and_draws_no_frontier_before_it():
    assert GROUPS["aims"] == aims.CANDIDATES
    for each in aims.CANDIDATES:
        assert each.settings.items() >= BY_WRITERS.items()
        assert list(each.seeds) == list(range(10))
    assert not {"looped_901", "looped_views"} & {each.name for each in FRONTIER}


def test_iterations_and_what_lies_beyond_name_a_notebook():
    named = [each for each in EVERY.values() if each.notebook]
    assert {each.notebook[:2] for each in named} == {"02", "03", "04", "05", "06", "07", "12", "13"}
    assert all((PROJECT_ROOT / "notebooks" / f"{each.notebook}.ipynb").exists() for each in named)


def test_groups_and_names_are_chosen_in_order_each_once():
    assert list(choose(["tiny", "course", "final"])) == ["tiny", *(each.name for each in ITERATIONS)]
    assert list(choose(["frontier"]))[-3:] == ["tinier", "tiny", "best"]
    with pytest.raises(ValueError, match=r"no experiment is called huge, vast; there are the groups") as error:
        choose(["huge", "final", "vast"])
    assert "onecycle" in str(error.value)


def test_an_unknown_name_is_refused_before_any_work(capsys):
    with pytest.raises(SystemExit):
        main(["huge"])
    assert "no experiment is called huge" in capsys.readouterr().err


def test_the_command_shows_what_is_on_record_and_runs_nothing(elsewhere, capsys):
    before = {path: path.stat().st_mtime_ns for path in (elsewhere / "studies").iterdir()}
    assert main(["course", "ablations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [each.name for each in (*ITERATIONS, *ABLATIONS)]
    assert main(["final", "ideas", "tiny"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "final",
        UNCHANGED.name,
        *(idea.name for idea in IDEAS),
        "tiny",
    ]
    assert {path: path.stat().st_mtime_ns for path in (elsewhere / "studies").iterdir()} == before
    assert [path.name for path in (elsewhere / "sweeps" / "studies" / "running").iterdir()] == [".lock"]


def test_a_change_whose_base_was_not_run_is_shown_without_a_verdict(elsewhere, capsys):
    assert main(["writers_wide"]) == 0
    assert "two wide convolutions for four" in capsys.readouterr().out
    (elsewhere / "studies" / "writers_unchanged.json").unlink()
    assert main(["writers_wide"]) == 0
    assert "no verdicts yet: writers_unchanged, which they are held against, was not run" in capsys.readouterr().out
