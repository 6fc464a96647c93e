"""Tasks (asyncio.tasks): asyncio's own, each with a trio task as its host.

What asyncio says of a Task (its states, the rules of cancellation, its messages) is asyncio's own code here, on each
Python that Python's. The Task differs from asyncio's in one thing: the coroutine that it resumes is a driver around the
user's coroutine (`_host/driver.py`), by which a coroutine may await trio as well.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from asyncio.tasks import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    all_tasks,
    current_task,
    ensure_future,
    gather,
    run_coroutine_threadsafe,
    shield,
    sleep,
    wait,
    wait_for,
)
from collections.abc import Coroutine
from contextvars import Context
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Any

from ._backports.uncancel import CountingTask
from ._host.driver import drive, is_ours
from ._stdlib import HAS_EAGER_START, HAS_TASK_CONTEXT, CoroutineLike, CTask, T, T_co, is_coroutine, start_eagerly

if sys.version_info >= (3, 13):
    from asyncio.tasks import as_completed
else:
    from ._backports.tasks import as_completed

if sys.version_info >= (3, 14):
    from asyncio.tasks import create_eager_task_factory
else:
    from ._backports.tasks import create_eager_task_factory

if TYPE_CHECKING:
    from ._host.host import Host
    from .loop import EventLoop

__all__ = (
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "Task",
    "all_tasks",
    "as_completed",
    "create_eager_task_factory",
    "create_task",
    "current_task",
    "eager_task_factory",
    "ensure_future",
    "gather",
    "run_coroutine_threadsafe",
    "shield",
    "sleep",
    "wait",
    "wait_for",
)


class Task(CountingTask[T_co]):
    """Run a coroutine as a trio task, with asyncio's semantics (asyncio 3.10 to 3.15).

    Args:
        coro: the coroutine.
        loop: the loop to run on; None is the running loop.
        name: the name; None is "Task-" and a number.
        context: the `contextvars.Context` to run in, instead of a copy of the current one.
        eager_start: whether the first step is made at once, if the loop is running.

    Raises:
        TypeError: if `coro` is not a coroutine.
    """

    __slots__ = ("_context", "_coro", "_host", "cancelled_early")

    # None when the Task has completed eagerly.
    _coro: Coroutine[Any, Any, Any] | None
    _context: Context
    # The host that carries the Task since its first step, or has carried it.
    _host: Host | None
    # Whether a cancellation came before the first step: the driver was started to wait for it.
    cancelled_early: bool

    def __init__(
        self,
        coro: CoroutineLike[T_co],
        *,
        loop: Any = None,
        name: object = None,
        context: Context | None = None,
        eager_start: bool | None = None,
    ) -> None:
        if loop is None:
            loop = asyncio.Future().get_loop()  # found by the rules of the running Python
        if context is None:
            context = contextvars.copy_context()
        if HAS_EAGER_START and eager_start:
            self._begin(coro, loop, context, name=name, context=context, eager_start=True)
        elif HAS_TASK_CONTEXT:
            self._begin(coro, loop, context, name=name, context=context)
        else:
            self._begin(coro, loop, context, name=name)
        if self._source_traceback:
            del self._source_traceback[-2:]
        if eager_start and not HAS_EAGER_START and loop.is_running():
            start_eagerly(self, context)
            self._let_coroutine_go()

    def _begin(self, coro: Any, loop: Any, task_context: Context, **options: Any) -> None:
        """Initialise asyncio's Task: with a driver around the coroutine, if the loop has hosts."""
        self._coro, self._context = coro, task_context
        self._host, self.cancelled_early = None, False
        hosts = getattr(loop, "hosts", None)
        if hosts is None or not (coro.__class__ is CoroutineType or is_coroutine(coro)):
            CTask.__init__(self, coro, loop=loop, **options)
            return
        driver = drive(self, coro, hosts)
        try:
            CTask.__init__(self, driver, loop=loop, **options)
        except BaseException:
            driver.close()
            if self._source_traceback:
                del self._source_traceback[-2:]
            raise
        finally:
            if options.get("eager_start"):
                self._let_coroutine_go()

    def _let_coroutine_go(self) -> None:
        """Forget the coroutine of a Task that has completed eagerly, as asyncio does (asyncio 3.12)."""
        if self.done() and HAS_EAGER_START:  # asyncio's repr of older Tasks names a coroutine always
            self._coro = None

    def cancel(self, msg: Any = None) -> bool:
        """Ask the Task to stop by a CancelledError (asyncio 3.9).

        Args:
            msg: the message of the CancelledError.

        Returns:
            whether the Task can still be cancelled.
        """
        host = self._host
        if host is None:
            if not self.done():
                self.begin_driver()
        elif host.task is self and host.has_open_scopes:
            host.note_request(msg, sys._getframe(1))
        can_be_cancelled = super().cancel(msg)
        if host is not None and host.task is self and self._must_cancel:  # type: ignore[attr-defined]
            host.note_undelivered()
        return can_be_cancelled

    def cancelling(self) -> int:
        """Return how many cancellations were asked for and not taken back (asyncio 3.11)."""
        host = self._host
        if host is not None and host.task is self and host.has_open_scopes:
            host.note_timeout(sys._getframe(1))
        return super().cancelling()

    def uncancel(self) -> int:
        """Take one request for cancellation back, and return how many remain (asyncio 3.11).

        With none left, one that trio could not deliver yet is forgotten, as asyncio forgets its own since 3.13.
        """
        remaining = super().uncancel()
        if self._host is not None and self._host.task is self:
            self._host.note_uncancel(remaining, sys._getframe(1))
        return remaining

    def begin_driver(self) -> None:
        """Bring the driver of a Task that has not made its first step to where it can be thrown an exception."""
        driver = CTask.get_coro(self)
        if self._host is None and not self.cancelled_early and driver is not self._coro and driver is not None:
            self.cancelled_early = True
            driver.send(None)

    def get_coro(self) -> Any:
        """Return the coroutine, or None for a Task that completed eagerly (asyncio 3.8; None since 3.12)."""
        return self._coro

    def get_context(self) -> Context:
        """Return the context in which the coroutine runs (asyncio 3.12)."""
        return getattr(self, "_context", None)  # type: ignore[return-value]  # None where __init__ was never called

    def set_name(self, value: object) -> None:
        """Name the Task, and the trio task that hosts it (asyncio 3.8)."""
        CTask.set_name(self, value)
        if self._host is not None and self._host.task is self:
            self._host.trio_task.name = self.get_name()

    def get_stack(self, *, limit: int | None = None) -> list[FrameType]:
        """Return the frames of the coroutine, or those of the traceback it ended with (asyncio 3.4).

        Args:
            limit: the most frames to return: the newest of a stack, the oldest of a traceback.
        """
        frames = [frame for frame in CTask.get_stack(self) if not is_ours(frame)]
        if limit is None:
            return frames
        ended_by_exception = self.done() and not self.cancelled() and self._exception is not None
        return frames[:limit] if ended_by_exception else frames[len(frames) - limit :]


