"""Training learns, repeats itself bit for bit, survives any kill, and writes down what happened."""

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from mnist_helpers.data.images import Images, Split
from mnist_helpers.data.mnist import load_split
from mnist_helpers.files import _machine, write_text_atomically
from mnist_helpers.looking.schedule import planned_schedule
from mnist_helpers.networks.names import build_model
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.record import read_results, write_results
from mnist_helpers.training import checkpoints, describe_environment
from mnist_helpers.training.checkpoints import (
    CheckpointError,
    epoch_files,
    load_checkpoint,
    save_checkpoint,
    start_folder,
)
from mnist_helpers.training.evaluation import accuracy_interval, evaluate, metrics, predict_logits
from mnist_helpers.training.loop import TrainingDiverged, train
from mnist_helpers.training.results import EpochRecord, summarise
from mnist_helpers.training.state import make_optimizer

DEAD = 2**22 + 1  # beyond the numbers that Linux gives its processes
SMALL = {"epochs": 3, "train_size": 640, "validation_size": 100, "batch_size": 64}

RUN = """
import sys
from mnist_helpers import files
from mnist_helpers.data import load_split
from mnist_helpers.runs import make_config, write_results
from mnist_helpers.training import loop as training
{sabotage}
config = make_config(output_dir=sys.argv[1], resume=sys.argv[2] == "resume", **{settings})
split = load_split(config.data_dir, config.validation_size, config.train_size, config.seed)
write_results(training.train(config.build, split, config)[1], config.output_folder())
"""

# each kills the process with SIGKILL, which nothing can catch
KILL_IN_SECOND_EPOCH = """
import os, signal
calls, step = [], training.train_step
def train_step(*arguments):
    calls.append(1)
    if len(calls) == 15:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments)
training.train_step = train_step
"""
KILL_IN_WRITE = """
import os, signal
def fsync(descriptor, calls=[]):
    # one call when a checkpoint's bytes are written, one when its name is
    calls.append(1)
    if len(calls) == {call}:
        os.truncate(descriptor, 1000)
        os.kill(os.getpid(), signal.SIGKILL)
files.os.fsync = fsync
"""


def run(folder, sabotage="", resume=False):
    source = RUN.format(sabotage=sabotage, settings=SMALL)
    arguments = [sys.executable, "-c", source, str(folder), "resume" if resume else "fresh"]
    return subprocess.run(arguments, capture_output=True, text=True, preexec_fn=heed_signals)


