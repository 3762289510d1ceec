"""A sweep runs everything once and keeps it, whatever fails, is killed or changes meanwhile, here or on a cluster."""

import ast
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import copytree

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_helpers import iterations, provenance, study, sweep, sweep_threads
from mnist_helpers.cluster import ClusterError, cluster_engine
from mnist_helpers.config import ConfigError, RunConfig
from mnist_helpers.engines import attempt
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.plan import SweepPlan, make_plan, parse_values, read_plan
from mnist_helpers.provenance import DECIDING, CodeVersion, code_version, source_hash
from mnist_helpers.records import (
    PLACES,
    FailedRun,
    FinishedRun,
    RecordError,
    RunStore,
    configuration_key,
    open_store,
    run_key,
)
from mnist_helpers.results import EpochRecord, describe_environment, summarise
from mnist_helpers.study import read_studies, read_study
from mnist_helpers.sweep import main, run_studies, run_sweep
from mnist_helpers.sweep_report import format_report

HERE = describe_environment(torch.device("cpu"))
TODAY = CodeVersion(package="1", commit=None, dirty=None, sources="today")
BEFORE = TODAY.model_copy(update={"sources": "before"})
PLAN = SweepPlan(name="rates", seeds=(0, 1, 2), settings={"epochs": 1}, grid={"max_lr": [0.1, 0.2]})
RATES = [0.01, 0.1, 1]

plain = {"database": None, "deadline": None}


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def finished(config: RunConfig, code: CodeVersion | None = TODAY, accuracy: float = 0.5) -> FinishedRun:
    record = EpochRecord(epoch=1, learning_rate=0.1, seconds=1, **dict.fromkeys(
        ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy"),
        accuracy,
    ))  # fmt: skip
    return FinishedRun(code=code, results=summarise(config, HERE, [record] * config.epochs, 18_982))


class Scripted:
    """An engine that trains nothing: it remembers what it was given, fails some of it, is killed in the middle."""

    def __init__(self, fails: Callable[[RunConfig], bool] = lambda config: False, survives: int = 1_000) -> None:
        self.ran: list[RunConfig] = []
        self._fails, self._survives = fails, survives

    def __call__(self, configs: Sequence[RunConfig], code: CodeVersion) -> Iterator[list]:
        yield []
        for config in configs:
            if len(self.ran) == self._survives:
                raise KeyboardInterrupt
            self.ran.append(config)
            yield [
                FailedRun(code=code, config=config, error="E: no") if self._fails(config) else finished(config, code)
            ]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}


# what a plan says


