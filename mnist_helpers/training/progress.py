"""A live bar for whoever waits: over the batches of a run, with a clean line per epoch that stays.

In a notebook it is one output, updated in place and in the end again the caption it began as (nbval sees no updates),
with the lines that stay below it; a terminal that papermill was started in shows it as well. In a script it is tqdm's
own line on a terminal's stderr, and nothing when stderr is a file.
"""

import os
import sys
import time
from typing import IO, Any, Self

import psutil
from torch import Tensor
from tqdm import tqdm

REFRESH_SECONDS = 0.25


class _NotebookOutput:
    """A text stream for tqdm whose current line is one notebook output; `terminal`, if there is one, repeats it."""

    def __init__(self, caption: str, terminal: IO[str] | None) -> None:
        from IPython.display import display  # only a kernel has it at hand

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
    """Return the terminal of the person who started papermill on this notebook: a kernel has none of its own."""
    try:
        papermill = psutil.Process(os.getppid())
        if not any("papermill" in part for part in papermill.cmdline()):
            return None
        return open(papermill.terminal() or os.devnull, "w", encoding="utf-8")
    except (AttributeError, OSError, psutil.Error):  # psutil knows no terminals on Windows
        return None


def _bar_stream(caption: str) -> _NotebookOutput | IO[str] | None:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is not None:
        return _NotebookOutput(caption, _papermill_terminal())
    return sys.stderr if sys.stderr.isatty() else None


class Bar:
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


class TrainingBar(Bar):
    """A bar over all `batches` of a run, of which some may be `done` before it; shows nothing unless `show`."""

    def __init__(self, batches: int, done: int = 0, show: bool = True) -> None:
        super().__init__(
            f"{batches:,} steps",
            show,
            total=batches,
            initial=done,
            mininterval=REFRESH_SECONDS,
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
