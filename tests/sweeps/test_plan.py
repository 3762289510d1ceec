"""A plan says what it is understood to say, as code, as a file however it was saved, or on the command line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_helpers.runs import ConfigError
from mnist_helpers.sweeps import plan as plans
from mnist_helpers.sweeps.plan import SweepPlan, check_configurations, make_plan, parse_values, read_plan

PLAN = SweepPlan(name="rates", seeds=(0, 1, 2), settings={"epochs": 1}, grid={"max_lr": [0.1, 0.2]})
TOML = "seeds = [0, 1, 2]\nsettings.epochs = 1\ngrid = { max_lr = [0.1, 0.2] }\n"


@given(
    st.lists(st.sampled_from([0.01, 0.1, 1]), min_size=1, unique=True),
    st.lists(st.sampled_from(["final", "batchnorm", "skeleton"]), min_size=1, unique=True),
    st.lists(st.integers(1, 5), min_size=1, unique=True),
)
def test_a_grid_is_every_value_with_every_other(rates, models, epochs):
    changes = tuple({"epochs": number} for number in epochs)
    plan = SweepPlan(name="x", settings={"batch_size": 7}, changes=changes, grid={"max_lr": rates, "model": models})
    found = plan.configurations()
    assert len(found) == len(rates) * len(models) * len(epochs)
    expected = [(rate, model, number) for number in epochs for rate in rates for model in models]
    assert [(s["max_lr"], s["model"], s["epochs"]) for s in found.values()] == expected
    assert all(chosen["batch_size"] == 7 for chosen in found.values())


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.lists(st.integers())))
def test_values_are_read_as_they_are_written(values):
    assert parse_values(",".join(map(json.dumps, values))) == values


def test_values_that_are_not_json_are_text():
    assert parse_values("final,batchnorm,3") == ["final", "batchnorm", 3]
    assert parse_values('null,{"degrees": 0, "shear": 0}') == [None, {"degrees": 0, "shear": 0}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_plan_is_read_from_toml_and_json_however_it_was_saved(tmp_path, encoding, line_end):
    for name, text in (("rates.toml", TOML), ("plan.json", json.dumps(PLAN.model_dump(), indent=1))):
        (tmp_path / name).write_bytes(text.replace("\n", line_end).encode(encoding))
        assert read_plan(tmp_path / name) == PLAN


def test_a_file_gives_its_name_to_a_plan_without_one(tmp_path):
    (tmp_path / "my plan ü.toml").write_text(TOML)
    assert read_plan(tmp_path / "my plan ü.toml").name == "my plan ü"


def test_a_relative_path_is_found_where_one_stands_then_from_the_projects_top(tmp_path, monkeypatch):
    project, here = tmp_path / "project", tmp_path / "here"
    for folder, seeds in ((project, [1]), (here, [2])):
        folder.mkdir()
        (folder / "both.json").write_text(json.dumps({"seeds": seeds}))
    (project / "one.json").write_text('{"seeds": [3]}')
    monkeypatch.setattr(plans, "resolve", lambda path: project / path)
    monkeypatch.chdir(here)
    assert read_plan("both.json").seeds == (2,)
    assert read_plan("one.json").seeds == (3,)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.toml", None, "none.toml: No such file"),
        ("broken.toml", b"seeds = [", "broken.toml: "),
        ("list.json", b"[1]", "list.json: "),
        ("bytes.toml", b"name = '\xff\xfe'", "bytes.toml: "),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plan_is_named(tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_bytes(text)
    with pytest.raises(ConfigError, match=said):
        read_plan(tmp_path / name)


@pytest.mark.parametrize("name", ["rate", "my plan ü", "v1.2", "(a) = b+c", "_", "0", "x" * 100])
def test_a_name_is_any_that_a_folder_may_have(name):
    assert make_plan(name=name).name == name


@pytest.mark.parametrize("name", ["", " ", "../up", "a/b", "a\\b", ".hidden", "..", "x" * 101, "a\nb", "a\0b"])
def test_a_name_that_is_none_of_one_folder_is_refused_in_words(name):
    with pytest.raises(ConfigError) as error:
        make_plan(name=name)
    assert str(error.value) == (
        f"name={name!r} is not allowed; allowed: the name of one folder: no / or \\, no dot in front, "
        "1 to 100 characters"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"nmae": "x"}, r"nmae is not a parameter \(did you mean name\?\); allowed: name, seeds, "),
        ({"grid": {"max_lr": []}}, r"grid.max_lr=\[\] is not allowed; allowed: at least one value"),
        ({"seeds": []}, r"seeds=\[\] is not allowed; allowed: at least one value"),
        ({"settings": {"seed": 3}}, "seed is not a setting of a sweep"),
        ({"settings": {"epochs": 2}, "grid": {"epochs": [1]}}, "epochs is chosen twice"),
        ({"grid": {"max_lr": [0.1, -1], "batch_sise": [1, 2]}}, "did you mean batch_size"),
        ({"settings": {"epochs": 99}, "grid": {"max_lr": [0.1, 0.2]}}, r"\Aepochs=99 is not allowed[^\n]*\Z"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_said_once(fields, said):
    def check():
        settings = make_plan(**{"name": "bad", **fields}).configurations()
        check_configurations(settings, dict.fromkeys(settings, (0, 1)))

    with pytest.raises(ConfigError, match=said):
        check()
