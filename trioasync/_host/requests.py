"""Requests of `Task.cancel` inside of trio scopes: what is remembered of each, and where timeouts were entered."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

import trio

from ..exceptions import CancelledError

HAS_UNCANCEL = sys.version_info >= (3, 11)
"""Whether this Python's own tasks have `uncancel`, so that libraries call it."""


class Request(NamedTuple):
    """A call of `Task.cancel` inside of trio scopes."""

    # What cancelling() was before.
    before: int
    # The scopes, those of nurseries among them.
    scopes: list[trio.CancelScope]
    msg: Any
    # The CancelledError, once it was delivered.
    error: Callable[[], CancelledError | None] | None = None

    def is_over(self) -> bool:
        """Tell whether nobody handles the CancelledError any more, for a Python whose libraries cannot uncancel()."""
        return self.error is not None and self.error() is None


# The cancel status in which a timeout was entered, by the timeout: by whatever calls a Task's methods in its own.
_entries: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


class _Nobody:
    """Stands for a caller that is no method."""


_nobody = _Nobody()


def _self_of(frame: FrameType) -> Any:
    caller = frame.f_locals.get("self", _nobody)
    return caller if getattr(type(caller), "__weakrefoffset__", 0) else _nobody


def note_entry(caller: FrameType, status: Any) -> None:
    """Remember the cancel status in which a timeout is entered, from a method of its."""
    _entries[_self_of(caller)] = status


def where_entered(caller: FrameType) -> Any:
    """Return the cancel status in which the timeout was entered that a method belongs to, or None."""
    return _entries.get(_self_of(caller))


def forget_entry(caller: FrameType) -> None:
    """Forget where the timeout was entered that a method belongs to."""
    _entries.pop(_self_of(caller), None)
