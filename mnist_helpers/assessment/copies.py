"""Copies of one network among many: the same source but for comments, layout and names, or only the same layers."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

Layers = Sequence[Sequence[int]]
NAMED = ("name", "arg", "id", "attr")
NOT_ITS_OWN = (ast.alias, ast.keyword, ast.FunctionDef)  # names of modules, arguments of torch's layers, `forward`


def bare_source(file: Path) -> str:
    """Return what a file says without comments, layout and docstrings, the names it gives numbered as they appear."""
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    places = [
        (node, field)
        for node in ast.walk(tree)
        for field in NAMED
        if not isinstance(node, NOT_ITS_OWN) and isinstance(getattr(node, field, None), str)
    ]
    given = [
        getattr(node, field) for node, field in places if isinstance(getattr(node, "ctx", None), ast.Store | None)
    ]
    numbers = {name: f"name{number}" for number, name in enumerate(dict.fromkeys(given))}
    for node, field in places:
        setattr(node, field, numbers.get(getattr(node, field), getattr(node, field)))
    return ast.dump(tree)


def find_copies(sources: Mapping[str, str], layers: Mapping[str, Layers]) -> dict[str, str]:
    """Return for each submission that is not alone what it shares and with which, such as `same source as b`."""
    found = {}
    for name in {**sources, **layers}:
        same = [other for other in sources if other != name and sources[other] == sources.get(name)]
        alike = [other for other in layers if other not in (name, *same) and layers[other] == layers.get(name)]
        told = [("same source as", same), ("same layers as", alike)]
        if text := "; ".join(f"{what} {', '.join(others)}" for what, others in told if others):
            found[name] = text
    return found
