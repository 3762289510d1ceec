"""What an experiment is: one setting under a name, run over several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Experiment:
    """One change to what it is compared with; `settings` are complete, beside the network's recipe."""

    name: str
    """Also that of its record in `outputs/studies`."""
    change: str
    settings: dict[str, Any]
    seeds: Sequence[int] = (0, 1, 2)
    kind: str = ""
    """What part of network or training it changes."""
    notebook: str = ""
    """Which tells of it."""
