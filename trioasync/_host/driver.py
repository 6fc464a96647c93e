"""The driver: the coroutine between asyncio's Task and the user's coroutine.

To the Task it is the coroutine. It passes on what the coroutine yields for asyncio, which the Task judges by its own
rules, and takes what the coroutine yields for trio to the host (`host.py`).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

import trio

from .cancellation import as_cancellation
from .host import TRAPS, Host

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

if TYPE_CHECKING:
    from ..loop import EventLoop
    from ..tasks import Task

_CHECKPOINT, _WAIT = TRAPS
_TRIO_CANCELLATIONS = (trio.Cancelled, BaseExceptionGroup)


@types.coroutine
def _yield(value: Any) -> Generator[Any, None, None]:
    yield value


async def drive(task: Task, coro: Coroutine[Any, Any, Any], loop: EventLoop) -> Any:
    """Run a coroutine in the two lanes of a Task."""
    error: BaseException | None = None
    if task.cancelled_early:
        error = await _first_throw(coro)
    host = loop.hosts.take(task, coro)
    del task
    send, throw = coro.send, coro.throw
    try:
        while True:
            run_context = host.run_context
            pump = run_context.get("task")
            run_context["task"] = host.trio_task
            try:
                yielded = send(None) if error is None else throw(error)
            finally:
                run_context["task"] = pump
                error = None
            if yielded is _CHECKPOINT or yielded.__class__ is _WAIT:
                host.enter_trio_lane(yielded)
                await _yield(host)
                yielded = host.leave_trio_lane()
            elif not host.armed:
                host.rearm(yielded)
            try:
                await _yield(yielded)
            except BaseException as thrown:
                error = thrown
            if host.interrupt is not None:
                error = host.judge_interrupt(error, bare=yielded is None)
            yielded = None
    except StopIteration as stop:
        return stop.value
    except _TRIO_CANCELLATIONS as ending:
        raise as_cancellation(ending) from None
    finally:
        error = yielded = None  # a traceback may keep this frame
        loop.hosts.release(host)


async def _first_throw(coro: Coroutine[Any, Any, Any]) -> BaseException | None:
    """Wait to be thrown a cancellation that came before the first step.

    The coroutine itself must get it. Thrown into a driver that has not begun, it would reach nothing.
    """
    try:
        await _yield(None)
    except GeneratorExit:
        coro.close()
        raise
    except BaseException as thrown:
        return thrown
    return None


OUR_FRAMES = {drive.__code__, _yield.__code__, Host.leave_trio_lane.__code__}
"""The frames between a Task and the user's coroutine, which a Task's stack leaves out."""
