"""The task group of asyncio 3.15, with `cancel` and what was mended since 3.11, for older Pythons."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if sys.version_info >= (3, 11):
    from asyncio import TaskGroup as _StockTaskGroup
else:
    from exceptiongroup import BaseExceptionGroup

    class _StockTaskGroup:
        """3.10 has none."""


if sys.version_info >= (3, 14):
    from asyncio import future_add_to_awaited_by, future_discard_from_awaited_by
else:

    def future_add_to_awaited_by(fut: asyncio.Future[Any], waiter: asyncio.Future[Any]) -> None:
        """Do nothing: the call graph finds the parent through the task's done callback."""

    future_discard_from_awaited_by = future_add_to_awaited_by

if TYPE_CHECKING:
    from ..tasks import Task

__all__ = ("TaskGroup",)

T = TypeVar("T")
Group = TypeVar("Group", bound="TaskGroup")


class TaskGroup(_StockTaskGroup):
    """Starts tasks in its body and leaves only when all of them are done (asyncio 3.15).

    The first task that fails, or a body that fails, cancels the others; the failures leave as one ExceptionGroup.
    The stock class is a base for the sake of `isinstance` alone: all state and behaviour is here, and is the same on
    every Python.
    """

    def __init__(self) -> None:
        self._entered = False
        self._exiting = False
        self._loop: Any = None
        self._parent_task: Any = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._errors: Any = []
        # The first KeyboardInterrupt or SystemExit: it leaves as it is, before everything else.
        self._base_error: BaseException | None = None
        # Resolved by the last task, while __aexit__ waits.
        self._on_completed_fut: asyncio.Future[bool] | None = None
        # The tasks were told to cancel; no new ones are taken.
        self._aborting = False
        self._cancel_on_enter = False
        # We cancelled the parent ourselves, so one of its cancellations is ours to take back.
        self._parent_cancel_requested = False
        # The cancellation of the parent that made the group abort, and the last one that came while it waited.
        self._cancelled: BaseException | None = None
        self._cancelled_last: BaseException | None = None

    def __repr__(self) -> str:
        info = ["<TaskGroup"]
        if self._tasks:
            info.append(f"tasks={len(self._tasks)}")
        if self._errors:
            info.append(f"errors={len(self._errors)}")
        if self._aborting:
            info.append("cancelling")
        elif self._entered:
            info.append("entered")
        return " ".join(info) + ">"

    async def __aenter__(self: Group) -> Group:
        if self._entered:
            raise RuntimeError(f"TaskGroup {self!r} has already been entered")
        self._loop = asyncio.get_running_loop()
        self._parent_task = asyncio.current_task(self._loop)
        if self._parent_task is None:
            raise RuntimeError(f"TaskGroup {self!r} cannot determine the parent task")
        self._parent_task.cancelling()  # by which a Task of ours knows in which of trio's scopes the group was entered
        self._entered = True
        if self._cancel_on_enter:
            self.cancel()
        return self

    async def __aexit__(
        self, et: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        outcome: BaseException | None = None
        self._exiting = True
        try:
            if exc is not None:
                self._body_failed(exc)
            await self._aexit()
            outcome = self._outcome(exc)
            if outcome is not None:
                raise outcome
            # Nothing is left to raise. Typed as asyncio's group, or checkers took every failure for swallowed.
            return True  # type: ignore[return-value]
        finally:
            # An exception refers to this frame by its traceback, and would keep itself alive by what the frame
            # or the group refers to.
            self._parent_task = self._errors = self._base_error = self._cancelled = self._cancelled_last = None
            del exc, tb, outcome

    def create_task(self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **kwargs: Any) -> Task[T]:
        """Start a task in this group and return it; keywords are those of `create_task`.

        Raises RuntimeError, after closing `coro`, unless the group is entered, not finished and not shutting down.
        """
        refusal = self._refusal()
        if refusal is not None:
            coro.close()
            raise RuntimeError(f"TaskGroup {self!r} {refusal}")
        task: Task[T] = self._loop.create_task(coro, **kwargs)
        future_add_to_awaited_by(task, self._parent_task)
        # A task that is done already (an eager one) is judged by its callback as well, a turn later: its failure
        # must not cancel the body before it can keep the task.
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        if self._aborting and not task.done():
            # Eager again: its first step cancelled the group, when it was not yet one of the tasks.
            task.cancel()
        try:
            return task
        finally:
            del task  # or an exception of the task would keep the task alive through this frame

    def cancel(self) -> None:
        """Cancel body and tasks; the group is then left without CancelledError (asyncio 3.15).

        Before the group is entered it takes effect on entering; after the group is left, or twice, it does nothing.
        """
        if not self._entered:
            self._cancel_on_enter = True
        elif not self._aborting and not self._finished():
            self._abort()
            self._cancel_parent()

    def _refusal(self) -> str | None:
        if not self._entered:
            return "has not been entered"
        if self._finished():
            return "is finished"
        if self._aborting:
            return "is shutting down"
        return None

    def _finished(self) -> bool:
        return self._exiting and not self._tasks

    def _body_failed(self, exc: BaseException) -> None:
        if isinstance(exc, asyncio.CancelledError):
            self._cancelled = exc
        self._note_base_error(exc)
        if not self._aborting:
            self._abort()

    async def _aexit(self) -> None:
        """Wait for the last task, through any number of cancellations of the parent."""
        while self._tasks:
            self._on_completed_fut = self._loop.create_future()
            try:
                await self._on_completed_fut
            except asyncio.CancelledError as cancelled:
                self._cancelled_last = cancelled
                if not self._aborting:
                    self._cancelled = cancelled
                    self._abort()
            self._on_completed_fut = None

    def _outcome(self, exc: BaseException | None) -> BaseException | None:
        """Decide what the group raises, given what the body raised; None for nothing."""
        if self._base_error is not None:
            return self._base_error
        cancelled = self._cancellation_to_pass_on()
        if cancelled is not None and not self._errors:
            return cancelled
        if exc is not None and not isinstance(exc, asyncio.CancelledError):
            self._errors.append(exc)
        return self._failure(exc) if self._errors else None

    def _cancellation_to_pass_on(self) -> BaseException | None:
        if not self._parent_cancel_requested:
            return self._cancelled
        if self._parent_task.uncancel() == 0:
            return None  # there was none but ours
        return self._cancelled_last if self._cancelled is None else self._cancelled

    def _failure(self, exc: BaseException | None) -> BaseException:
        if self._parent_task.cancelling():
            # The parent was cancelled from outside as well, which the failures hide: it is delivered again at the
            # parent's next wait, and the count stays.
            self._parent_task.uncancel()
            self._parent_task.cancel()
        if isinstance(exc, GeneratorExit) and len(self._errors) == 1:
            return exc  # an async generator that uses a group must end quietly in aclose()
        failure = BaseExceptionGroup("unhandled errors in a TaskGroup", self._errors)
        failure.__cause__ = None  # as `from None` does: what the body was handling is inside the group
        return failure

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        future_discard_from_awaited_by(task, self._parent_task)
        waiter = self._on_completed_fut
        if waiter is not None and not self._tasks and not waiter.done():
            waiter.set_result(True)
        if task.cancelled():
            return
        exc = task.exception()
        if exc is not None:
            self._task_failed(task, exc)

    def _task_failed(self, task: asyncio.Task[Any], exc: BaseException) -> None:
        self._errors.append(exc)
        self._note_base_error(exc)
        if self._parent_task.done():
            message = f"Task {task!r} has errored out but its parent task {self._parent_task} is already completed"
            self._loop.call_exception_handler({"message": message, "exception": exc, "task": task})
        elif not self._aborting and not self._parent_cancel_requested:
            # The body may wait for anything: cancelling the parent ends that, and __aexit__ takes it back.
            self._abort()
            self._cancel_parent()

    def _note_base_error(self, exc: BaseException) -> None:
        if self._base_error is None and isinstance(exc, (SystemExit, KeyboardInterrupt)):
            self._base_error = exc

    def _cancel_parent(self) -> None:
        if self._parent_task is not None and not self._parent_cancel_requested:
            self._parent_cancel_requested = True
            self._parent_task.cancel()

    def _abort(self) -> None:
        self._aborting = True
        for task in self._tasks:
            if not task.done():
                task.cancel()
