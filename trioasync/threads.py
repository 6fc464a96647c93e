"""Running functions in threads (asyncio.threads), over `trio.to_thread`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from ._host.adoption import AdoptedTask
from ._host.workers import Workers, run_in_thread
from .loop import EventLoop
from .tasks import Task

__all__ = ("to_thread",)

P = ParamSpec("P")
T = TypeVar("T")


async def to_thread(func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a thread, with a copy of the current context, and return its result (asyncio 3.9).

    A cancellation abandons the thread, as asyncio does: the function goes on, and the loop waits for it when it closes.

    Args:
        func: the function, called with the remaining arguments.

    Raises:
        BaseException: what the function raises.
    """
    loop = asyncio.get_running_loop()
    call = functools.partial(copy_context().run, func, *args, **kwargs)
    can_await_trio = isinstance(asyncio.current_task(), (Task, AdoptedTask))
    if can_await_trio and isinstance(loop, EventLoop) and isinstance(loop.default_executor(), Workers):
        return await run_in_thread(loop.workers, call)
    return await loop.run_in_executor(None, call)
