"""The lifetime of a loop inside a trio run: opened, turned, and closed in phases that each make progress.

The phases of closing are those of `asyncio.run`: cancel all Tasks, finish the async generators, shut the executor down.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from .._stdlib import EXECUTOR_TIMEOUT, set_running_loop
from .adoption import Adopter, adopt_current_task, release_current_task
from .pump import Pump

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..loop import EventLoop

CARRIED_OVER = (
    "the loop stopped while this task was inside a trio call or a trio cancel scope, which cannot outlive the trio run"
)


# Exceptions are returned rather than raised on the way from the pump to the caller of `trio.run`: each frame that they
# pass through would show in the user's traceback, and each that keeps one would be kept alive by it.


async def live(loop: EventLoop, script: Callable[[], Awaitable[BaseException | None]]) -> BaseException | None:
    """Host a loop in the current trio task while an async function runs.

    Returns:
        the exception that interrupted the turning of the loop, if one did.
    """
    async with hosting(loop):
        interrupted = await script()
        return await finish_trio_calls(loop) or interrupted


@asynccontextmanager
async def hosting(loop: EventLoop) -> AsyncIterator[None]:
    """Have nurseries for the hosts and for the loop's services, out of reach of scopes around the loop."""
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as services, trio.open_nursery() as nursery:
            loop.trio_token = trio.lowlevel.current_trio_token()
            loop.trio_asyncgen_hooks = tuple(sys.get_asyncgen_hooks())  # sys's own tuple is unknown to gc
            loop.services = services
            loop.hosts.open(nursery)
            adopter = Adopter(loop)
            trio.lowlevel.add_instrument(adopter)
            yield
            trio.lowlevel.remove_instrument(adopter)
            loop.hosts.close()
            loop.services = None
            services.cancel_scope.cancel(reason="the loop has stopped")


async def turn_until_stopped(loop: EventLoop) -> BaseException | None:
    """Turn a loop, as asyncio's running loop, until `loop.stop()`; return what interrupts it, if anything does."""
    pump = start_running(loop)
    try:
        await pump.run()
    except BaseException as exc:
        return exc
    finally:
        stop_running(loop)
    return None


async def turn_until_done(loop: EventLoop, future: asyncio.Future[Any]) -> BaseException | None:
    """Turn a loop until a future is done, as `loop.run_until_complete` does."""
    stop = loop.stop_callback
    future.add_done_callback(stop)
    interrupted = await turn_until_stopped(loop)
    future.remove_done_callback(stop)
    if interrupted is None and not future.done():
        return RuntimeError("Event loop stopped before Future completed.")
    return interrupted


def start_running(loop: EventLoop) -> Pump:
    """Make a loop the running loop of this thread."""
    loop.pump = pump = Pump(loop)
    loop._set_coroutine_origin_tracking(loop._debug)
    loop._thread_id = threading.get_ident()
    set_running_loop(loop)
    return pump


def stop_running(loop: EventLoop) -> None:
    """Undo `start_running`."""
    loop._stopping = False
    loop.pump = loop._thread_id = None
    set_running_loop(None)
    loop._set_coroutine_origin_tracking(False)


# -- inside a trio program


_loop_of_this_run: trio.lowlevel.RunVar[EventLoop | None] = trio.lowlevel.RunVar("the trioasync loop", default=None)


@asynccontextmanager
async def open_in_trio(make_loop: Callable[[], EventLoop]) -> AsyncIterator[EventLoop]:
    """Open a loop in a trio program, or give the one that is open already in this trio run."""
    already_open = _loop_of_this_run.get()
    if already_open is not None:
        yield already_open
        return
    loop = make_loop()
    failure: BaseException | None = None
    visit = _Visit(loop)
    async with trio.open_nursery() as nursery:
        adopt_current_task(loop)
        await nursery.start(visit.serve)
        _loop_of_this_run.set(loop)
        try:
            with visit.body_scope:
                yield loop
        except BaseException as exc:
            failure = exc
        visit.end(failure)
        release_current_task()
    _loop_of_this_run.set(None)
    loop.close()
    if visit.crash is not None:
        raise visit.crash
    if failure is not None:
        raise failure


class _Visit:
    """The time that a loop is open in a trio program."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._ended = False
        self._reason: str | None = None
        self.body_scope = trio.CancelScope()
        # A KeyboardInterrupt or SystemExit out of asyncio code, which ends the visit.
        self.crash: BaseException | None = None

    def end(self, failure: BaseException | None) -> None:
        """Let the loop close: the body has ended."""
        self._ended = True
        if isinstance(failure, trio.Cancelled):
            self._reason = str(failure)
        self._loop.stop()
        self._loop.wake()

    async def serve(self, task_status: trio.TaskStatus[None]) -> None:
        """Turn the loop until the body has ended, then close it."""
        loop = self._loop
        async with hosting(loop):
            start_running(loop)  # before the body begins
            stop_running(loop)
            task_status.started()
            while not self._ended:
                self._note(await turn_until_stopped(loop))
            self._note(await _go_through_phases(loop, self._reason, late_ones=True))
            self._note(await finish_trio_calls(loop))

    def _note(self, crash: BaseException | None) -> None:
        if crash is not None:
            self.crash = self.crash or crash
            self.body_scope.cancel(reason="asyncio code in the loop has raised an exception that ends the program")


# -- closing


async def run_and_close(loop: EventLoop, main: asyncio.Task[Any]) -> BaseException | None:
    """Turn a loop until its main task is done, then go through the phases of closing."""
    interrupted = await turn_until_done(loop, main)
    return await _go_through_phases(loop) or interrupted


async def _go_through_phases(
    loop: EventLoop, reason: str | None = None, *, late_ones: bool = False
) -> BaseException | None:
    """Go through all the phases of closing, and return what the last that failed raised."""
    failed: BaseException | None = None
    for phase in _closing_phases(loop, reason, late_ones=late_ones):
        future = asyncio.ensure_future(phase, loop=loop)
        failed = await turn_until_done(loop, future) or _exception_in(future) or failed
    return failed


def _exception_in(future: asyncio.Future[Any]) -> BaseException | None:
    return None if not future.done() or future.cancelled() else future.exception()


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Go through the phases of closing with a loop of any kind that is not running."""
    failed: BaseException | None = None
    for phase in _closing_phases(loop):
        try:
            loop.run_until_complete(phase)
        except BaseException as exc:
            failed = exc
    if failed is not None:
        try:
            raise failed
        finally:
            del failed  # the traceback refers to this frame


def _closing_phases(
    loop: asyncio.AbstractEventLoop, reason: str | None = None, *, late_ones: bool = False
) -> Iterator[Awaitable[Any]]:
    """Yield what the loop must run until complete, one after the other.

    Args:
        loop: the loop.
        reason: the message with which the Tasks are cancelled.
        late_ones: whether Tasks that are started meanwhile are cancelled too, which asyncio leaves behind.
    """
    while tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel(reason)
        all_done = _all_done(loop, tasks)
        yield all_done
        if all_done.done():  # else the loop was interrupted
            _report_exceptions(loop, tasks)
        if not late_ones:
            break
    yield loop.shutdown_asyncgens()
    yield loop.shutdown_default_executor(*EXECUTOR_TIMEOUT)


def _all_done(loop: asyncio.AbstractEventLoop, tasks: Iterable[asyncio.Task[Any]]) -> asyncio.Future[None]:
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
    while stranded := list(loop.hosts.in_trio()):
        for task in stranded:
            task.cancel(CARRIED_OVER)
        interrupted = await turn_until_done(loop, _all_done(loop, stranded)) or interrupted
    return interrupted
