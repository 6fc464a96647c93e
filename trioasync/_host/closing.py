"""The phases of closing a loop: cancel all Tasks, finish the async generators, shut the executor down.

They are those of `asyncio.run`, and each is gone through, whatever has happened in the one before. Rules:

* A Task is cancelled once. Only who asks for it again, by Ctrl-C or by another scope, has it cancelled again.
* A Task that does not end is waited for. The log says which ones, and where each is (`SlowTasks`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from .._stdlib import EXECUTOR_TIMEOUT
from .places import place, suspended_frames
from .turning import turn_until_done

if TYPE_CHECKING:
    from ..loop import EventLoop

Tasks = set[asyncio.Task[Any]]

MOST_LINES = 6
"""How often the log says what a phase waits for: after 5, 10, 20, 40, 80 and 160 s."""
MOST_NAMES = 10
"""How many tasks it names."""
CTRL_C = "cancelled due to KeyboardInterrupt"
CARRIED_OVER = (
    "the loop stopped while this task was inside a trio call or a trio cancel scope, which cannot outlive the trio run"
)


class Closing:
    """A loop's way through the phases.

    Args:
        loop: the loop.
        reason: the message with which the Tasks are cancelled.
        in_trio_program: whether the loop is open in a trio program, where nothing may outlive it. Then Tasks that are
            started meanwhile are cancelled too, and no Ctrl-C ends the wait for a Task; asyncio leaves both behind.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reason: str | None = None, *, in_trio_program: bool = False
    ) -> None:
        self._loop, self._reason, self.in_trio_program = loop, reason, in_trio_program
        # Those that have got their CancelledError.
        self._cancelled: Tasks = set()
        # What the loop runs for a phase, which is a Task as well.
        self._own: Awaitable[Any] | None = None
        self.waits_for_threads = False

    def phases(self) -> Iterator[Awaitable[Any]]:
        """Yield what the loop must run until complete, one after the other."""
        yield from self._end_tasks()
        before = asyncio.all_tasks(self._loop)
        self._own = self._loop.shutdown_asyncgens()
        with logging_slow(self._loop, "tasks that finish async generators", lambda: self._tasks() - before):
            yield self._own
        self._own = self._loop.shutdown_default_executor(*EXECUTOR_TIMEOUT)
        self.waits_for_threads = True
        yield self._own
        if self.in_trio_program:
            yield from self._end_tasks()

    def _end_tasks(self) -> Iterator[Awaitable[None]]:
        loop = self._loop
        while tasks := self._tasks():
            self._cancel(tasks - self._cancelled)
            all_done = all_are_done(loop, tasks)
            with logging_slow(loop, "cancelled tasks", tasks.copy):
                yield all_done
            if all_done.done():  # else the loop was interrupted
                _report_exceptions(loop, tasks)
            if not self.in_trio_program:
                break
        self._cancelled.clear()

    def cancel_again(self, reason: str) -> None:
        """Cancel all Tasks that have not ended, also those that were cancelled before."""
        self._reason = reason
        self._cancel(self._tasks())

    def _tasks(self) -> Tasks:
        return {task for task in asyncio.all_tasks(self._loop) if task.get_coro() is not self._own}

    def _cancel(self, tasks: Tasks) -> None:
        self._cancelled |= tasks
        for task in tasks:
            if self._reason is None:
                task.cancel()
            else:
                task.cancel(self._reason)


async def go_through_phases(loop: EventLoop, closing: Closing) -> BaseException | None:
    """Go through all the phases of closing, and return what the last that failed raised."""
    failed: BaseException | None = None
    for phase in closing.phases():
        future = asyncio.ensure_future(phase, loop=loop)
        if future is not phase:
            future._log_destroy_pending = False  # type: ignore[attr-defined]  # it is a Task
        if closing.in_trio_program:
            failed = await _finish(loop, closing, future) or failed
        else:
            failed = await turn_until_done(loop, future) or _exception_in(future) or failed
    return failed


