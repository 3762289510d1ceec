"""What `check-model` and `check-params` print about a network, and whether it passes."""

import copy
import io
from collections.abc import Sequence
from contextlib import redirect_stdout

from torch import nn

from mnist_helpers.networks.names import count_parameters
from mnist_helpers.networks.rules import Check, check_structure, reported_checks, required_checks
from mnist_helpers.networks.table import format_layer_table, layer_table
from mnist_helpers.networks.trace import INPUT_SHAPE, looking

STRICT = "final"  # the network whose structure is required too


def report_rules(network: nn.Module, name: str) -> int:
    """Print what is asked of a network, and of `final` its structure, of others what else is there; 1 if it fails."""
    checks = required_checks(network)
    answers = checks[-1].passed
    if answers and name == STRICT:
        checks[-1:] = check_structure(network)
    status = _print_checks(checks)
    for check in reported_checks(network) if answers and name != STRICT else []:
        print(f"{'has   ' if check.passed else 'has no'} {check.rule}: {check.found}")
    return status


def report_parameters(network: nn.Module, name: str) -> int:
    """Print a network's layers, also as torchsummary sees them, and what is required; return 1 if that fails."""
    checks = required_checks(network)
    # torchsummary knows modules with a weight and a bias, one tensor in and out, nothing else
    descriptions = {
        f"no table of {name}'s layers": lambda: format_layer_table(layer_table(network)) + "\n",
        f"torchsummary cannot describe {name}": lambda: _torchsummary(network),
    }
    for failed, describe in descriptions.items():
        try:
            print(describe())
        except Exception as error:  # whatever a person's own network may raise
            print(f"{failed}: {type(error).__name__}: {error}".splitlines()[0])
    return _print_checks(checks)


def _print_checks(checks: Sequence[Check]) -> int:
    for check in checks:
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.rule}: {check.found}")
    return 0 if all(check.passed for check in checks) else 1


def _torchsummary(network: nn.Module) -> str:
    """Return what torchsummary prints; ValueError where it does not count what is there."""
    from torchsummary import summary  # needed here only

    # a copy on the CPU, since where it fails it leaves its hooks behind
    copied = copy.deepcopy(network).float().cpu()
    with looking(copied), redirect_stdout(io.StringIO()) as printed:
        summary(copied, INPUT_SHAPE, device="cpu")
    if f"Total params: {count_parameters(network):,}\n" not in printed.getvalue():
        raise ValueError("it counts other parameters than there are")
    return printed.getvalue()