def heed_signals():
    """Whoever starts the tests in the background (nohup, a shell's &) has some ignored, and their children too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def small_config(folder, **changes) -> RunConfig:
    return make_config(**{"output_dir": str(folder), **SMALL, **changes})


def small_split(config: RunConfig) -> Split:
    return load_split(config.data_dir, config.validation_size, config.train_size, config.seed)


def weights(folder):
    return load_checkpoint(epoch_files(folder / "checkpoints")[-1])["model"]


def assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    finished = run(folder)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.mark.training
@pytest.mark.parametrize(
    ("sabotage", "epochs_done"),
    [
        pytest.param(KILL_IN_SECOND_EPOCH, 1, marks=pytest.mark.quick),
        (KILL_IN_WRITE.format(call=1), 0),  # in the first best_model.pth
        (KILL_IN_WRITE.format(call=3), 0),  # between best and epoch: in epoch_01.pth
        (KILL_IN_WRITE.format(call=5), 1),  # in a later file
        (KILL_IN_WRITE.format(call=7), 1),
    ],
)
def test_a_killed_run_resumes_to_the_weights_of_an_uninterrupted_one(tmp_path, uninterrupted, sabotage, epochs_done):
    killed = run(tmp_path, sabotage)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    files = epoch_files(tmp_path / "checkpoints")
    assert len(files) >= epochs_done
    for path in (tmp_path / "checkpoints").glob("*.pth"):
        load_checkpoint(path)  # whole, whatever was being written
    resumed = run(tmp_path, resume=True)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_weights(weights(tmp_path), weights(uninterrupted))
    best = [load_checkpoint(folder / "checkpoints" / checkpoints.BEST) for folder in (tmp_path, uninterrupted)]
    assert best[0]["epoch"] == best[1]["epoch"]
    assert_same_weights(best[0]["model"], best[1]["model"])
    assert not list((tmp_path / "checkpoints").glob("*.partial"))
    mine, theirs = (
        [record.model_dump(exclude={"seconds"}) for record in read_results(folder).history]
        for folder in (tmp_path, uninterrupted)
    )
    assert mine == theirs


@pytest.mark.training
@pytest.mark.quick
def test_same_seed_same_weights_and_another_seed_others(tmp_path, uninterrupted):
    config = small_config(tmp_path / "same")
    train(config.build, small_split(config), config)
    assert_same_weights(weights(tmp_path / "same"), weights(uninterrupted))
    other = small_config(tmp_path / "other", seed=1, epochs=1)
    train(other.build, small_split(other), other)
    assert not torch.equal(
        weights(tmp_path / "other")["output_block.3.bias"], weights(uninterrupted)["output_block.3.bias"]
    )


@pytest.mark.training
def test_training_learns_and_reports_its_last_epoch(tmp_path, capsys):
    config = small_config(tmp_path, train_size=4000, epochs=4, batch_size=32, max_lr=0.05)
    split = small_split(config)
    network, results = train(config.build, split, config)
    assert results.final_test_accuracy > 0.9
    assert results.final_test_accuracy == results.history[-1].test_accuracy
    assert results.total_epochs == 4
    assert evaluate(network, split.test).accuracy == results.final_test_accuracy
    assert not network.training
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "4"
    # the rate of the last step, not of the one after it
    assert results.history[-1].learning_rate == pytest.approx(0.05 / 25 / 1e4)


@pytest.mark.training
def test_resume_refuses_a_run_with_other_settings(tmp_path, uninterrupted):
    config = small_config(uninterrupted, resume=True, max_lr=0.2)
    with pytest.raises(CheckpointError, match=r"other settings \(now, then\): max_lr: 0.2, 0.1\."):
        train(config.build, small_split(config), config)


@pytest.mark.training
def test_a_finished_run_resumes_without_training(uninterrupted, capsys):
    before = weights(uninterrupted)
    config = small_config(uninterrupted, resume=True)
    network, results = train(config.build, small_split(config), config)
    assert results.total_epochs == 3
    assert_same_weights({k: v.cpu() for k, v in network.state_dict().items()}, before)


@pytest.mark.training
def test_a_rate_too_high_is_said(tmp_path):
    config = small_config(tmp_path, max_lr=1e30, weight_decay=0)
    with pytest.raises(TrainingDiverged, match=r"loss is (nan|inf) in epoch 1: max_lr=1e\+30 is too high"):
        train(config.build, small_split(config), config)


@pytest.mark.training
def test_a_fresh_run_moves_older_checkpoints_aside(tmp_path):
    config = small_config(tmp_path, epochs=1)
    for _ in range(3):
        train(config.build, small_split(config), config)
    kept = sorted(path.name for path in tmp_path.glob("checkpoints*"))
    assert kept == ["checkpoints", "checkpoints.previous-1", "checkpoints.previous-2"]
    assert all(epoch_files(tmp_path / name) for name in kept)


def fake_state(epoch):
    return {"epoch": epoch, "model": {"weight": torch.full((3,), float(epoch))}}


def test_the_last_five_epochs_and_the_best_are_kept(tmp_path):
    for epoch in range(1, 9):
        save_checkpoint(tmp_path, fake_state(epoch), is_best=epoch == 2)
    assert [path.name for path in epoch_files(tmp_path)] == [f"epoch_{n:02d}.pth" for n in range(4, 9)]
    assert load_checkpoint(tmp_path / "best_model.pth")["epoch"] == 2


def test_a_checkpoint_that_is_code_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "attacked"),))

    torch.save({"epoch": 1, "model": Attack()}, tmp_path / "epoch_01.pth")
    with pytest.raises(CheckpointError, match=r"epoch_01\.pth"):
        load_checkpoint(tmp_path / "epoch_01.pth")
    assert not (tmp_path / "attacked").exists()


def test_a_truncated_checkpoint_is_named(tmp_path):
    save_checkpoint(tmp_path, fake_state(1), is_best=False)
    path = tmp_path / "epoch_01.pth"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"epoch_01\.pth .* cannot be read"):
        load_checkpoint(path)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "file"
    write_text_atomically(path, "old")
    with pytest.raises(AttributeError):
        write_text_atomically(path, None)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_starting_a_resumed_run_clears_only_partial_files(tmp_path):
    folder = tmp_path / "checkpoints"
    start_folder(folder, resume=False)
    save_checkpoint(folder, fake_state(1), is_best=True)
    (folder / f"epoch_02.pth.{_machine()}.{DEAD}.partial").write_bytes(b"half")
    start_folder(folder, resume=True)
    assert sorted(path.name for path in folder.iterdir()) == ["best_model.pth", "epoch_01.pth"]


def record(epoch, validation_accuracy=0.9, test_accuracy=0.9):
    return EpochRecord(
        epoch=epoch, train_loss=1, train_accuracy=0.8, validation_loss=1, validation_accuracy=validation_accuracy,
        test_loss=1, test_accuracy=test_accuracy, learning_rate=0.1, seconds=2.5,
    )  # fmt: skip


def test_results_are_the_last_epochs_and_survive_the_file(tmp_path):
    history = [record(1, 0.5, 0.91), record(2, 0.99, 0.999), record(3, 0.97, 0.993)]
    results = summarise(RunConfig(), build_model("final"), history, describe_environment(torch.device("cpu")))
    assert results.final_test_accuracy == 0.993
    assert results.best_validation_accuracy == 0.99
    assert results.training_time_seconds == 7.5
    write_results(results, tmp_path)
    assert read_results(tmp_path) == results


def test_of_equally_good_epochs_the_later_is_best():
    from mnist_helpers.training.state import TrainingState

    def is_best(*accuracies):
        history = [record(i + 1, a) for i, a in enumerate(accuracies)]
        return TrainingState(RunConfig(), None, None, None, 0, history=history).last_is_best()

    assert is_best(0.5)
    assert is_best(0.5, 0.6)
    assert is_best(0.5, 0.6, 0.6)
    assert not is_best(0.6, 0.5)


def test_the_schedule_is_one_cycle_over_all_steps():
    rates, momenta = planned_schedule(RunConfig(epochs=10), images=1280)
    assert len(rates) == 100
    assert rates[0] == pytest.approx(0.1 / 25)
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 29  # 30 % of the steps
    assert rates[-1] == pytest.approx(0.1 / 25 / 1e4)
    assert rates[:30] == sorted(rates[:30])
    assert rates[29:] == sorted(rates[29:], reverse=True)
    assert min(momenta) == pytest.approx(0.85)
    assert momenta.index(min(momenta)) == 29


@given(epochs=st.integers(1, 19), images=st.integers(10, 400), batch_size=st.integers(16, 300))
@example(epochs=1, images=600, batch_size=128)  # 5 steps, of which a fifth rises
def test_any_run_has_a_rate_for_every_step_however_few(epochs, images, batch_size):
    for pct_start in (0.2, 0.3):
        config = RunConfig(epochs=epochs, batch_size=batch_size, pct_start=pct_start)
        rates, _ = planned_schedule(config, images)
        assert len(rates) == epochs * math.ceil(images / batch_size)
        assert all(0 < rate <= config.max_lr for rate in rates)


def test_evaluation_is_without_dropout_and_changes_nothing(digits):
    torch.manual_seed(0)
    network = build_model("final").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, second = (predict_logits(network, digits.pixels) for _ in range(2))
    assert torch.equal(first, second)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_evaluation_counts_every_image_once(digits):
    """Batches of different size must not weigh the same."""
    torch.manual_seed(0)
    network = build_model("final").eval()
    images = replace(digits, pixels=digits.pixels[:7], targets=digits.targets[:7])
    whole = evaluate(network, Images(images.pixels.repeat(100, 1, 1), images.targets.repeat(100)))
    once = evaluate(network, images)
    assert whole.accuracy == pytest.approx(once.accuracy)
    assert whole.loss == pytest.approx(once.loss, rel=1e-5)


def test_metrics_against_hand_computed_values():
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    found = metrics(logits, torch.tensor([0, 1, 1]))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.loss == pytest.approx((2 * 0.126928 + 2.126928) / 3, rel=1e-5)


def test_the_interval_is_wilsons():
    low, high = accuracy_interval(9943, 10_000)
    assert (round(low, 4), round(high, 4)) == (0.9926, 0.9956)
    assert accuracy_interval(10, 10)[1] == 1.0


def test_headlines_are_each_of_its_own_figure():
    """Every figure of the last epoch differs from every other one, and from those of the epoch before."""
    last = EpochRecord(
        epoch=2, train_loss=0.1, train_accuracy=0.91, validation_loss=0.2, validation_accuracy=0.92,
        test_loss=0.3, test_accuracy=0.93, learning_rate=0.1, seconds=1.25,
    )  # fmt: skip
    history = [record(1, 0.94, 0.95), last]
    environment = describe_environment(torch.device("cpu"))
    results = summarise(RunConfig(), build_model("final"), history, environment, test_mistakes=[3, 4])
    assert results.final_test_loss == 0.3
    assert results.final_test_accuracy == 0.93
    assert results.best_validation_accuracy == 0.94
    assert (results.total_epochs, results.training_time_seconds) == (2, 3.75)
    assert results.test_mistakes == [3, 4]


def test_the_schedule_rises_and_falls_along_a_cosine_to_the_end_that_is_asked_for():
    """Smith & Topin's cycle step by step, in closed form: linear annealing and another end would be elsewhere."""
    settings = RunConfig(
        epochs=4, max_lr=0.5, pct_start=0.25, div_factor=10, final_div_factor=40, base_momentum=0.8, max_momentum=0.9
    )
    rates, momenta = planned_schedule(settings, images=128 * 5)

    def along(low: float, high: float, share: float) -> float:
        return high + (low - high) * (1 + math.cos(math.pi * share)) / 2

    risen = 0.25 * 20 - 1  # the step at the peak
    for step, (rate, momentum) in enumerate(zip(rates, momenta, strict=True)):
        if step <= risen:
            expected = along(0.05, 0.5, step / risen), along(0.9, 0.8, step / risen)
        else:
            share = (step - risen) / (19 - risen)
            expected = along(0.5, 0.05 / 40, share), along(0.8, 0.9, share)
        assert (rate, momentum) == pytest.approx(expected, rel=1e-6)
    assert rates[-1] == pytest.approx(0.05 / 40)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_constant_schedule_keeps_the_rate_and_the_momentum_midway(optimizer):
    settings = RunConfig(
        epochs=2, schedule="constant", optimizer=optimizer, max_lr=0.3, base_momentum=0.5, max_momentum=0.9
    )
    rates, momenta = planned_schedule(settings, images=400)
    assert rates == [0.3] * 8
    assert momenta == [pytest.approx(0.7)] * 8


