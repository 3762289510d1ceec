"""What a run is told wrongly is said before any work, by the parameter's name: no crash, no silence."""

import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_helpers.data import Augmentation, augment
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ConfigError, make_config
from mnist_helpers.runs.config import PARAMETERS

# what is no value of any parameter, whatever its kind
NONSENSE = st.one_of(
    st.sampled_from(
        [[], [[]], {"a": 1}, {1: 2}, b"x", object(), float("nan"), float("inf"), -1, 10**400, "\x00", "\n"]
    ),
    st.text(alphabet=" \t\n\u00a0\u2028\x00", min_size=1, max_size=5),
    st.integers(max_value=-1),
    st.floats(max_value=-1e-9),
    st.lists(st.booleans(), min_size=1),
)
# by kind, what else is none
BAD_NUMBERS = st.one_of(NONSENSE, st.booleans(), st.text(alphabet="abcx%", max_size=5), st.floats(min_value=1e300))
BAD_WORDS = st.one_of(NONSENSE, st.booleans(), st.floats(), st.text(alphabet="qzx/\\", max_size=9))
BAD_PATHS = st.one_of(
    st.sampled_from(
        ["", " ", "\t", " x", "x ", "a\nb", "a\0b", "$NOSUCH/x", "${NOSUCH}/x", "%NOSUCH%\\x", "~no_such_user/x"]
    ),
    st.sampled_from([[], {}, True, False, 1.5, "a" * 256, "ü" * 200, "x/" + "y" * 300, "\udc80"]),
)
OPEN_ABOVE = {"max_lr", "div_factor", "final_div_factor", "weight_decay"}  # however large, a number is one
NUMBERS = [
    "epochs", "batch_size", "max_lr", "pct_start", "div_factor", "final_div_factor", "max_momentum", "base_momentum",
    "weight_decay", "label_smoothing", "seed", "train_size", "validation_size", "fold", "augmentation_end",
    "averaging", "learning_epochs", "augmentation",
]  # fmt: skip
WORDS = ["optimizer", "schedule", "held_out", "model", "teacher", "precision", "device"]
PATHS = ["data_dir", "output_dir"]
SWITCHES = ["whitened", "resume"]
EMPTY = {"learning_epochs": [[], ()]}  # which say something there


def is_right(name: str, value: Any) -> bool:
    """Say whether nonsense elsewhere is a value here."""
    if name == "learning_epochs":
        return isinstance(value, list) and not value
    if name == "augmentation":
        return False
    if name in OPEN_ABOVE and isinstance(value, float):
        return 1 < value < math.inf and name not in ("max_lr", "weight_decay")
    return False


def test_every_parameter_is_given_wrong_values_here():
    assert {*NUMBERS, *WORDS, *PATHS, *SWITCHES} == PARAMETERS.keys()


def refused(folder: Path, name: str, value: Any) -> str:
    with pytest.raises(ConfigError) as error:
        make_config(**{"output_dir": str(folder), name: value})
    said = str(error.value)
    assert re.search(rf"^{name}\b| with {name}=", said), said
    assert re.search("allowed(: | on this machine: )", said), said
    assert len(said) < 1500
    assert len(said.splitlines()) <= max(1, len(value) if isinstance(value, list) else 1)
    return said


@pytest.mark.parametrize("name", NUMBERS)
@given(value=BAD_NUMBERS)
def test_what_is_no_number_is_refused(tmp_path_factory, name, value):
    if not is_right(name, value):
        refused(tmp_path_factory.getbasetemp(), name, value)


@pytest.mark.parametrize("name", WORDS)
@given(value=BAD_WORDS)
def test_what_is_no_known_word_is_refused(tmp_path_factory, name, value):
    refused(tmp_path_factory.getbasetemp(), name, value)


@pytest.mark.parametrize("name", PATHS)
@given(value=BAD_PATHS)
def test_what_is_no_path_is_refused(tmp_path_factory, name, value):
    refused(tmp_path_factory.getbasetemp(), name, value)


@pytest.mark.parametrize("name", SWITCHES)
@given(value=NONSENSE)
def test_what_is_neither_yes_nor_no_is_refused(tmp_path_factory, name, value):
    refused(tmp_path_factory.getbasetemp(), name, value)


