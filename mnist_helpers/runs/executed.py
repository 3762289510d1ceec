"""The final notebook run headlessly: papermill started, stopped with a word, and what it made filed."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from mnist_helpers.files import is_alive, write_text_atomically
from mnist_helpers.paths import display_path
from mnist_helpers.records import RESULTS_FILE, check_mark
from mnist_helpers.runs.config import make_config
from mnist_helpers.runs.places import NOTEBOOK
from mnist_helpers.training import Interrupted, stopping

PATIENCE_SECONDS = 20  # for a kernel to end its cell
OUTSIDE = "stopped before the training, or after it; what is kept is in the output folder"


def execute(command: Sequence[str], environment: Mapping[str, str], product: Path) -> int:
    """Run papermill, whose words pass through; return its exit status.

    Raises Interrupted where Ctrl-C or a signal stops it: the kernel is interrupted first, so that the training in it
    says what is kept, and nothing else is shown.
    """
    with stopping() as came:
        with _ignored("SIGINT", "SIGHUP"):
            papermill = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
        try:
            for line in papermill.stderr:
                print(line, end="", file=sys.stderr, flush=True)
            return papermill.wait()
        except KeyboardInterrupt:
            _stop(papermill)
            line = _said(product)
        finally:
            papermill.kill()
            papermill.wait()
            papermill.stderr.close()
    by = signal.Signals(came[-1]).name if came else "an interrupt"
    raise Interrupted(line.replace("stopped by an interrupt", f"stopped by {by}"))


@contextmanager
def _ignored(*names: str) -> Iterator[None]:
    """Have a process that is started ignore signals that a terminal sends to all of its processes."""
    before = {getattr(signal, name): None for name in names if hasattr(signal, name)}
    for number in before:
        before[number] = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(papermill: subprocess.Popen[str]) -> None:
    with suppress(psutil.Error, OSError, ValueError, KeyboardInterrupt, subprocess.TimeoutExpired):
        for kernel in psutil.Process(papermill.pid).children():
            kernel.send_signal(signal.SIGINT)
        papermill.communicate(timeout=PATIENCE_SECONDS)
        return
    with suppress(psutil.Error):
        for process in psutil.Process(papermill.pid).children(recursive=True):
            process.kill()


def _said(product: Path) -> str:
    """Return what the training in an executed notebook said when it was stopped."""
    with suppress(OSError, ValueError, KeyError):
        for output in _outputs(product):
            if output.get("ename") == Interrupted.__name__:
                return output["evalue"]
    return OUTSIDE


def clear_products(folder: Path) -> None:
    """Delete the notebooks that runs which have ended left unfiled in `folder`."""
    for product in folder.glob("running.*.ipynb"):
        number = product.name.split(".")[1]
        with suppress(OSError):
            if number.isdecimal() and not is_alive(int(number), product.stat().st_mtime):
                product.unlink()


def notebook_mark(notebook: Path) -> str | None:
    """Return the mark of the run that a notebook kept (`keep`), None where it kept none; ValueError: no notebook."""
    found = None
    for output in _outputs(notebook):
        found = re.search(r"\(run ([0-9a-f]{12})\)", "".join(output.get("text", ""))) or found
    return found and found[1]


def _outputs(notebook: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return [output for cell in cells for output in cell.get("outputs", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{display_path(notebook)} is not a notebook, or damaged; execute it again") from None


def file_product(product: Path) -> Path:
    """Move a notebook that papermill executed into the folder its parameters wrote to; return that folder.

    The paths that papermill wrote into it become the project's: it may be published, and no machine's folder with it.
    ValueError: the results there are of another run by now; the notebook then has its run's mark in its name.
    """
    import nbformat  # papermill's, and needed here only

    notebook = nbformat.read(product, as_version=4)
    told = notebook.metadata.papermill
    folder, mark = make_config(**told.parameters).output_folder(), notebook_mark(product)
    told.update(input_path=display_path(told.input_path), output_path=display_path(folder / NOTEBOOK))
    write_text_atomically(product, nbformat.writes(notebook) + "\n")
    try:
        check_mark(folder / RESULTS_FILE, mark, product)
    except ValueError:
        shutil.move(product, folder / f"{product.stem}.{mark}.ipynb")
        raise
    shutil.move(product, folder / NOTEBOOK)
    return folder
