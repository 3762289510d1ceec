"""The networks to take away made from their recipes: weights, ONNX, cards; then what rests on them."""

import argparse
import sys
from collections.abc import Sequence

from torch import nn

from mnist_helpers.data import load_mnist
from mnist_helpers.files import write_atomically, write_text_atomically
from mnist_helpers.handwriting import calibrate, load_refusal
from mnist_helpers.networks import SHARED, SHARED_FOLDER, load
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.records import write_record
from mnist_helpers.runs import RunConfig, keep, load_weights, make_config, read_results
from mnist_helpers.sharing import page
from mnist_helpers.sharing.card import CARD_FILE, make_card, run_folder
from mnist_helpers.sharing.measured import RECORD_FILE, measure
from mnist_helpers.sharing.onnx_export import ONNX_FILE, to_onnx
from mnist_helpers.training import train

SEED = 0  # fixed before any of them was trained
REFUSAL = "refusal"  # the network that tells what is no digit, made with the thresholds


def make_weights(name: str, again: bool = False) -> str:
    """Have a network's weights on disk, trained unless today's recipe made the stored ones; say what was done.

    `final` is never trained here: its weights are those of the published run. Raises ValueError: that run had other
    settings than today's.
    """
    config = make_config(model=name, seed=SEED, output_dir=f"{SHARED_FOLDER}/{name}")
    differences = _differences(config)
    if name == "final":
        if differences:
            raise ValueError(f"final: {'; '.join(differences)}; run: make train, then make publish")
        return "the weights of the published run (make train, then make publish make others)"
    if not differences and not again:
        return "weights made by today's recipe are there"
    network, results = train(config.build, config.split(), config, keep_checkpoints=False)
    keep(network, results, config.output_folder())
    return f"trained in {results.training_time_seconds:.0f} seconds"


def _differences(config: RunConfig) -> list[str]:
    """Return in what the stored weights and results differ from `config`, or why they cannot be read."""
    try:
        stored = load_weights(config.output_folder())[1], read_results(run_folder(config.model)).config
    except (FileNotFoundError, ValueError) as error:
        return [str(error)]
    return [difference for one in stored for difference in one.training_differences(config)]


def make_onnx(name: str, network: nn.Module) -> str:
    """Write a network's ONNX file anew; say where."""
    path, data = resolve(SHARED_FOLDER) / name / ONNX_FILE, to_onnx(network)
    write_atomically(path, lambda stream: stream.write(data))
    return display_path(path)


def make_record_and_card(name: str, network: nn.Module) -> str:
    """Measure what its card says of a network, and write both anew; say where the card is."""
    folder, results = resolve(SHARED_FOLDER) / name, read_results(run_folder(name))
    record = measure(network, results, load_mnist(results.config.data_dir)[1], show=True)
    write_record(folder / RECORD_FILE, record)
    write_text_atomically(folder / CARD_FILE, make_card(name))
    return display_path(folder / CARD_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make weights, ONNX files and cards of the networks to take away, then thresholds and the page to draw on."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers models", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHARED)} (default: all)")
    parser.add_argument(
        "--again", action="store_true", help="train anew what today's recipe made; without a NAME the thresholds' too"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in SHARED]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(SHARED)}")
    try:
        for name in options.names or SHARED:
            print(f"{name}: {make_weights(name, options.again)}", flush=True)
            for make in (make_onnx, make_record_and_card):
                print(f"{name}: {make(name, load(name))}", flush=True)
        calibrate(again=options.again and not options.names)
        print(f"{REFUSAL}: {make_onnx(REFUSAL, load_refusal().network)}", flush=True)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return page.main([])
