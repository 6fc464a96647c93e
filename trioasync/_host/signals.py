"""Signals for a loop inside trio, which needs Python's wake-up descriptor for itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def keeping_wakeup_descriptor() -> Iterator[None]:
    """Put the descriptor back that Python writes the numbers of signals to; asyncio's loop would take it."""
    try:
        descriptor = signal.set_wakeup_fd(-1)
    except ValueError:  # not the main thread, which asyncio has its own words for
        yield
        return
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)


def call(signum: int, callback: Callable[[int], object]) -> None:
    """Call a function with the signal's number when a signal arrives, between two instructions of the main thread."""

    def handler(number: int, frame: FrameType | None) -> None:
        callback(number)

    signal.signal(signum, handler)
    signal.siginterrupt(signum, False)
