"""A live bar for whoever waits: over the batches of a run, with a clean line per epoch that stays, or over many runs.

The bar picks its place by itself:
- in a notebook it is one output that is updated in place; at the end the lines that stay are printed below it, and it
  is again the caption it began as, since nbval sees no updates and must find in the saved file what it saw;
- when papermill runs the notebook, the person's terminal, if there is one, shows it as well;
- in a script it is tqdm's own line on a terminal's stderr, and nothing when stderr is a file.
"""

import os
import sys
import time
from typing import IO, Any, Self

import psutil
from IPython import get_ipython
from IPython.display import display
from torch import Tensor
from tqdm import tqdm

REFRESH_SECONDS = 0.25


class _NotebookOutput:
    """A text stream for tqdm whose current line, below the lines that stay, is one notebook output.

    Everything is repeated on `terminal`, if there is one.
    """

    def __init__(self, caption: str, terminal: IO[str] | None) -> None:
        self._caption, self._terminal = {"text/plain": caption}, terminal
        self._lines: list[str] = []
        self._handle = display(self._caption, raw=True, display_id=True)

    def write(self, text: str) -> None:
        current = text.rsplit("\r", maxsplit=1)[-1].strip()
        if current:
            self._handle.update({"text/plain": "\n".join([*self._lines, current])}, raw=True)
        if self._terminal:
            self._terminal.write(text)

    def keep(self, line: str) -> None:
        self._lines.append(line)
        self.write(f"{line}\n")

    def finish(self) -> None:
        self._handle.update(self._caption, raw=True)
        if self._lines:
            print("\n".join(self._lines))

    def flush(self) -> None:
        if self._terminal:
            self._terminal.flush()


def _papermill_terminal() -> IO[str] | None:
    """Return the terminal of the person who started papermill on this notebook, if there is one.

    A kernel has no terminal of its own: Jupyter starts it in a session apart.
    """
    try:
        papermill = psutil.Process(os.getppid())
        if not any("papermill" in part for part in papermill.cmdline()):
            return None
        return open(papermill.terminal() or os.devnull, "w", encoding="utf-8")
    except (OSError, psutil.Error):
        return None


def _bar_stream(caption: str) -> _NotebookOutput | IO[str] | None:
    if getattr(get_ipython(), "kernel", None) is not None:
        return _NotebookOutput(caption, _papermill_terminal())
    return sys.stderr if sys.stderr.isatty() else None


class _Bar:
    """A bar in the place that suits, also a context manager that closes it; `options` are tqdm's."""

    def __init__(self, caption: str, show: bool, **options: Any) -> None:
        self._show = show
        self._stream = _bar_stream(caption) if show else None
        self._tqdm = tqdm(file=self._stream, disable=self._stream is None, ncols=100, ascii=False, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tqdm.close()
        if isinstance(self._stream, _NotebookOutput):
            self._stream.finish()


class TrainingBar(_Bar):
    """A bar over all batches of a run.

    Args:
        batches: in the whole run.
        done: batches finished before (a resumed run).
        show: False shows nothing at all.
    """

    def __init__(self, batches: int, done: int = 0, show: bool = True) -> None:
        super().__init__(
            f"{batches:,} steps",
            show,
            total=batches,
            initial=done,
            mininterval=REFRESH_SECONDS,
            unit="batch",
            bar_format="{desc} |{bar:24}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
        )
        self._started, self._first, self._shown = time.perf_counter(), done, 0.0

    def epoch(self, number: int, epochs: int) -> None:
        """Name the epoch that starts."""
        self._tqdm.set_description_str(f"epoch {number}/{epochs}", refresh=False)

    def batch(self, loss: Tensor) -> None:
        """Count one batch; its `loss` () is read only when the line is redrawn, since reading waits for a GPU."""
        now = time.perf_counter()
        if not self._tqdm.disable and now - self._shown > REFRESH_SECONDS:
            per_batch = (now - self._started) / (self._tqdm.n + 1 - self._first)
            self._tqdm.set_postfix_str(f"loss {loss.item():.3f}, {per_batch * 1000:.1f} ms/batch", refresh=False)
            self._shown = now
        self._tqdm.update()

    def line(self, text: str) -> None:
        """Show a line that stays, above the bar."""
        self._tqdm.clear()
        if isinstance(self._stream, _NotebookOutput):
            self._stream.keep(text)
        elif self._show:
            print(text, flush=True)


class RunsBar(_Bar):
    """A bar over many runs, with the time left.

    Args:
        runs: to be done now.
        images: they train on together, an image counting once an epoch; the time left goes by these, since runs
            differ in length.
    """

    def __init__(self, runs: int, images: int) -> None:
        super().__init__(
            f"{runs:,} runs",
            show=True,
            total=images,
            # the mean since the start: runs end in bunches, of which the last says little
            smoothing=0,
            bar_format="{desc} |{bar:24}| {percentage:3.0f} % [{elapsed}<{remaining}]",
        )
        self._runs, self._ended, self._failed = runs, 0, 0
        self.tick()

    def ended(self, images: int, failed: bool) -> None:
        """Count one run, which trained on so many images."""
        self._ended += 1
        self._failed += failed
        self._tqdm.update(images)

    def tick(self) -> None:
        """Show the time gone by while no run ends."""
        failures = f", {self._failed} failed" if self._failed else ""
        self._tqdm.set_description_str(f"{self._ended}/{self._runs} runs{failures}")