@given(
    st.lists(st.sampled_from(RATES), min_size=1, unique=True),
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


def test_a_plan_is_read_from_toml_and_json(tmp_path):
    (tmp_path / "rates.toml").write_text("seeds = [0, 1, 2]\nsettings.epochs = 1\ngrid = { max_lr = [0.1, 0.2] }\n")
    (tmp_path / "plan.json").write_text(json.dumps(PLAN.model_dump()))
    assert read_plan(tmp_path / "rates.toml") == read_plan(tmp_path / "plan.json") == PLAN
    (tmp_path / "broken.toml").write_text("seeds = [")
    for name, said in (("broken.toml", "broken.toml"), ("none.toml", "No such file")):
        with pytest.raises(ConfigError, match=said):
            read_plan(tmp_path / name)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "../up"}, "name: "),
        ({"nmae": "x"}, "nmae: Extra inputs"),
        ({"grid": {"max_lr": []}}, "grid.max_lr: "),
        ({"settings": {"seed": 3}}, "seed is not a setting of a sweep"),
        ({"settings": {"epochs": 2}, "grid": {"epochs": [1]}}, "epochs is chosen twice"),
        ({"grid": {"max_lr": [0.1, -1], "batch_sise": [1, 2]}}, "did you mean batch_size"),
        ({"settings": {"epochs": 99}, "grid": {"max_lr": [0.1, 0.2]}}, r"\Aepochs=99 is not allowed[^\n]*\Z"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_said_once_and_nothing_runs(tmp_path, fields, said):
    engine = Scripted()
    with pytest.raises(ConfigError, match=said):
        run_sweep(make_plan(**{"name": "bad", **fields}), engine, folder=str(tmp_path))
    assert engine.ran == []
    assert list(tmp_path.iterdir()) == []


# which runs are the same


@pytest.mark.parametrize("field", RunConfig.model_fields)
def test_a_run_is_known_by_all_that_decides_it(field):
    other = {
        "model": "skeleton", "schedule": "constant", "augmentation": None, "data_dir": "x", "output_dir": "x",
        "resume": True, "device": "cpu", "train_size": 100,
        "label_smoothing": 0.1, "learning_epochs": (1,), "whitened": True,
        "optimizer": "adamw", "teacher": "fast", "averaging": 0.9, "held_out": "last",
        "augmentation_end": 0.5, "precision": "bfloat16",
    }  # fmt: skip
    default = RunConfig()
    value = getattr(default, field)
    config = RunConfig(**{field: other[field] if field in other else value + 1 if value == 0 else value / 2
                          if isinstance(value, float) else value + 1})  # fmt: skip
    assert (run_key(config) == run_key(default)) == (field in PLACES) == (not config.training_differences(default))
    assert (configuration_key(config) == configuration_key(default)) == (field in PLACES | {"seed"})


def test_a_record_keeps_its_file_when_keys_change_and_a_damaged_one_is_named(tmp_path):
    config = RunConfig(epochs=1)
    (tmp_path / "older_name.json").write_text(finished(config, BEFORE).model_dump_json())
    store = RunStore(tmp_path)
    assert store.find(config) == finished(config, BEFORE)
    store.write(finished(config))
    assert list(files(tmp_path)) == ["older_name.json"]
    assert RunStore(tmp_path).find(config) == finished(config)
    (tmp_path / "damaged.json").write_text("{}")
    with pytest.raises(RecordError, match=r"damaged\.json is not the record of a run"):
        RunStore(tmp_path)


# which code made them


def imports(module: str) -> set[str]:
    tree = ast.parse((PROJECT_ROOT / "mnist_helpers" / f"{module}.py").read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.removeprefix("mnist_helpers.") for name in names if name.startswith("mnist_helpers.")}


def test_the_code_hash_covers_every_module_that_moves_a_number():
    """A module that training comes to use must be named here or in `DECIDING`."""
    harmless = {"checkpoints", "config_checks", "files", "paths", "progress", "recipes", "results"}
    reached, new = set(), {"training"}
    while new:
        reached |= new
        new = {name for module in new for name in imports(module)} - reached
    assert reached == set(DECIDING) | harmless
    assert not set(DECIDING) & harmless


def test_the_code_hash_follows_the_sources(tmp_path):
    copy = copytree(PROJECT_ROOT / "mnist_helpers", tmp_path / "mnist_helpers")
    assert source_hash(copy) == source_hash()
    for name in (*DECIDING, "plots"):
        path, text = copy / f"{name}.py", (copy / f"{name}.py").read_text(encoding="utf-8")
        path.write_text(f"{text}\nx = 1\n", encoding="utf-8")
        assert (source_hash(copy) == source_hash()) == (name == "plots")
        path.write_text(text, encoding="utf-8")


def test_the_commit_is_this_projects_and_dirty_when_a_helper_is(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "PROJECT_ROOT", tmp_path)
    copytree(PROJECT_ROOT / "mnist_helpers", tmp_path / "mnist_helpers")
    subprocess.run(["git", "init", "--quiet", "."], cwd=tmp_path, check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x"]
    assert code_version().commit is None  # nothing committed yet
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "x"], cwd=tmp_path, check=True)
    assert re.fullmatch("[0-9a-f]{40}", code_version().commit)
    (tmp_path / "a_record.json").write_text("{}")
    assert code_version().dirty is False
    (tmp_path / "mnist_helpers" / "plots.py").write_text("")
    assert code_version().dirty is True
    (tmp_path / "inside").mkdir()
    monkeypatch.setattr(provenance, "PROJECT_ROOT", tmp_path / "inside")
    assert code_version().commit is None


# every run once


@settings(**plain, max_examples=15)
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
        assert len(files(Path(folder) / "rates")) == 6

        run_sweep(PLAN, retry := Scripted(), folder=folder)
        assert {(config.max_lr, config.seed) for config in retry.ran} == failing
        report = run_sweep(PLAN, nothing := Scripted(), folder=folder)
        assert nothing.ran == report.failures == []


def test_a_record_is_on_disk_before_the_next_run_ends(tmp_path):
    seen = []

    def engine(configs, code):
        for config in configs:
            yield [finished(config, code)]
            seen.append(len(files(tmp_path / "rates")))

    run_sweep(PLAN, engine, folder=str(tmp_path))
    assert seen == [1, 2, 3, 4, 5, 6]


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
    with open_store(tmp_path / "rates"):
        pass  # and it is free afterwards


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


def test_committed_studies_are_not_run_again_and_their_files_stay(tmp_path):
    before = files(PROJECT_ROOT / study.STUDIES)
    for recorded in read_studies():
        seeds = [run.config.seed for run in recorded.runs]
        report = run_studies({recorded.name: recorded.settings}, seeds, engine := Scripted(), folder=str(tmp_path))
        assert engine.ran == report.failures == []
        assert report.studies == [recorded]
        assert report.other_code == len(seeds)
    assert files(PROJECT_ROOT / study.STUDIES) == before


