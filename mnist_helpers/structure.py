"""Does a network keep the course's rules? BatchNorm, dropout, global average pooling, no large dense layer, order."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torchsummary import summary

from mnist_helpers.config import PARAMETER_BUDGET
from mnist_helpers.layer_table import INPUT_SHAPE, format_layer_table, layer_table
from mnist_helpers.models import CLASSES, MODELS, build_model, count_parameters

BLOCKS = ("input_block", "first_block", "transition_block", "second_block", "output_block")
LARGEST_DENSE_LAYER = 1_000  # parameters
CONV_BN_RELU = ["Conv2d", "BatchNorm2d", "ReLU"]


@dataclass(frozen=True)
class Check:
    """One rule, whether it holds, and what was found."""

    rule: str
    passed: bool
    found: str


def check_structure(model: nn.Module) -> list[Check]:
    """Check the rules that make the course's final network what it is; the order of blocks is checked by name."""
    kinds = [type(module).__name__ for module in model.modules()]
    convolutions, norms, pools = (kinds.count(kind) for kind in ("Conv2d", "BatchNorm2d", "AdaptiveAvgPool2d"))
    dense = max((count_parameters(m) for m in model.modules() if isinstance(m, nn.Linear)), default=0)
    rates = [m.p for m in model.modules() if isinstance(m, nn.Dropout)]
    blocks = tuple(name for name, _ in model.named_children())
    return [
        Check("a BatchNorm after every convolution but the last", norms == convolutions - 1, f"{norms} BatchNorm"),
        Check(
            "dropout, never falling from block to block",
            bool(rates) and rates == sorted(rates),
            f"rates {rates}",
        ),
        Check("global average pooling", pools == 1, f"{pools} AdaptiveAvgPool2d"),
        Check(f"no dense layer above {LARGEST_DENSE_LAYER:,} parameters", dense <= LARGEST_DENSE_LAYER, f"{dense:,}"),
        Check("blocks in order", blocks == BLOCKS, ", ".join(blocks)),
        Check("convolution, BatchNorm, ReLU in every group", _grouped(model), "as applied"),
        Check("one logit per class", _output_shape(model) == (CLASSES,), f"{_output_shape(model)}"),
    ]


def check_budget(model: nn.Module) -> Check:
    """Check the course's limit on trainable parameters."""
    found = count_parameters(model)
    return Check(f"fewer than {PARAMETER_BUDGET:,} parameters", found < PARAMETER_BUDGET, f"{found:,}")


def _grouped(model: nn.Module) -> bool:
    """Say whether every convolution but the last is followed by BatchNorm and ReLU."""
    applied = [row.kind for row in layer_table(model)]
    starts = [index for index, kind in enumerate(applied) if kind == "Conv2d"]
    return all(applied[index : index + 3] == CONV_BN_RELU for index in starts[:-1])


def _output_shape(model: nn.Module) -> tuple[int, ...]:
    return layer_table(model)[-1].output_shape


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the checks of one network; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.structure", description=__doc__)
    parser.add_argument("what", choices=["rules", "parameters"])
    parser.add_argument("--model", choices=list(MODELS), default="final")
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    model = build_model(options.model)
    checks = [check_budget(model)]
    if options.what == "rules":
        checks += check_structure(model)
    else:
        print(format_layer_table(layer_table(model)), end="\n\n")
        summary(model, INPUT_SHAPE, device="cpu")
    for check in checks:
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.rule}: {check.found}")
    return 0 if all(check.passed for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
