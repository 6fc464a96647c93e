"""The lifetime of a loop inside a trio run: opened, turned, and closed in phases that each make progress.

The phases of closing are those of `asyncio.run`: cancel all Tasks, finish the async generators, shut the executor down.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import outcome
import trio

from .. import _trio
from .._stdlib import EXECUTOR_TIMEOUT, set_running_loop
from .pump import Pump

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..loop import EventLoop

T = TypeVar("T")

CARRIED_OVER = (
    "the loop stopped while this task was inside a trio call or a trio cancel scope, which cannot outlive the trio run"
)


async def live(loop: EventLoop, script: Callable[[], Awaitable[T]]) -> T:
    """Host a loop in the current trio task while an async function runs, and return what the function returns."""
    async with hosting(loop):
        result = await outcome.acapture(script)
        result = await finish_trio_calls(loop) or result
    return result.unwrap()  # type: ignore[no-any-return]


@asynccontextmanager
async def hosting(loop: EventLoop) -> AsyncIterator[None]:
    """Have nurseries for the hosts and for the loop's services, out of reach of scopes around the loop."""
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as services, trio.open_nursery() as nursery:
            loop.run_context = _trio.run_context()
            loop.trio_token = trio.lowlevel.current_trio_token()
            loop.services = services
            loop.hosts.open(nursery)
            yield
            loop.hosts.close()
            loop.services = None
            services.cancel_scope.cancel(reason="the loop has stopped")


async def turn_until_stopped(loop: EventLoop) -> None:
    """Turn a loop, as asyncio's running loop, until `loop.stop()`."""
    start_running(loop)
    try:
        await loop.pump.run()
    finally:
        stop_running(loop)


async def turn_until_done(loop: EventLoop, future: asyncio.Future[T]) -> T:
    """Turn a loop until a future is done, and return its result, as `loop.run_until_complete` does."""
    stop = loop.stop_callback
    future.add_done_callback(stop)
    try:
        await turn_until_stopped(loop)
    finally:
        future.remove_done_callback(stop)
    if not future.done():
        raise RuntimeError("Event loop stopped before Future completed.")
    return future.result()


def start_running(loop: EventLoop) -> None:
    """Make a loop the running loop of this thread."""
    loop.pump = Pump(loop)
    loop._set_coroutine_origin_tracking(loop._debug)
    loop._thread_id = threading.get_ident()
    set_running_loop(loop)


def stop_running(loop: EventLoop) -> None:
    """Undo `start_running`."""
    loop._stopping = False
    loop._thread_id = None
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
        await nursery.start(visit.serve)
        _loop_of_this_run.set(loop)
        try:
            with visit.body_scope:
                yield loop
        except BaseException as exc:
            failure = exc
        visit.end(failure)
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
                await self._turn(turn_until_stopped(loop))
            for phase in _closing_phases(loop, self._reason):
                await self._turn(turn_until_done(loop, asyncio.ensure_future(phase, loop=loop)))
            await finish_trio_calls(loop)

    async def _turn(self, turning: Awaitable[Any]) -> None:
        try:
            await turning
        except BaseException as crash:
            self.crash = self.crash or crash
            self.body_scope.cancel(reason="asyncio code in the loop has raised an exception that ends the program")


# -- closing


async def run_and_close(
    loop: EventLoop, main: asyncio.Task[T], judge: Callable[[outcome.Outcome[T]], outcome.Outcome[T]]
) -> T:
    """Turn a loop until its main task is done, then go through the phases of closing.

    Args:
        loop: a loop that is not running.
        main: the main task.
        judge: is called with the main task's outcome before the phases, and returns the outcome of the whole.
    """
    result = judge(await outcome.acapture(turn_until_done, loop, main))
    for phase in _closing_phases(loop):
        ended = await outcome.acapture(turn_until_done, loop, asyncio.ensure_future(phase, loop=loop))
        if isinstance(ended, outcome.Error):
            result = ended
    return result.unwrap()


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Go through the phases of closing with a loop of any kind that is not running."""
    result: outcome.Outcome[Any] = outcome.Value(None)
    for phase in _closing_phases(loop):
        ended = outcome.capture(loop.run_until_complete, phase)
        if isinstance(ended, outcome.Error):
            result = ended
    result.unwrap()


def _closing_phases(loop: asyncio.AbstractEventLoop, reason: str | None = None) -> Iterator[Awaitable[Any]]:
    """Yield what the loop must run until complete, one after the other."""
    tasks = asyncio.all_tasks(loop)
    if tasks:
        for task in tasks:
            task.cancel(reason)
        yield asyncio.gather(*tasks, return_exceptions=True)
        _report_exceptions(loop, tasks)
    yield loop.shutdown_asyncgens()
    yield loop.shutdown_default_executor(*EXECUTOR_TIMEOUT)


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


async def finish_trio_calls(loop: EventLoop) -> outcome.Error | None:
    """Cancel the Tasks that are inside trio, and turn the loop until they have left it.

    Returns:
        what interrupted the turning, if anything did.
    """
    interrupted = None
    while stranded := list(loop.hosts.in_trio()):
        for task in stranded:
            task.cancel(CARRIED_OVER)
        all_done = asyncio.gather(*stranded, return_exceptions=True)
        turned = await outcome.acapture(turn_until_done, loop, all_done)
        if isinstance(turned, outcome.Error):
            interrupted = turned
    return interrupted
