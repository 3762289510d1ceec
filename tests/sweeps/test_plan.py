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


@pytest.mark.parametrize(
    "name", ["", " ", "x ", "a\tb", "../up", "a/b", "a\\b", ".hidden", "..", "x" * 101, "a\nb", "a\0b"]
)
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


HUGE = {f"p{number}": list(range(10)) for number in range(9)}


@pytest.mark.parametrize(
    ("fields", "runs"),
    [
        ({"grid": HUGE, "seeds": [0]}, "1000000000"),
        ({"grid": {f"p{number}": list(range(10)) for number in range(10_000)}}, "a number too long to show"),
        ({"seeds": list(range(300_000))}, "300000"),
        ({"changes": [{"epochs": 1}] * 5_001, "seeds": [0, 1]}, "10002"),
        ({"grid": {"max_lr": [0.1] * 101}, "seeds": list(range(100))}, "10100"),
    ],
)
def test_a_plan_without_an_end_is_refused_before_anything_is_made_of_it(fields, runs, monkeypatch):
    monkeypatch.setattr(plans.itertools, "product", lambda *_: pytest.fail("expanded"))
    with pytest.raises(ConfigError) as error:
        make_plan(name="huge", **fields).configurations()
    said = str(error.value)
    assert "huge asks for" in said
    assert runs in said
    assert said.endswith("runs; allowed: at most 10,000")
    assert len(said) < 200


def test_the_largest_plan_is_allowed():
    plan = make_plan(name="large", seeds=range(100), grid={"max_lr": [number / 100 for number in range(1, 101)]})
    assert len(plan.configurations()) * len(plan.seeds) == plans.MOST_RUNS


@pytest.mark.parametrize("seeds", [[True], [0, False], ["1"], [1.0], [-1], [2**31], [True] * 300_000, "12", 3, None])
def test_what_is_no_seed_is_refused_in_one_line(seeds):
    with pytest.raises(ConfigError) as error:
        make_plan(name="x", seeds=seeds)
    assert str(error.value).startswith("seeds")
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 300


DEEP = 100_000


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("deep.json", '{"settings": {"augmentation": ' + "[" * DEEP + "]" * DEEP + "}}", "nested too deeply"),
        ("deep.toml", "seeds = " + "[" * DEEP + "]" * DEEP, "nested too deeply"),
        ("twice.json", '{"seeds": [1], "seeds": [2]}', "'seeds' is given twice"),
        ("twice.json", '{"settings": {"epochs": 1, "epochs": 2}}', "'epochs' is given twice"),
        ("twice.toml", "seeds = [1]\nseeds = [2]", "Cannot overwrite a value"),
        ("long.toml", "x = 1 #" + "x" * 1_000_000, "a plan has at most 1,000,000 bytes"),
        ("named.json", '{"name": "' + "x" * 50_000 + '"}', "the name of one folder"),
        ("emoji.json", json.dumps({"name": "\U0001f600" * 70}), "the name of one folder"),
        ("field.json", '{"' + "y" * 50_000 + '": 1}', "is not a parameter"),
        ("number.json", '{"seeds": [' + "9" * 5_000 + "]}", "Exceeds the limit"),
    ],
    ids=lambda value: value[:20],
)
def test_a_strange_file_is_refused_in_one_short_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as error:
        read_plan(tmp_path / name)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 1_000


@pytest.mark.parametrize("file", ["x" * 5_000, "x" * 300 + ".toml", "~no_such_user/plan.toml", "a\0b", "/dev/zero"])
def test_a_strange_name_of_a_file_is_refused_in_one_short_line(file):
    with pytest.raises(ConfigError) as error:
        read_plan(file)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grid": {"teacher": ["None", None]}}, "teacher=None is chosen twice; allowed: every configuration once"),
        ({"grid": {"max_lr": [0.1, 0.1]}}, "max_lr=0.1 is chosen twice"),
        ({"changes": [{}, {}]}, "x is chosen twice"),
    ],
)
def test_two_configurations_of_one_name_are_refused(fields, said):
    with pytest.raises(ConfigError, match=said):
        make_plan(name="x", **fields).configurations()


def test_values_nested_deeply_are_refused():
    deep: list = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(ConfigError, match="nested too deeply"):
        make_plan(name="x", grid={"max_lr": [deep, 1]}).configurations()
    with pytest.raises(ConfigError, match=r"max_lr=\[\[\[\[\[\.\.\.\]\]\]\]\] is not allowed"):
        check_configurations({"x": {"max_lr": deep}}, {"x": (0,)})
    assert parse_values("[" * 100_000) == ["[" * 100_000]


def test_many_problems_are_said_in_few_lines():
    settings = make_plan(
        name="x", seeds=[0], grid={"max_lr": [-number - 1 for number in range(200)]}
    ).configurations()
    with pytest.raises(ConfigError) as error:
        check_configurations(settings, dict.fromkeys(settings, (0,)))
    lines = str(error.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 180 more"
