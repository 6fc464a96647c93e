"""Timeouts as asyncio has them from 3.11 on, for Python 3.10."""

from __future__ import annotations

import asyncio
import builtins
import enum
import sys
from types import TracebackType
from typing import Any

if sys.version_info >= (3, 11):
    from builtins import TimeoutError as TimeoutError
else:
    from exceptiongroup import ExceptionGroup

    class TimeoutError(asyncio.TimeoutError, builtins.TimeoutError):
        """A timeout that both spellings catch: on 3.10 asyncio's class is not yet the builtin one.

        It goes by asyncio's name, and is asyncio's own where it is unpickled.
        """

        __module__ = asyncio.TimeoutError.__module__

        def __reduce__(self) -> tuple[type[asyncio.TimeoutError], tuple[object, ...]]:
            return asyncio.TimeoutError, self.args


__all__ = ("Timeout", "TimeoutError", "timeout", "timeout_at")


class _State(enum.Enum):
    """The life of a Timeout; the values word its repr and its errors."""

    CREATED = "created"
    ENTERED = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    EXITED = "finished"


class Timeout:
    """Cancels the task that entered it once its deadline passes, and turns that into TimeoutError (asyncio 3.15).

    `when` is the deadline in seconds of `loop.time`, None for never. Make one with `timeout` or `timeout_at`.
    """

    def __init__(self, when: float | None) -> None:
        self._when = when
        self._state = _State.CREATED
        # Both are set by __aenter__. The task's count of cancellations tells ours from other people's at the end.
        # Any, since 3.10's own Task lacks cancelling and uncancel; trioasync.Task has them.
        self._task: Any = None
        self._cancelling = 0
        self._timer: asyncio.Handle | None = None

    def when(self) -> float | None:
        """Return the deadline in seconds of `loop.time`, or None."""
        return self._when

    def reschedule(self, when: float | None) -> None:
        """Move the deadline to `when` seconds of `loop.time`, or take it away with None.

        Raises RuntimeError before the Timeout is entered and after it expired or was left.
        """
        if self._state is _State.CREATED:
            raise RuntimeError("Timeout has not been entered")
        if self._state is not _State.ENTERED:
            raise RuntimeError(f"Cannot change state of {self._state.value} Timeout")
        self._stop_timer()
        self._when = when
        if when is None:
            return
        loop = asyncio.get_running_loop()
        if when <= loop.time():
            self._timer = loop.call_soon(self._expire)
        else:
            self._timer = loop.call_at(when, self._expire)

    def expired(self) -> bool:
        """Tell whether the deadline passed while the Timeout was active."""
        return self._state in (_State.EXPIRING, _State.EXPIRED)

    def __repr__(self) -> str:
        if self._state is not _State.ENTERED:
            return f"<Timeout [{self._state.value}]>"
        when = None if self._when is None else round(self._when, 3)
        return f"<Timeout [{self._state.value}] when={when}>"

    async def __aenter__(self) -> Timeout:
        if self._state is not _State.CREATED:
            raise RuntimeError("Timeout has already been entered")
        task: Any = asyncio.current_task()
        if task is None:
            raise RuntimeError("Timeout should be used inside a task")
        self._task, self._cancelling = task, task.cancelling()
        self._state = _State.ENTERED
        self.reschedule(self._when)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stop_timer()
        if self._state is not _State.EXPIRING:
            self._state = _State.EXITED
            return
        self._state = _State.EXPIRED
        others_cancelled_too = self._task.uncancel() > self._cancelling
        if exc is None or others_cancelled_too:
            return
        if isinstance(exc, asyncio.CancelledError):
            raise TimeoutError from exc
        for failed in (exc, *(exc.exceptions if isinstance(exc, ExceptionGroup) else ())):
            _show_timeout_in_context(failed)

    def _expire(self) -> None:
        self._task.cancel()
        self._state = _State.EXPIRING
        self._timer = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _show_timeout_in_context(failed: BaseException) -> None:
    """Put a TimeoutError before the first cancellation that `failed` was raised in the handling of."""
    while (context := failed.__context__) is not None:
        if isinstance(context, asyncio.CancelledError):
            shown = TimeoutError()
            shown.__context__ = shown.__cause__ = context
            failed.__context__ = shown
            return
        failed = context


def timeout(delay: float | None) -> Timeout:
    """Return a Timeout that expires `delay` seconds from now, or never with None (asyncio 3.15)."""
    return Timeout(None if delay is None else asyncio.get_running_loop().time() + delay)


def timeout_at(when: float | None) -> Timeout:
    """Return a Timeout that expires at `when` seconds of `loop.time`, or never with None (asyncio 3.15)."""
    return Timeout(when)
