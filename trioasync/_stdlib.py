"""The one door to asyncio's private names, a table per Python version where versions differ."""

from __future__ import annotations

import asyncio
import inspect
import sys
from asyncio import base_events, constants, coroutines, events, log, tasks
from collections.abc import Iterable
from typing import Any


CTask = asyncio.Task
"""The running Python's own Task, from which ours derives. Kept here since `install` may replace the public name."""

CFuture = asyncio.Future

enter_task = tasks._enter_task
leave_task = tasks._leave_task
set_running_loop = events._set_running_loop
get_running_loop_or_none = events._get_running_loop
Handle = events.Handle
TimerHandle = events.TimerHandle


class _Probe:
    """A loop that only looks at what a Task hands to call_soon."""

    callback: Any = None

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return False

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> None:
        self.callback = callback


async def _nothing() -> None:
    pass


def _find_step_type() -> type:
    """Return the type of the callback by which a Task asks the loop for a step.

    The type is private to the C module and has no name there; the pure Python Task uses a bound method.
    """
    probe, coro = _Probe(), _nothing()
    task = CTask(coro, loop=probe, name="probe")  # type: ignore[arg-type]
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    tasks._unregister_task(task)
    coro.close()
    return type(probe.callback)


StepCallback = _find_step_type()
WakeupCallback = type(len)
"""`Task.task_wakeup`, by which a future tells the Task that it is done, is a built-in method."""
WAKEUP_NAME = "task_wakeup"

coroutine_types = coroutines._COROUTINE_TYPES
is_coroutine = coroutines.iscoroutine
run_until_complete_callback = base_events._run_until_complete_cb
HAS_TASK_CONTEXT = sys.version_info >= (3, 11)
HAS_EAGER_START = sys.version_info >= (3, 12)
format_handle = base_events._format_handle
logger = log.logger
EXECUTOR_TIMEOUT = (constants.THREAD_JOIN_TIMEOUT,) if sys.version_info >= (3, 12) else ()
"""What `asyncio.run` passes to `loop.shutdown_default_executor`: seconds to wait for the threads."""


def start_eagerly(task: Any, context: Any) -> None:
    """Make a Task's first step now, which it has just queued as any Task does (Python before 3.12)."""
    loop = task.get_loop()
    item = loop._ready.pop()
    step = item[1] if item.__class__ is tuple else item._callback
    outer = tasks.current_task(loop)
    if outer is not None:
        leave_task(loop, outer)
    try:
        context.run(step)
    finally:
        if outer is not None:
            enter_task(loop, outer)


_CREATE_TASK = inspect.signature(base_events.BaseEventLoop.create_task).parameters
_CREATE_TASK_TAKES_ALL = any(parameter.kind is parameter.VAR_KEYWORD for parameter in _CREATE_TASK.values())


def stock_create_task_takes(names: Iterable[str]) -> bool:
    """Tell whether this Python's `loop.create_task` has these keywords."""
    return _CREATE_TASK_TAKES_ALL or all(name in _CREATE_TASK for name in names)


RUN_CANCELS_ON_INTERRUPT = sys.version_info >= (3, 11)
"""Whether Ctrl-C in `asyncio.run` first cancels the main task."""


async def _await(awaitable: Any) -> Any:
    return await awaitable


def main_coroutine(main: Any) -> Any:
    """Return what this Python's `asyncio.run` makes a Task of, or raise what it raises."""
    if is_coroutine(main):
        return main
    if sys.version_info < (3, 14):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    if inspect.isawaitable(main):
        return _await(main)
    raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")


STOCK_EAGER_FACTORY = getattr(asyncio, "eager_task_factory", None)
"""The factory that makes stock Tasks (asyncio 3.12), which a loop of ours replaces by the one that makes ours."""


if HAS_TASK_CONTEXT:

    def context_of_step(callback: Any, context: Any) -> Any:
        """Return the context in which a Task's step runs."""
        return context

else:

    def context_of_step(callback: Any, context: Any) -> Any:
        """Return the context in which a Task's step runs; this Python's Task has made a copy of the one it was given."""
        return getattr(callback.__self__, "_context", context)