def start_task(
    coro: CoroutineType[Any, Any, T], loop: Any, name: object, context: Context | None, eager_start: object = False
) -> Task[T]:
    """Return what `Task(coro, loop=loop, name=name, context=context, eager_start=eager_start)` is, in fewer calls.

    For a coroutine of Python's own type, a loop that has hosts and is not in debug mode, and a Python whose Task takes
    these arguments; `eager_start` also for a loop that is running.
    """
    if context is None:
        context = contextvars.copy_context()
    task: Task[T] = Task.__new__(Task)
    task._coro, task._context, task._host, task.cancelled_early = coro, context, None, False
    if eager_start:
        CTask.__init__(task, drive(task, coro, loop.hosts), loop=loop, name=name, context=context, eager_start=True)
        if task.done():
            task._coro = None
    else:
        CTask.__init__(task, drive(task, coro, loop.hosts), loop=loop, name=name, context=context)
    return task


def create_task(
    coro: CoroutineLike[T],
    *,
    name: object = None,
    context: Context | None = None,
    eager_start: bool | None = None,
) -> Task[T]:
    """Start a coroutine as a Task of the running loop (asyncio 3.7; `context` 3.11, `eager_start` 3.14).

    Args:
        coro: the coroutine.
        name: the Task's name; None is "Task-" and a number.
        context: the `contextvars.Context` to run in, instead of a copy of the current one.
        eager_start: whether the first step is made at once.

    Raises:
        RuntimeError: if no loop is running.
    """
    loop: EventLoop = asyncio.get_running_loop()  # type: ignore[assignment]  # or one whose Tasks are asyncio's
    if context is None and eager_start is None:
        return loop.create_task(coro, name=name)
    given: dict[str, Any] = {"name": name, "context": context, "eager_start": eager_start}
    return loop.create_task(coro, **{key: value for key, value in given.items() if value is not None})


eager_task_factory = create_eager_task_factory(Task)
