"""Notebook 09: each patient has its symptom, and each mended run has not; taken from the notebook's own cells."""

import ast
import math
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
import torch

from mnist_helpers.data import normalise, split_indices
from mnist_helpers.paths import PROJECT_ROOT

NOTEBOOK = nbformat.read(PROJECT_ROOT / "notebooks" / "09_when_it_does_not_learn.ipynb", as_version=4)
SOURCES = [cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code"]
LN10, FLOOR = math.log(10), math.log(1 + 9 / math.e)
TAUGHT = "Small Pooled step Run learn accuracy dead_share unmoved"
PATIENTS = "step_1 step_2 prepare_3a prepare_3b accuracy_5 Small7 Small8"


def defined(name: str) -> list[str]:
    """Return the sources that define a function or class, as they come: the patient, the mended one."""
    return [
        ast.unparse(node)
        for source in SOURCES
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
    ]


@pytest.fixture(scope="module")
def lesson(mnist) -> Any:
    """What the notebook defines, on its 2,000 digits: names as they stand there, `mended` has the later versions."""
    train, held_out = split_indices(mnist[0].targets, validation_size=5_000, train_size=2_000, seed=0)
    pixels = mnist[0].take(train).pixels
    names = {
        "images": normalise(pixels),
        "labels": mnist[0].take(train).targets,
        "new_images": normalise(mnist[0].take(held_out[:1_000]).pixels),
        "new_labels": mnist[0].take(held_out[:1_000]).targets,
        "config": SimpleNamespace(seed=0, max_lr=0.02, epochs=5, batch_size=32),
        "split": SimpleNamespace(train=SimpleNamespace(pixels=pixels)),
    }
    exec(
        "\n".join(source for source in SOURCES if source.startswith("from dataclasses")).split("\nsplit = ")[0], names
    )
    for name in TAUGHT.split():
        exec(defined(name)[-1], names)
    mended = names | {}
    for name in [*PATIENTS.split(), "prepare_3"]:
        exec(defined(name)[0], names)
        exec(defined(name)[-1], mended)
    return SimpleNamespace(**names, mended=SimpleNamespace(**mended))


def one_batch(lesson, steps=100, images=None, **changes):
    """Return the losses of a run on 32 digits, as the notebook's `examine` makes it."""
    images = lesson.images if images is None else images
    return lesson.learn(images=images[:32], labels=lesson.labels[:32], epochs=steps, **changes).losses


def first_loss(lesson, **changes):
    return one_batch(lesson, steps=1, **changes)[0]


def test_each_patient_is_mended_where_it_was_broken():
    for name in ["step_1", "step_2", "accuracy_5", "Small7", "Small8"]:
        broken, mended = defined(name)
        assert broken != mended


def test_the_healthy_network_starts_at_a_guess_and_learns_a_batch_by_heart(lesson):
    losses = one_batch(lesson)
    assert losses[0] == pytest.approx(LN10, abs=0.1)
    assert losses[-1] < 0.01


def test_patient_1_adds_up_its_gradients(lesson):
    for version, factor in ((lesson, 2), (lesson.mended, 1)):
        network = lesson.Small()
        still = torch.optim.SGD(network.parameters(), lr=0)
        sizes = []
        for _ in range(2):
            version.step_1(network, still, lesson.images[:8], lesson.labels[:8])
            sizes.append(network.last.weight.grad.norm().item())
        assert sizes[1] == pytest.approx(factor * sizes[0], rel=1e-4)


def test_patient_2_cannot_get_below_its_floor_even_with_perfect_logits(lesson):
    targets = torch.arange(10)
    perfect = torch.nn.Linear(10, 10)
    with torch.no_grad():
        perfect.weight.copy_(1_000 * torch.eye(10))
        perfect.bias.zero_()
    still = torch.optim.SGD(perfect.parameters(), lr=0)
    assert lesson.step_2(perfect, still, torch.eye(10), targets) == pytest.approx(FLOOR, abs=1e-4)
    assert lesson.mended.step_2(perfect, still, torch.eye(10), targets) == pytest.approx(0, abs=1e-4)
    assert min(one_batch(lesson, step=lesson.step_2)) > FLOOR
    assert first_loss(lesson, step=lesson.step_2) == pytest.approx(LN10, abs=0.02), "invisible at the start"


def test_patients_3_get_numbers_of_another_size(lesson):
    pixels = lesson.split.train.pixels
    inputs = {name: getattr(lesson, name)(pixels) for name in ("prepare_3a", "prepare_3b", "prepare_3")}
    assert inputs["prepare_3a"].std() > 70
    assert inputs["prepare_3b"].std() < 0.005
    assert inputs["prepare_3"].std() == pytest.approx(1, abs=0.02)
    assert first_loss(lesson, images=inputs["prepare_3a"]) > 2 * LN10
    assert one_batch(lesson, images=inputs["prepare_3b"])[-1] > 2


def test_patient_4_has_the_right_digits_and_the_right_labels_but_not_together(lesson):
    broken, mended = (source for source in SOURCES if "images_4 =" in source or "images_4, labels_4 =" in source)
    known = {"torch": torch, "seed": 0, "examine": lambda *_, **__: None, "draw": lambda *_: None}
    for source, together in ((broken, False), (mended, True)):
        found = known | {"images": torch.arange(2_000), "labels": torch.arange(2_000)}
        exec(source, found)
        assert sorted(found["images_4"].tolist()) == sorted(found["labels_4"].tolist()) == list(range(2_000))
        assert ((found["images_4"] == found["labels_4"]).double().mean() > 0.5) == together


def test_patient_5_measures_in_training_mode_and_moves_the_running_means(lesson):
    for version, moves in ((lesson, True), (lesson.mended, False)):
        network = lesson.Pooled().train()
        before = network.norms[0].running_mean.clone()
        version.accuracy_5(network, lesson.images[:64], lesson.labels[:64], 32)
        assert torch.equal(before, network.norms[0].running_mean) != moves


@pytest.mark.parametrize("seed", [0, *[pytest.param(seed, marks=pytest.mark.training) for seed in (1, 2)]])
def test_patients_6_and_7_die_of_different_causes(lesson, seed):
    lesson.config.seed = seed
    for changes, start in (({"rate": 0.2}, LN10), ({"make": lesson.Small7}, None)):
        run = lesson.learn(epochs=1, **changes)
        assert run.losses[0] == pytest.approx(start, abs=0.1) if start else run.losses[0] > 500
        assert sum(run.losses[-30:]) / 30 == pytest.approx(LN10, abs=0.2)
        assert lesson.dead_share(run.network, lesson.new_images)["third"] > 0.9
    healthy = lesson.learn(make=lesson.mended.Small7, epochs=1)
    assert healthy.losses[-1] < 1.5
    assert lesson.dead_share(healthy.network, lesson.new_images)["third"] < 0.5


def test_patient_8_hides_two_layers_from_the_optimizer(lesson):
    broken, mended = lesson.Small8(), lesson.mended.Small8()
    assert sum(p.numel() for p in broken.parameters()) == 3_930
    assert sum(p.numel() for p in mended.parameters()) == 8_578
    assert not any("middle" in name for name in broken.state_dict())
    images, labels = lesson.images[:32], lesson.labels[:32]
    assert len(lesson.unmoved(broken, images, labels)) == 2
    assert lesson.unmoved(mended, images, labels) == []


def rows(name: str) -> str:
    """Return what the executed notebook printed of a run, its name left out."""
    texts = [output.text for cell in NOTEBOOK.cells for output in cell.get("outputs", []) if "text" in output]
    (text,) = {text[text.index(name) + 9 :] for text in texts if f"{name} " in text and "loss at the start" in text}
    return text.split(" right")[0]


@pytest.mark.parametrize("name", ["mended 1", "mended 2", "mended 3", "mended 6", "mended 8"])
def test_a_mended_run_is_the_healthy_one_number_for_number(name):
    assert rows(name) == rows("healthy")


@pytest.mark.training
@pytest.mark.parametrize("seed", range(3))
def test_every_symptom_shows_in_the_whole_run(lesson, seed):
    lesson.config.seed = seed
    pixels = lesson.split.train.pixels
    changes = {
        "healthy": {},
        "1": {"step": lesson.step_1},
        "2": {"step": lesson.step_2},
        "3a": {"images": lesson.prepare_3a(pixels)},
        "3b": {"images": lesson.prepare_3b(pixels)},
        "4": {"labels": lesson.labels.roll(1)},
        "8": {"make": lesson.Small8},
    }
    last = {}
    for name, change in changes.items():
        losses = lesson.learn(**change).losses
        last[name] = sum(losses[-63:]) / 63
        print(seed, name, losses[0], last[name])
    assert last["healthy"] < 0.25
    assert last["1"] > 2 or math.isnan(last["1"])
    assert FLOOR < last["2"] < 2.3
    assert last["3a"] > 2 * last["healthy"]
    assert last["3b"] == pytest.approx(LN10, abs=0.02)
    assert last["4"] == pytest.approx(LN10, abs=0.1)
    assert last["8"] > 1.5 * last["healthy"]


@pytest.mark.training
@pytest.mark.parametrize("seed", range(3))
def test_patient_5_reads_fewer_digits_in_other_company(lesson, seed):
    lesson.config.seed = seed
    network = lesson.learn(make=lesson.Pooled).network
    order = lesson.new_labels.argsort(stable=True)
    images, labels = lesson.new_images, lesson.new_labels
    mixed = lesson.accuracy_5(network.train(), images, labels, 100)
    by_class = lesson.accuracy_5(network.train(), images[order], labels[order], 100)
    alone = lesson.accuracy_5(network.train(), images[:200], labels[:200], 1)
    print(seed, mixed, by_class, alone)
    assert mixed > 0.85
    assert by_class < 0.4
    assert alone < 0.4
