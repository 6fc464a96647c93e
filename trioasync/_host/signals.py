"""Signals for a loop inside trio, which needs Python's wake-up descriptor for itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import trio

from .. import _trio

if TYPE_CHECKING:
    from ..loop import EventLoop


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


# -- Ctrl-C


def has_struck_trio() -> bool:
    """Tell a signal handler whether the signal has found code of trio's or ours that must not be torn apart."""
    return trio.lowlevel.in_trio_run() and trio.lowlevel.currently_ki_protected()


def call_in_trio(function: Callable[..., object], *args: Any) -> bool:
    """Call a function between two steps of trio's, and return whether that will happen.

    A signal handler runs between any two instructions: trio's data may be half-changed.
    """
    try:
        trio.lowlevel.current_trio_token().run_sync_soon(function, *args)
    except trio.RunFinishedError:
        return False
    return True


@contextmanager
def hearing_ctrl_c(function: Callable[[], object]) -> Iterator[None]:
    """Call a function, in trio, after each Ctrl-C that trio does not raise at once, as far as trio handles Ctrl-C."""
    handler: Any = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or getattr(handler, "__module__", None) != _trio.CTRL_C_MODULE:
        yield
        return

    def also(signum: int, frame: FrameType | None) -> None:
        handler(signum, frame)
        call_in_trio(function)

    signal.signal(signal.SIGINT, also)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is also:
            signal.signal(signal.SIGINT, handler)


class DefaultCtrlC:
    """What raises KeyboardInterrupt like Python's own handler of Ctrl-C, but not in the middle of trio's code."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if not has_struck_trio():
            raise KeyboardInterrupt
        if not call_in_trio(self._loop.crash, KeyboardInterrupt()):
            self._loop.crash(KeyboardInterrupt())  # raised when the trio run has ended, which is about to


def spare_trio_from_default_ctrl_c(loop: EventLoop) -> None:
    """Put another handler in the place of Python's own where asyncio has put that back inside a trio run.

    It is trio's, where trio has one for this run; otherwise one of ours, until the loop has stopped.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _trio.ctrl_c_handler() or DefaultCtrlC(loop))


def give_default_ctrl_c_back() -> None:
    """Undo `spare_trio_from_default_ctrl_c`."""
    if isinstance(signal.getsignal(signal.SIGINT), DefaultCtrlC):
        signal.signal(signal.SIGINT, signal.default_int_handler)
