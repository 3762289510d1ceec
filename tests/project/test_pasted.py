"""A network pasted in a notebook is the package's: the same parts, and with the same weights the same answers.

A row for each: the notebook, the name of the class or function in it that makes the network, the package's network.
"""

import ast

import nbformat
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_helpers.data import CLASSES, normalise
from mnist_helpers.networks import build_model
from mnist_helpers.paths import PROJECT_ROOT

PASTED = [
    ("02_baseline", "BaselineNet", "baseline"),
    ("03_skeleton", "skeleton", "skeleton"),
    ("04_batchnorm_and_dropout", "FinalNet", "final"),
    ("04_batchnorm_and_dropout", "with_batchnorm", "batchnorm"),
    ("07_final_model", "FinalNet", "final"),
]


def definitions(stem: str) -> str:
    """All functions and classes of a notebook, as its cells define them, in order."""
    notebook = nbformat.read(PROJECT_ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
    trees = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    found = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return "\n\n".join(map(ast.unparse, found))


def pasted(stem: str, name: str, source: str | None = None) -> nn.Module:
    """The network that the notebook makes by this name, its first weights decided by seed 0."""
    known = {"torch": torch, "nn": nn, "F": F, "CLASSES": CLASSES}
    exec(definitions(stem) if source is None else source, known)
    torch.manual_seed(0)
    return known[name]()


def differences(mine: nn.Module, course: nn.Module, digits: torch.Tensor) -> list[str]:
    shapes = [{key: tuple(value.shape) for key, value in net.state_dict().items()} for net in (mine, course)]
    if shapes[0] != shapes[1]:
        return ["parts"]
    found = [] if all(map(torch.allclose, mine.parameters(), course.parameters())) else ["first weights"]
    mine.load_state_dict(course.state_dict())
    with torch.no_grad():
        same = torch.allclose(mine.eval()(digits), course.eval()(digits), atol=1e-5)
    torch.manual_seed(1)
    trained = mine.train()(digits)
    torch.manual_seed(1)
    same_in_training = torch.allclose(trained, course.train()(digits), atol=1e-5)
    return found if same and same_in_training else [*found, "answers"]


@pytest.mark.parametrize(("stem", "name", "model"), PASTED)
def test_a_pasted_network_is_the_one_of_the_package(stem, name, model, digits):
    mine = pasted(stem, name)
    torch.manual_seed(0)
    assert differences(mine, build_model(model), normalise(digits.pixels)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("conv_relu(16, 20), nn.MaxPool2d(2)", "conv_relu(16, 20), nn.AvgPool2d(2)", ["answers"]),
        ("conv_relu(24, 24)", "conv_relu(24, 28)", ["parts"]),
        ("2 / n", "1 / n", ["first weights"]),
    ],
)
def test_a_slip_in_pasting_is_seen(before, after, said, digits):
    source = definitions("03_skeleton")
    assert before in source
    mine = pasted("03_skeleton", "skeleton", source.replace(before, after))
    torch.manual_seed(0)
    assert differences(mine, build_model("skeleton"), normalise(digits.pixels)) == said
