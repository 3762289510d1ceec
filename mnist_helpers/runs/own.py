"""A network of one's own: the file that holds it, the recipe it brings, and what tells one version from another."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from mnist_helpers.networks import MODELS
from mnist_helpers.paths import display_path, resolve

SETTINGS = "SETTINGS"  # the name under which a file may hold its recipe
HASH_DIGITS = 16


def known_network(name: str) -> str:
    """Return a name of the course's, or `path/to/file.py:ClassName`, not looked into; ValueError: it is neither."""
    path, _, maker = name.rpartition(":")
    if name not in MODELS and not (path.endswith(".py") and maker.isidentifier()):
        raise ValueError(f"allowed: {', '.join(MODELS)}, or a network of your own as path/to/file.py:ClassName")
    return name


def course_network(name: str) -> str:
    """Return the name of one of the course's networks; ValueError: it is none."""
    if name not in MODELS:
        raise ValueError(f"allowed: {', '.join(MODELS)}")
    return name


def is_own(name: str) -> bool:
    """Say whether a name that `known_network` takes is that of a file."""
    return name not in MODELS


def own_file(name: str) -> Path:
    """Return the file of `path/to/file.py:ClassName`; a relative path is taken from the project's top folder."""
    return resolve(name.rpartition(":")[0])


def portable_name(name: str) -> str:
    """Return the name with its path as a reader should see it: from the project's top when the file is inside it."""
    return f"{display_path(own_file(name))}:{name.rpartition(':')[2]}" if is_own(name) else name


def source_hash(name: str) -> str:
    """Return a hash of the file's text, whatever its line ends; ValueError: it cannot be read."""
    path = own_file(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text in UTF-8"
        raise ValueError(f"{display_path(path)} cannot be read ({reason})") from None
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def load_own(name: str) -> tuple[Callable[[], nn.Module], dict[str, Any]]:
    """Run the file as a module; return what makes its network, and its recipe; ValueError: what is wrong with it."""
    path, maker = own_file(name), name.rpartition(":")[2]
    # as long as it is in `sys.modules`, its classes can be shown (`inspect.getsource`); another version is another
    place = hashlib.sha256(str(path).encode()).hexdigest()[:HASH_DIGITS]
    module_name = f"own_network_{place}_{source_hash(name)}"
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, path)
        module = sys.modules[module_name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever a person's file may raise
            del sys.modules[module_name]
            raise ValueError(f"{display_path(path)} cannot be run: {type(error).__name__}: {error}") from error
    module = sys.modules[module_name]
    make = getattr(module, maker, None)
    if not callable(make):
        classes = [
            key for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == module_name
        ]  # fmt: skip
        raise ValueError(f"{display_path(path)} has no {maker}; it holds {', '.join(classes) or 'no network'}")
    recipe = getattr(module, SETTINGS, {})
    if not isinstance(recipe, dict):
        raise ValueError(f"{SETTINGS} in {display_path(path)} is a {type(recipe).__name__}; allowed: a dictionary")
    return make, recipe