@pytest.mark.parametrize("schedule", ["onecycle", "constant"])
def test_steps_are_those_of_torchs_optimizers_by_the_papers_numbers(schedule):
    """AdamW forgets squared gradients at 0.999, whatever the first beta; SGD looks ahead as Nesterov's does."""
    settings = {"schedule": schedule, "max_lr": 0.01, "weight_decay": 0.1}
    for optimizer in ("adamw", "sgd"):
        mine, theirs = torch.nn.Linear(4, 2), torch.nn.Linear(4, 2)
        theirs.load_state_dict(mine.state_dict())
        made = make_optimizer(mine, RunConfig(optimizer=optimizer, **settings))
        common = {"lr": 0.01, "weight_decay": 0.1}
        if optimizer == "adamw":
            other = torch.optim.AdamW(theirs.parameters(), betas=(0.9, 0.999), **common)
        else:
            other = torch.optim.SGD(theirs.parameters(), momentum=0.9, nesterov=True, **common)
        torch.manual_seed(0)
        for step in range(5):
            inputs = torch.randn(8, 4) * 10**step  # so that what is remembered of them decides
            for network, chosen in ((mine, made), (theirs, other)):
                chosen.zero_grad()
                network(inputs).square().mean().backward()
                chosen.step()
        torch.testing.assert_close(mine.weight, theirs.weight, rtol=1e-4, atol=1e-6)
