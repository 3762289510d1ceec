"""Which runs are the same; every one is on disk once: alone while its study is not whole, then in the study."""

import re

import pytest
from sweeps.scripted import BEFORE, TODAY, files, finished

from mnist_helpers.records import write_record
from mnist_helpers.runs import RunConfig
from mnist_helpers.sweeps.plan import check_configurations, config_key, run_key
from mnist_helpers.sweeps.store import RecordError, RunStore, file_name, open_store
from mnist_helpers.sweeps.study import FailedRun, Study
from mnist_helpers.training import PLACES


@pytest.fixture
def folders(tmp_path):
    for name in ("studies", "running"):
        (tmp_path / name).mkdir()
    return tmp_path / "studies", tmp_path / "running"


def configuration(name, seeds=(0, 1), **settings):
    return check_configurations({name: settings}, {name: seeds})[0]


@pytest.mark.parametrize("field", RunConfig.model_fields)
def test_a_run_is_known_by_all_that_decides_it(field):
    other = {
        "model": "skeleton", "schedule": "constant", "augmentation": None, "data_dir": "x", "output_dir": "x",
        "resume": True, "device": "cpu", "train_size": 100, "source": "0123456789abcdef",
        "label_smoothing": 0.1, "learning_epochs": (1,), "whitened": True,
        "optimizer": "adamw", "teacher": "fast", "averaging": 0.9, "held_out": "last",
        "augmentation_end": 0.5, "precision": "bfloat16", "fold": 1,
    }  # fmt: skip
    default = RunConfig()
    value = getattr(default, field)
    config = RunConfig(**{field: other[field] if field in other else value + 1 if value == 0 else value / 2
                          if isinstance(value, float) else value + 1})  # fmt: skip
    assert (run_key(config) == run_key(default)) == (field in PLACES) == (not config.training_differences(default))
    assert (config_key(config) == config_key(default)) == (field in PLACES | {"seed"})


def test_a_record_keeps_its_file_when_keys_change(folders):
    config, (_, running) = RunConfig(epochs=1), folders
    write_record(running / "older_name.json", finished(config, BEFORE))
    store = RunStore(*folders, TODAY)
    assert store.find(config) == finished(config, BEFORE)
    store.write(finished(config))
    assert list(files(running)) == ["older_name.json"]
    assert RunStore(*folders, TODAY).find(config) == finished(config)


@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_record_is_named(folders, place):
    (folders[place] / "damaged.json").write_text("{}")
    with pytest.raises(RecordError, match=r"damaged\.json is not a record of runs"):
        RunStore(*folders, TODAY)


def test_a_settled_configuration_is_one_file_with_the_code_of_each_run(folders):
    studies, running = folders
    short = configuration("short", epochs=1)
    store = RunStore(*folders, TODAY)
    for config, code in zip(short.runs, (None, TODAY), strict=True):
        store.write(finished(config, code))
    assert (len(files(running)), files(studies)) == (2, {})
    store.settle(short)
    assert (files(running), list(files(studies))) == ({}, ["short.json"])
    study = Study.model_validate_json(files(studies)["short.json"])
    assert [run.code for run in study.runs] == [None, TODAY]
    again = RunStore(*folders, TODAY)
    assert [again.find(config) for config in short.runs] == [finished(short.runs[0], None), finished(short.runs[1])]
    written = (studies / "short.json").stat().st_mtime_ns
    again.settle(short)
    assert (studies / "short.json").stat().st_mtime_ns == written


def test_a_repeat_that_fails_leaves_the_study_and_is_found_as_failed_until_it_finishes(folders):
    _, running = folders
    short = configuration("short", epochs=1)
    store = RunStore(*folders, TODAY)
    for config in short.runs:
        store.write(finished(config, BEFORE))
    store.settle(short)
    store.write(failure := FailedRun(code=TODAY, config=short.runs[0], error="E: no"))
    for found in (store, RunStore(*folders, TODAY)):
        assert found.find(short.runs[0]) == failure
        assert len(found.finished(short.runs[0])) == 2
    store.write(finished(short.runs[0]))
    assert store.find(short.runs[0]) == finished(short.runs[0])
    store.settle(short)
    assert files(running) == {}
    assert RunStore(*folders, TODAY).finished(short.runs[0]) == [
        finished(short.runs[0]),
        finished(short.runs[1], BEFORE),
    ]


def test_checkpoints_go_with_a_run_that_finished_and_only_with_that(folders):
    (config,) = configuration("short", seeds=(1,), epochs=1).runs
    for name in (f"{run_key(config)}_older", f"{run_key(config)}_today", f"{run_key(config)}2_today"):
        (folders[1] / name / "checkpoints").mkdir(parents=True)
    store = RunStore(*folders, TODAY)
    store.write(FailedRun(code=TODAY, config=config, error="E: no"))
    assert len([path for path in folders[1].iterdir() if path.is_dir()]) == 3
    store.write(finished(config))
    assert [path.name for path in folders[1].iterdir() if path.is_dir()] == [f"{run_key(config)}2_today"]


def test_a_name_that_other_settings_have_is_refused_and_what_is_on_record_stays(folders):
    studies, _ = folders
    old, new = (configuration("rate", epochs=number) for number in (1, 2))
    store = RunStore(*folders, TODAY)
    for config in old.runs:
        store.write(finished(config))
    store.settle(old)
    before = files(studies)
    for found in (store, RunStore(*folders, TODAY)):
        with pytest.raises(RecordError, match=r"rate\.json holds other settings; delete it, or give these another"):
            found.settle(new)
    assert files(studies) == before


def test_a_configuration_is_settled_when_its_last_run_is_done(folders):
    short, store = configuration("short", epochs=1), RunStore(*folders, TODAY)
    for config in short.runs:
        assert files(folders[0]) == {}
        store.write(finished(config))
        store.settle(short)
    assert list(files(folders[0])) == ["short.json"]


def test_a_configuration_on_record_stays_under_its_name(folders):
    store = RunStore(*folders, TODAY)
    for each in (configuration("first", epochs=1), configuration("second", seeds=(5,), epochs=1)):
        for config in each.runs:
            store.write(finished(config))
        store.settle(each)
    assert list(files(folders[0])) == ["first.json"]
    assert len(Study.model_validate_json(files(folders[0])["first.json"]).runs) == 3


def test_any_label_has_a_file_of_its_own():
    labels = [
        "max_lr=0.1 model=final",
        "model=a/b.py:N",
        "model=a_b.py:N",
        'x={"a": 1}',
        "x" * 300,
        "ü v1.2",
    ]
    names = [file_name(label) for label in labels]
    assert names[0] == labels[0]
    assert names[-1] == labels[-1]
    assert len(set(names)) == len(labels)
    assert all(re.fullmatch(r"[^/:\\\"*?<>|]{1,80}", name) for name in names)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RecordError, match=r"file.running cannot be used for records"),
        open_store(tmp_path / "file", tmp_path / "file" / "running", TODAY),
    ):
        pass
