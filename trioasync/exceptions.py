"""asyncio's exceptions, the same objects, and ScopeCancelled."""

from __future__ import annotations

import sys
from asyncio.exceptions import (
    CancelledError as CancelledError,
    IncompleteReadError as IncompleteReadError,
    InvalidStateError as InvalidStateError,
    LimitOverrunError as LimitOverrunError,
    SendfileNotAvailableError as SendfileNotAvailableError,
    TimeoutError as TimeoutError,  # on 3.10 it is not the builtin
)
from typing import Any

import trio

from . import _trio

__all__ = (
    "BrokenBarrierError",
    "CancelledError",
    "IncompleteReadError",
    "InvalidStateError",
    "LimitOverrunError",
    "ScopeCancelled",
    "SendfileNotAvailableError",
    "TimeoutError",
)

if sys.version_info >= (3, 11):
    from asyncio.exceptions import BrokenBarrierError as BrokenBarrierError
else:

    class BrokenBarrierError(RuntimeError):
        """A Barrier is broken while a task waits on it (asyncio 3.11)."""


class _OpenToSubclasses:
    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the place of trio.Cancelled's own hook, which refuses every subclass."""


class ScopeCancelled(_OpenToSubclasses, CancelledError, trio.Cancelled):  # type: ignore[misc]  # final but for us
    """Tells asyncio code that a trio cancel scope around it was cancelled.

    It is a `CancelledError`, so that asyncio code cleans up, and a `trio.Cancelled`, so that the scope catches it.
    It does not count in `Task.cancelling`.
    """

    def __init__(self, *args: object) -> None:
        CancelledError.__init__(self, *args)
        self.source, self.reason, self.source_task = "unknown", None, None

    @classmethod
    def translate(cls, cancelled: trio.Cancelled) -> ScopeCancelled:
        """Return a ScopeCancelled with trio's text as its message and trio's source and reason."""
        translated: ScopeCancelled = cls._create(str(cancelled))  # type: ignore[call-arg, arg-type, assignment]
        translated.source, translated.reason, translated.source_task = _trio.cancelled_from(cancelled)
        return translated

    __str__ = CancelledError.__str__
    __repr__ = CancelledError.__repr__
