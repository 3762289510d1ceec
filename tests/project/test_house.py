"""The shape of the house: rooms, arrows that only go down, small files, and one training step in a few of them."""

import ast
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache, partial
from pathlib import Path

import pytest
import torch
from pydantic import BaseModel

import mnist_helpers
from mnist_helpers.data import Images, epoch_batches
from mnist_helpers.networks import FinalNet, fast_form
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.training import Settings, cross_entropy, make_optimizer, make_schedule, train_step

PACKAGE = PROJECT_ROOT / "mnist_helpers"
PAGE = (PACKAGE / "README.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LAYERS = CONTRACTS["contracts"][0]["layers"]
ROOMS = [layer for layer in LAYERS if (PACKAGE / layer).is_dir()]
TAUGHT = ("data", "networks", "training")
LONGEST_CHAIN, MOST_OUTSIDE = 10, 12
# lines that the rooms of the course share, and those of the rooms built upon it
FEWER_LINES = {"the rest": 9_100, "handwriting": 2_400, "sharing": 850, "assessment": 900, "trust": 800}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def module(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts)


def room(name: str) -> str | None:
    """The room of a module or a face."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else None


@cache
def imports(path: Path) -> set[str]:
    """Modules and faces that a file imports from this package, those for type checkers alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        inner for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }  # fmt: skip
    found = set()
    for node in ast.walk(tree):
        if node in skipped or not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if node.module == "mnist_helpers":
            found |= {f"mnist_helpers.{alias.name}" for alias in node.names}
        elif node.module.startswith("mnist_helpers."):
            found.add(node.module)
    return found


def chain(path: Path) -> int:
    """How many modules the longest chain of imports from this one has; a room's face ends it."""
    below = [PROJECT_ROOT / f"{name.replace('.', '/')}.py" for name in imports(path)]
    return 1 + max((chain(other) if other.exists() else 1 for other in below), default=0)


def test_arrows_go_down_and_one_that_goes_up_is_seen(tmp_path):
    linter = Path(sys.executable).with_name("lint-imports")

    def lint(folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([linter, "--no-cache"], cwd=folder, capture_output=True, text=True)

    assert lint(PROJECT_ROOT).returncode == 0, lint(PROJECT_ROOT).stdout
    shutil.copytree(PACKAGE, tmp_path / "mnist_helpers")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "mnist_helpers" / "training" / "loop.py").open("a") as loop:
        loop.write("\nfrom mnist_helpers.runs import make_config\n")
    broken = lint(tmp_path)
    assert broken.returncode == 1
    assert "mnist_helpers.training is not allowed to import mnist_helpers.runs" in broken.stdout


def test_a_room_is_entered_by_its_face():
    for path in files():
        for name in imports(path):
            if room(name) and room(name) != room(module(path)):
                assert name.count(".") == 1, f"{path.relative_to(PROJECT_ROOT)} imports {name}, not its room's face"


def test_every_face_says_what_its_room_is_for_and_what_it_uses():
    for name in ROOMS:
        said = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8")))
        used = {room(other) for path in (PACKAGE / name).glob("*.py") for other in imports(path)} - {None, name}
        last = said.split("\n\n")[-1]
        assert set(re.findall(r"`(\w+)`", last)) >= used, f"{name} uses {used}"


def test_the_house_is_small():
    longest = max(files(), key=chain)
    assert chain(longest) <= LONGEST_CHAIN, f"{longest.relative_to(PROJECT_ROOT)} starts a chain of {chain(longest)}"
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_OUTSIDE
    for path in files():
        most = 150 if room(module(path)) in TAUGHT else 200
        assert lines(path) <= most, f"{path.relative_to(PROJECT_ROOT)} has {lines(path)} lines, {most} are allowed"
    totals = Counter()
    for path in files():
        home = room(module(path))
        totals[home if home in FEWER_LINES else "the rest"] += lines(path)
    assert all(totals[part] < most for part, most in FEWER_LINES.items()), totals


def mermaid() -> str:
    """The rooms as a picture, from the contract that holds the arrows."""
    nodes = [layer.replace(" | ", "_") for layer in LAYERS]
    labels = [f'    {node}["{layer.replace(" | ", ", ")}"]' for node, layer in zip(nodes, LAYERS, strict=True)]
    return "\n".join(["```mermaid", "flowchart TD", *labels, f"    {' --> '.join(nodes)}", "```"])


def test_the_page_shows_the_rooms_of_the_contract():
    assert mermaid() in PAGE, f"mnist_helpers/README.md needs this block:\n{mermaid()}"
    for path in files():
        if path.name not in ("__init__.py", "__main__.py"):
            assert f"]({path.relative_to(PACKAGE)})" in PAGE, f"mnist_helpers/README.md does not name {path.name}"


def reading_list() -> list[Path]:
    """The files that the page says to read for one training step."""
    section = PAGE[PAGE.index("## One training step") : PAGE.index("## The rooms")]
    return [PACKAGE / name for name in re.findall(r"^\d\. .*\]\((\w+/\w+\.py)\)", section, re.MULTILINE)]


def test_one_step_of_the_final_network_is_in_the_files_that_the_page_names(digits: Images):
    seen: set[Path] = set()

    def trace(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            seen.add(path)
        return trace

    settings = Settings(batch_size=len(digits))
    network = fast_form(FinalNet())
    optimizer = make_optimizer(network, settings)
    schedule = make_schedule(optimizer, settings, steps_per_epoch=2)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        inputs, targets = next(epoch_batches(digits, settings.batch_size, settings.augmentation))
        loss_of = partial(cross_entropy, label_smoothing=settings.label_smoothing)
        loss, _ = train_step(network, inputs, targets, optimizer, loss_of)
        schedule.step()
    finally:
        sys.settrace(before)
    assert torch.isfinite(loss)
    stand_ins = {PACKAGE / "networks" / "layers.py"}
    assert seen - stand_ins <= set(reading_list())
    # nothing is on the list that a step does not need; the settings' fields are read without running a line of theirs
    assert set(reading_list()) - seen == {PACKAGE / "training" / "settings.py"}
    assert len(reading_list()) <= 6
    assert sum(map(lines, reading_list())) <= 510


@pytest.mark.parametrize("name", ["final", "tiny"])
def test_a_hook_that_does_nothing_changes_nothing(name, digits, monkeypatch):
    """The moments at which the loop asks its hooks do not touch weights or random numbers."""
    from mnist_helpers.runs import make_config
    from mnist_helpers.training import Hook, fit

    config = make_config(model=name, epochs=2, batch_size=32, device="cpu")
    plain = fit(config.build, digits, config)
    hooks = config.hooks()
    monkeypatch.setattr(type(config), "hooks", lambda self: (*hooks, Hook()))
    hooked = fit(config.build, digits, config)
    for one, other in zip(plain.state_dict().values(), hooked.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_whatever_holds_values_is_frozen():
    """But what a run changes while it goes on: its state, and what keeps it."""
    mutable = set()
    for module in pkgutil.walk_packages(mnist_helpers.__path__, "mnist_helpers."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if isinstance(kind, type) and kind.__module__ == module.name:
                frozen = [kind.model_config.get("frozen")] if issubclass(kind, BaseModel) else []
                frozen += [kind.__dataclass_params__.frozen] if "__dataclass_params__" in vars(kind) else []
                mutable |= set() if all(frozen) else {name}
    assert mutable == {"Keeper", "TrainingState"}