@given(name=st.text(min_size=1, max_size=300), value=st.none() | st.integers() | st.text())
@example(name="nosuch", value=None)
@example(name="source", value=None)
@example(name="x" * 100_000, value=1)
def test_an_unknown_parameter_is_refused_whatever_its_value(tmp_path_factory, name, value):
    if name in PARAMETERS:
        return
    with pytest.raises(ConfigError, match="is not a parameter") as error:
        make_config(**{"output_dir": str(tmp_path_factory.getbasetemp()), name: value})
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("allowed", "refused", "ratio"),
    [
        ((0.02, 1), (0.02, 1.01), (1, 1)),
        ((1e-9, 0.3), (0, 0.3), (1, 1)),
        ((0.02, 3.3e-2), (-0.01, 3.3e-2), (1, 1)),
        ((3.1e-4, 3.2e-4), (3.1e-4, 3.18e-4), (1, 1)),  # half a pixel by half a pixel is rounded to none
        ((0.964, 0.98), (0.965, 0.98), (1, 1)),  # 27.5 pixels are rounded to 28, all
        ((0.48, 0.5), (0.49, 0.5), (2, 2)),
    ],
)
def test_a_rectangle_may_be_as_small_and_as_large_as_whole_pixels_allow(allowed, refused, ratio):
    Augmentation(erasing_area=allowed, erasing_ratio=ratio)
    with pytest.raises(ValueError, match="erasing_area"):
        Augmentation(erasing_area=refused, erasing_ratio=ratio)


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("scale", [(0.1, 1), (1, 10)], [(0.099, 1), (1, 10.01)]),
        ("erasing_ratio", [(1 / 28, 1), (1, 28)], [(1 / 28.1, 1), (1, 28.1)]),
        ("shear", [0, 60], [-0.1, 60.1]),
        ("degrees", [0, 180], [-0.1, 180.1]),
        ("translate", [0, 0.5], [-0.01, 0.51]),
        ("elastic", [0, 4], [-0.1, 4.1]),
        *((name, [0, 1], [-0.01, 1.01]) for name in ("brightness", "contrast", "erasing_p")),
    ],
)
def test_a_range_ends_where_its_message_says(name, allowed, refused):
    for value in allowed:
        Augmentation(**{name: value})
    for value in refused:
        with pytest.raises(ValueError, match=name):
            Augmentation(**{name: value})


RANGES = Augmentation.model_fields
PAIRS = {"scale", "erasing_area", "erasing_ratio"}
numbers = st.one_of(st.booleans(), st.floats(), st.integers(), st.text(max_size=3), st.none())


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(list(RANGES)), numbers | st.lists(numbers, max_size=3) | st.tuples(numbers, numbers)
    )
)
@example({"scale": (0, 0)})
@example({"scale": (1.2, 0.8)})
@example({"scale": (1e-9, 1)})
@example({"erasing_area": (0, 0)})
@example({"erasing_area": (1, 1)})
@example({"erasing_area": (1e-5, 1e-5)})
@example({"erasing_ratio": (0, 1)})
@example({"erasing_ratio": (3, 2)})
@example({"erasing_ratio": (28, 28), "erasing_area": (0.5, 0.9)})
@example({"shear": 89.9})
@example({"translate": 1})
@example({"elastic": 8})
@example({"degrees": True})
def test_an_augmentation_is_refused_by_name_or_varies_images(tmp_path_factory, ranges):
    try:
        config = make_config(augmentation=ranges, output_dir=str(tmp_path_factory.getbasetemp()))
    except ConfigError as error:
        lines = str(error).splitlines()
        said = all(line.startswith(("augmentation", "erasing_area")) for line in lines)
        config = None
    else:
        said = True
    assert said
    if config is None:
        return
    for value in config.augmentation.model_dump().values():
        low, high = value if isinstance(value, tuple) else (0, value)
        assert 0 <= low <= high < 181
    assert not any(isinstance(value, bool) for value in ranges.values())
    torch.manual_seed(0)
    varied = augment(digit(), config.augmentation)
    assert torch.isfinite(varied).all()
    # in most of fifty variations there is still a digit to see
    seen = (varied.amax((1, 2, 3)) - varied.amin((1, 2, 3)) > 0.1).float().mean()
    assert seen > 0.5 or config.augmentation.contrast > 0.9 or config.augmentation.brightness > 0.9