async def _finish(loop: EventLoop, closing: Closing, future: asyncio.Future[Any]) -> BaseException | None:
    """Turn a loop until a phase is over, whatever interrupts it, and return the exception that came of it, if any."""
    failed: BaseException | None = None
    while not future.done():
        interrupted = await turn_until_done(loop, future, borrow=False, heed_stop=False)
        failed = interrupted or failed
        if isinstance(interrupted, KeyboardInterrupt):
            if closing.waits_for_threads:
                break  # nothing ends a thread
            closing.cancel_again(CTRL_C)
    return failed or _exception_in(future)


def _exception_in(future: asyncio.Future[Any]) -> BaseException | None:
    return None if not future.done() or future.cancelled() else future.exception()


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Go through the phases of closing with a loop of any kind that is not running."""
    failed: BaseException | None = None
    for phase in Closing(loop).phases():
        try:
            loop.run_until_complete(phase)
        except BaseException as exc:
            failed = exc
    if failed is not None:
        try:
            raise failed
        finally:
            del failed  # the traceback refers to this frame


def all_are_done(loop: asyncio.AbstractEventLoop, tasks: Iterable[asyncio.Task[Any]]) -> asyncio.Future[None]:
    """Return a future that is done when all tasks are, and retrieves none of their exceptions."""
    future = loop.create_future()
    remaining = set(tasks)

    def note(task: asyncio.Task[Any]) -> None:
        remaining.discard(task)
        if not remaining and not future.done():
            future.set_result(None)

    for task in remaining:
        task.add_done_callback(note)
    return future


def _report_exceptions(loop: asyncio.AbstractEventLoop, tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "unhandled exception during asyncio.run() shutdown",
                    "exception": task.exception(),
                    "task": task,
                }
            )


async def finish_trio_calls(loop: EventLoop) -> BaseException | None:
    """Cancel the Tasks that are inside trio, and turn the loop until they have left it.

    Returns:
        what interrupted the turning, if anything did.
    """
    interrupted = None
    while stranded := _inside_trio(loop):
        for task in stranded:
            task.cancel(CARRIED_OVER)
        with logging_slow(loop, "tasks that were cancelled inside trio", stranded.copy):
            all_done = all_are_done(loop, stranded)
            interrupted = await turn_until_done(loop, all_done, heed_stop=False) or interrupted
    return interrupted


def _inside_trio(loop: EventLoop) -> Tasks:
    return set(loop.hosts.in_trio())


# -- what takes long


def logging_slow(loop: Any, what: str, awaited: Callable[[], Tasks]) -> AbstractContextManager[object]:
    """Have the log say again and again which Tasks the block waits for, if the loop is one of ours.

    Args:
        loop: the loop.
        what: what kind of Tasks they are.
        awaited: returns them, and maybe some that are done.
    """
    is_ours = hasattr(type(loop), "slow_closing_duration")  # a mock has every attribute, and its class has not
    seconds = loop.slow_closing_duration if is_ours else None
    return nullcontext() if seconds is None else SlowTasks(loop, seconds, what, awaited)


class SlowTasks:
    """Says in the log which Tasks a closing loop waits for.

    It does so a limited number of times: on a clock that jumps to the next timer, the time of a program that never ends
    would otherwise run away.
    """

    def __init__(self, loop: EventLoop, seconds: float, what: str, awaited: Callable[[], Tasks]) -> None:
        self._loop, self._what, self._awaited = loop, what, awaited
        self._began = loop.time()
        self._delays = [seconds * 2**number for number in range(MOST_LINES)]

    def __enter__(self) -> None:
        self._timer = self._loop.call_at(self._began + self._delays.pop(0), self._log)

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()

    def _log(self) -> None:
        tasks = sorted((task for task in self._awaited() if not task.done()), key=_order)
        if tasks:
            named = [f"{task.get_name()!r}{place(list(suspended_frames(task.get_coro())))}" for task in tasks]
            if len(named) > MOST_NAMES:
                named[MOST_NAMES:] = [f"and {len(named) - MOST_NAMES} more"]
            logging.getLogger("asyncio").warning(
                "Closing the loop has waited %g s for %s: %s",
                round(self._loop.time() - self._began, 2),
                self._what,
                "; ".join(named),
            )
        if self._delays:
            self._timer = self._loop.call_at(self._began + self._delays.pop(0), self._log)


def _order(task: asyncio.Task[Any]) -> tuple[int, str]:
    return len(task.get_name()), task.get_name()  # Task-9 before Task-10
