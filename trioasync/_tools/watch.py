"""What `trioasync run` can do beside the program: print the task tree when a signal arrives, and keep a time limit.

Both write to the standard error that the process was started with. The program may have redirected its own, as pytest
does, and what is written here is for whoever has started it.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TextIO

from trioasync._host.tree import print_task_tree

if TYPE_CHECKING:
    from types import FrameType, TracebackType

__all__ = ["TimeLimit", "print_task_tree_on"]

TIMED_OUT = 124
"""The exit status after the time limit: that of the command `timeout`."""
CLEAN_UP = 5.0
"""How long the program may take to clean up after the time limit, in seconds."""
LAST_WORDS = 1.0
"""How long writing may take then."""


def _standard_error() -> TextIO | None:
    """Return a stream of our own to where standard error goes now."""
    if sys.stderr is None:
        return None
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except OSError:
        return None
    # It stays open as long as the process runs: nobody has forgotten to close it.
    return open(descriptor, "w", encoding=sys.stderr.encoding, errors="backslashreplace", closefd=False)


def print_task_tree_on(signum: int) -> None:
    """Print the task tree whenever a signal arrives, whatever the program is doing then."""
    stream = _standard_error()
    if stream is None:
        return

    def handler(number: int, frame: FrameType | None) -> None:
        print_task_tree(stream)

    signal.signal(signum, handler)
    signal.siginterrupt(signum, False)


class TimeLimit(AbstractContextManager[None]):
    """Ends the program when the body has not ended in time, with exit status 124.

    The program is interrupted as by Ctrl-C, so that it cleans up. What does not end then, or ignores Ctrl-C, is ended
    without. A thread keeps the time: the program may be in an endless computation, and has its signals for itself.

    Args:
        seconds: how long the body may take, in real time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stream = _standard_error()
        self._struck = self._body_has_ended = False

    def __enter__(self) -> None:
        # Not threading's own: a program that waits for all threads that it finds there would wait for these. Both are
        # started now, since Python 3.12 lets nobody start one while the process waits at its end for threads to end.
        _thread.start_new_thread(self._watch, ())
        _thread.start_new_thread(_end_process_after, (self._seconds + CLEAN_UP + LAST_WORDS,))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._body_has_ended = True
        if not self._struck:
            return
        if isinstance(error, SystemExit):
            if not isinstance(error.code, int | None):
                print(error.code, file=sys.stderr)
        elif error is not None and not isinstance(error, KeyboardInterrupt):
            sys.excepthook(type(error), error, traceback)
        raise SystemExit(TIMED_OUT) from None

    def _watch(self) -> None:
        time.sleep(self._seconds)
        self._struck = True
        self._tell(f"trioasync run: the program still runs after {self._seconds:g} s, and is ended. It is here:")
        print_task_tree(self._stream)
        if not self._body_has_ended and callable(signal.getsignal(signal.SIGINT)):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]  # it runs
            time.sleep(CLEAN_UP)
            self._tell(f"trioasync run: the program has not ended {CLEAN_UP:g} s after it was interrupted")
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # for ever perhaps, if the program is stuck in writing to it
        os._exit(TIMED_OUT)

    def _tell(self, text: str) -> None:
        if self._stream is not None:
            print(text, file=self._stream, flush=True)


def _end_process_after(seconds: float) -> None:
    """End the process, whatever any other thread of it is stuck in."""
    time.sleep(seconds)
    os._exit(TIMED_OUT)
