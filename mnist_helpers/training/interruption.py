"""Whoever stops a run reads in one line what is kept of it and how to go on."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = ("SIGTERM", "SIGHUP")  # which would end a process without a word


class Interrupted(KeyboardInterrupt):
    """A run was stopped; the message says what is kept and how to go on, and is all that is shown of it."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [str(self)]


@contextmanager
def stopping() -> Iterator[list[int]]:
    """Have signals that would end this process raise KeyboardInterrupt; give the list of those that came.

    A signal that is ignored (nohup), or that somebody else answers, is left alone, and so are all in other threads.
    """
    came, previous = [], {}

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
        previous = {number: signal.getsignal(number) for number in numbers}
    try:
        for number, handler in previous.items():
            if handler is signal.SIG_DFL:
                signal.signal(number, stop)
        yield came
    finally:
        for number, handler in previous.items():
            if handler is signal.SIG_DFL:
                signal.signal(number, handler)


@contextmanager
def telling(what_is_kept: Callable[[], str]) -> Iterator[None]:
    """Raise Interrupted, with what is kept by then, where the context is left by Ctrl-C, an interrupt or a signal.

    In a script a signal then ends the process as it would have; a notebook's kernel lives on.
    """
    with stopping() as came:
        try:
            yield
            return
        except KeyboardInterrupt:
            by = signal.Signals(came[-1]).name if came else "an interrupt"
            stopped = Interrupted(f"stopped by {by} {what_is_kept()}")
    if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
        sys.stdout.flush()
        if came:
            print(stopped, file=sys.stderr, flush=True)
            os.kill(os.getpid(), came[-1])
        _show_in_one_line()
    raise stopped


def _show_in_one_line() -> None:
    shown = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, *rest: object) -> None:
        if isinstance(error, Interrupted):
            print(error, file=sys.stderr, flush=True)
            # Python ends by the signal, as shells expect of what Ctrl-C has stopped, for its own exception alone
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        else:
            shown(kind, error, *rest)

    sys.excepthook = show