def test_a_study_is_written_when_its_last_seed_is_done_and_never_loses_one(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "STUDIES", str(tmp_path / "studies"))
    names, folder = {"short": {"epochs": "1"}, "long": {"epochs": "2"}}, str(tmp_path / "sweeps")
    report = run_studies(names, [0, 1], Scripted(lambda c: (c.epochs, c.seed) == (2, 1)), folder=folder)
    assert list(files(tmp_path / "studies")) == ["short.json"]
    assert (read_study("short").settings, read_study("short").test_accuracy.n) == ({"epochs": 1}, 2)
    assert [failure.config.seed for failure in report.failures] == [1]

    run_studies(names, [1], engine := Scripted(), folder=folder)
    assert [(config.epochs, config.seed) for config in engine.ran] == [(2, 1)]
    run_studies(names, [2], engine := Scripted(), folder=folder)
    assert [run.config.seed for run in read_study("long").runs] == [0, 1, 2]

    # a clone that has the studies, not the runs' records
    run_studies(names, [0, 1, 2, 3], engine := Scripted(), folder=str(tmp_path / "clone"))
    assert [config.seed for config in engine.ran] == [3, 3]
    assert [run.config.seed for run in read_study("short").runs] == [0, 1, 2, 3]


def test_the_studies_command_shows_what_is_on_record_and_runs_nothing(tmp_path, capsys):
    assert iterations.main(["--folder", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(iterations.studies())
    assert iterations.main(["final", "--seeds", "0", "1", "2", "3", "--folder", str(tmp_path)]) == 0
    assert read_study("final").name == capsys.readouterr().out.splitlines()[1].split()[0]
    assert list((tmp_path / "studies").glob("*.json")) == []


# one run


def config(folder: Path, **changes) -> RunConfig:
    return RunConfig(
        **{"epochs": 1, "train_size": 100, "output_dir": str(folder / "run"), "device": "cpu", **changes}
    )


def test_a_run_that_diverges_leaves_its_error_in_one_line(tmp_path):
    record = attempt(config(tmp_path, max_lr=1e9, batch_size=20), TODAY, threads=1)
    assert isinstance(record, FailedRun)
    assert re.fullmatch(r"TrainingDiverged: .* in epoch 1: .* \(training\.py, line \d+\)", record.error)
    report = sweep.SweepReport([], [record], 0)
    assert format_report(report).startswith(
        "FAILED epochs=1 batch_size=20 max_lr=1000000000.0 train_size=100 seed=0: TrainingDiv"
    )


def test_a_figure_that_is_no_number_is_a_failure(tmp_path, monkeypatch):
    bad = finished(config(tmp_path), accuracy=float("inf")).results
    monkeypatch.setattr("mnist_helpers.engines.train", lambda *_, **__: (None, bad))
    record = attempt(config(tmp_path), TODAY, threads=1)
    assert record.error.startswith("TrainingDiverged: train_loss is inf after epoch 1")


def test_a_cluster_without_ray_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=re.escape("run: pip install -e .[cluster]")):
        cluster_engine("auto")


# processes that are started and killed


def command(folder: Path, *arguments: str) -> list[str]:
    small = ["--set", "epochs=1", "--set", "train_size=200", "--set", "device=cpu"]
    return [sys.executable, "-m", "mnist_helpers.sweep", "--folder", str(folder), *small, *arguments]


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(arguments, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.training
def test_a_killed_sweep_runs_only_what_is_missing_and_its_processes_end_with_it(tmp_path):
    arguments = command(tmp_path, "--name", "killed", "--seeds", "0", "1", "2", "--processes", "1")
    first = start(*arguments)
    wait_for(lambda: len(files(tmp_path / "killed")) == 1)
    wait_for(lambda: list((tmp_path / "killed" / "running").glob("*_seed_1_*")))  # in the middle of the second
    children = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("*.json")}
    assert len(before) == 1
    second = start(*arguments)
    out, err = second.communicate(timeout=200)
    assert (second.returncode, err) == (0, ""), err
    assert len(files(tmp_path / "killed")) == 3
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert out.splitlines()[1].startswith("killed")
    assert not list((tmp_path / "killed" / "running").iterdir())  # finished runs leave no checkpoints


@pytest.mark.training
def test_failures_and_killed_runs_are_listed_and_the_rest_goes_on(tmp_path):
    arguments = command(
        tmp_path, "--name", "some", "--grid", "max_lr=1e9,0.1", "--seeds", "0", "1", "--processes", "2"
    )
    first = start(*arguments)

    def runs() -> list[psutil.Process]:
        found = psutil.Process(first.pid).children()
        return [child for child in found if any("spawn_main" in part for part in child.cmdline())]

    wait_for(lambda: len(runs()) == 2)
    rival = start(*arguments)
    victim = max(runs(), key=lambda process: process.pid)
    os.kill(victim.pid, signal.SIGKILL)
    assert rival.communicate(timeout=100)[1].startswith("another sweep is at work")
    assert rival.returncode == 2

    out, err = first.communicate(timeout=200)
    assert (first.returncode, err) == (1, ""), err
    assert out.count("FAILED") == 3  # two that diverge, one that was killed
    assert out.count("killed by SIGKILL") == 1
    assert out.count("TrainingDiverged") == 2
    records = [json.loads(text) for text in files(tmp_path / "some").values()]
    assert sorted("error" in record for record in records) == [False, True, True, True]


@pytest.mark.training
def test_both_ways_to_use_the_cores_are_timed_and_recorded(tmp_path, capsys):
    torch.set_num_threads(2)
    sweep_threads.main(["--train-size", "100", "--repeats", "1", "--models", "final", "--output-dir", str(tmp_path)])
    record = json.loads((tmp_path / sweep_threads.RECORD).read_text())
    (side,), (whole,) = (record["models"]["final"][f"seconds_{way}"] for way in ("process_a_core", "all_cores"))
    assert record["models"]["final"]["ratio"] == pytest.approx(side / whole, abs=1e-3)
    assert record["cores"] == 2
    assert f"takes {record['models']['final']['ratio']:.2f} of the time" in capsys.readouterr().out


# a cluster


@pytest.fixture
def nodes() -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A Ray head and a second node on this machine, of one CPU each; only these are ended, by their own processes."""
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    # not tmp_path: a path to a Unix socket may have 107 characters
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        ray = [
            str(Path(sys.executable).with_name("ray")),
            "start",
            "--block",
            "--num-cpus=1",
            "--disable-usage-stats",
        ]
        ray += ["--object-store-memory=100000000", "--node-ip-address=127.0.0.1"]
        head = [
            *ray,
            "--head",
            f"--port={address.split(':')[1]}",
            "--include-dashboard=false",
            f"--temp-dir={folder}",
        ]
        started = []
        try:
            for arguments in (head, [*ray, f"--address={address}"]):
                log = Path(folder) / f"start_{len(started)}.log"
                with log.open("w") as stream:
                    # nodes start elsewhere: what they know of the helpers has travelled
                    started.append(subprocess.Popen(arguments, cwd=folder, stdout=stream, stderr=stream))
                wait_for(lambda log=log: "Ray runtime started" in log.read_text())
            yield address, started
        finally:
            for node in started:
                end(node)


def end(node: subprocess.Popen) -> None:
    """Kill a node with everything it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    node.wait()


def attempts(node: subprocess.Popen) -> list[psutil.Process]:
    """Return the processes of a node that train a run right now."""
    found = []
    for process in psutil.Process(node.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if process.cmdline()[:1] == ["ray::attempt"]:
                found.append(process)
    return found


@pytest.mark.cluster
def test_a_cluster_loses_driver_and_node_and_still_runs_everything_once(tmp_path, nodes):
    address, (head, second) = nodes
    arguments = command(tmp_path, "--name", "far", "--seeds", *"012345", "--cluster", address)
    driver = start(*arguments)
    wait_for(lambda: attempts(head))
    wait_for(lambda: attempts(second))
    wait_for(lambda: files(tmp_path / "far"))
    driver.kill()
    driver.communicate()
    wait_for(lambda: not attempts(head) + attempts(second))  # no run goes on for nobody
    before = files(tmp_path / "far")
    assert 0 < len(before) < 6

    again = start(*arguments)
    wait_for(lambda: attempts(second))
    end(second)
    out, err = again.communicate(timeout=300)
    assert (again.returncode, err) == (0, ""), err
    after = files(tmp_path / "far")
    assert len(after) == 6
    assert after.items() >= before.items()
    assert out.splitlines()[-1].split()[-1] == "6"  # above it Ray tells of the lost node

    done = start(*arguments)
    assert out.endswith(done.communicate(timeout=100)[0])
    assert files(tmp_path / "far") == after


@pytest.mark.cluster
def test_a_cluster_that_does_not_answer_is_an_error_not_a_wait(tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(ClusterError, match=r"the Ray cluster at 127\.0\.0\.1:1 cannot be used"):
        run_sweep(PLAN, cluster_engine("127.0.0.1:1"), folder=str(tmp_path))