def digit() -> torch.Tensor:
    """Fifty times a cross of a digit's size."""
    pixels = torch.zeros(50, 28, 28, dtype=torch.uint8)
    pixels[:, 4:24, 12:16] = pixels[:, 12:16, 6:22] = 255
    return pixels


@pytest.mark.parametrize(
    ("area", "ratio", "erases"),
    [
        ((0.9, 0.96), (1, 1), True),
        ((0.97, 1), (1, 1), False),
        ((0.001, 0.0013), (1, 1), True),
        ((0.5, 0.6), (2, 3), False),
    ],
)
def test_ranges_of_rectangles_are_allowed_where_one_fits(area, ratio, erases, tmp_path):
    ranges = {"erasing_p": 1, "erasing_area": area, "erasing_ratio": ratio}
    if not erases:
        with pytest.raises(ConfigError, match="leaves no rectangle of 1 to 27 rows"):
            make_config(augmentation=ranges, output_dir=str(tmp_path))
        return
    still = {name: 0 for name in RANGES if name not in PAIRS} | {"scale": (1, 1)}
    config = make_config(augmentation=still | ranges, output_dir=str(tmp_path))
    torch.manual_seed(0)
    assert (augment(digit() + 255, config.augmentation) == 0).any()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"base_momentum": 0.96}, "base_momentum=0.96 with max_momentum=0.95 is not allowed; allowed: at most 0.95"),
        ({"max_lr": 10, "weight_decay": 0.1}, "max_lr=10.0 with weight_decay=0.1 is not allowed; allowed: a prod"),
        ({"held_out": "last", "train_size": 59_945}, "'last'; allowed: at most 59,940 images, or all 59,950"),
        ({"held_out": "writers", "validation_size": 11_985}, "at most 47,984 and 11,981 images"),
        ({"model": 0}, "model=0 is not allowed"),
        ({"model": ""}, "model='' is not allowed"),
        ({"resume": 2}, "resume=2 is not allowed"),
        ({"max_lr": True}, "max_lr=True is not allowed; allowed: a number > 0"),
        ({"seed": [[[[[[[[1]]]]]]]]}, "seed=[[[[[...]]]]] is not allowed"),
        ({"seed": list(range(10**5))}, "seed=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...] is not allowed"),
        ({"learning_epochs": (1, True)}, "learning_epochs=(1, True) is not allowed; allowed: a number"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(tmp_path, parameters, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        make_config(**{"output_dir": str(tmp_path), **parameters})


@pytest.mark.parametrize(("held_out", "train_size", "validation_size"), [
    ("last", 59_940, 50), ("last", 59_950, 50), ("writers", 47_984, 11_981), ("drawn", 59_945, 50),
    ("drawn", 10, 59_990),
])  # fmt: skip
def test_the_largest_splits_that_are_allowed_can_be_made(tmp_path, held_out, train_size, validation_size):
    for seed in range(5 if held_out == "writers" else 1):
        config = make_config(
            held_out=held_out,
            train_size=train_size,
            validation_size=validation_size,
            output_dir=str(tmp_path),
            seed=seed,
        )
        split = config.split(with_test=False)
        assert (len(split.train), len(split.validation)) == (train_size, validation_size)


def test_a_path_is_what_a_person_means(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE", str(tmp_path))
    for given_path, expected in (
        ("$COURSE/a", tmp_path / "a"),
        ("${COURSE}/b", tmp_path / "b"),
        (tmp_path / "c", tmp_path / "c"),
        (f"{tmp_path}/with blank/ü", tmp_path / "with blank" / "ü"),
    ):
        assert make_config(output_dir=given_path).output_folder() == expected.resolve()
        assert expected.is_dir()
    monkeypatch.setattr("mnist_helpers.paths.PROJECT_ROOT", tmp_path)
    assert make_config(output_dir=2024).output_folder() == (tmp_path / "2024").resolve()


def test_the_project_itself_is_no_folder_for_a_run():
    for place in (".", str(PROJECT_ROOT), "outputs/.."):
        with pytest.raises(ConfigError, match=r"is the project itself\); allowed: a folder inside it"):
            make_config(output_dir=place)


def test_a_circle_of_links_is_said(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigError, match="output_dir="):
        make_config(output_dir=str(tmp_path / "a"))
    assert os.path.islink(tmp_path / "a")
