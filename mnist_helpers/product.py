"""Where papermill's product belongs: beside the results of its run.

`python -m mnist_helpers.product NOTEBOOK` moves it there and shows the run.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from mnist_helpers import results
from mnist_helpers.config import make_config
from mnist_helpers.paths import resolve


def file_product(path: Path, name: str) -> Path:
    """Move an executed notebook into the folder its parameters wrote to, as `name`; return that folder."""
    parameters = nbformat.read(path, as_version=4).metadata.papermill.parameters
    folder = make_config(**parameters).output_folder()
    shutil.move(path, folder / name)
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """File one product and print its results."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers.product", description=__doc__)
    parser.add_argument("notebook", help="what papermill wrote")
    parser.add_argument("name", help="the notebook's own file name")
    options = parser.parse_args(arguments)
    return results.main([str(file_product(resolve(options.notebook), options.name))])


if __name__ == "__main__":
    sys.exit(main())
