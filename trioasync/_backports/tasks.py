"""What asyncio's tasks module has gained: as_completed for both kinds of loops (3.13), eager task factories (3.12)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from .timeouts import TimeoutError

__all__ = ("as_completed", "create_eager_task_factory")

T = TypeVar("T")


def as_completed(fs: Iterable[Awaitable[T]], *, timeout: float | None = None) -> Completions[T]:
    """Return an iterator over awaitables in the order of their completion (asyncio 3.15).

    `async for` gives the futures themselves, once they are done; `for` gives coroutines that wait for the next
    result. Either raises TimeoutError for what is not done after `timeout` seconds.
    """
    return Completions(fs, timeout)


class Completions(AsyncIterator["asyncio.Future[T]"], Iterator[Coroutine[Any, Any, T]]):
    """The iterator that `as_completed` returns.

    On the Pythons that have not got it, `as_completed` is a generator: nothing begins before the first iteration.
    """

    def __init__(self, awaitables: Iterable[Awaitable[T]], timeout: float | None) -> None:
        self._awaitables: Iterable[Awaitable[T]] | None = awaitables  # None once they were begun
        self._timeout = timeout
        self._timer: asyncio.TimerHandle | None = None

    def _begin(self) -> None:
        """Start what is to complete, and the time, at the first iteration."""
        awaitables, self._awaitables = self._awaitables, None
        if awaitables is None:
            return
        self._left = 0  # how many are still to be given
        if inspect.isawaitable(awaitables):
            raise TypeError(f"expect an iterable of futures, not {type(awaitables).__name__}")  # in the old words
        loop = asyncio.get_event_loop()
        self._done: asyncio.Queue[asyncio.Future[T] | None] = asyncio.Queue()  # None for one that came too late
        self._todo: set[asyncio.Future[T]] = {asyncio.ensure_future(each, loop=loop) for each in set(awaitables)}
        self._left = len(self._todo)
        for future in self._todo:
            future.add_done_callback(self._completed)
        if self._todo and self._timeout is not None:
            self._timer = loop.call_later(self._timeout, self._time_out)

    def __aiter__(self) -> Completions[T]:
        return self

    def __iter__(self) -> Completions[T]:
        return self

    async def __anext__(self) -> asyncio.Future[T]:
        self._begin()
        if not self._left:
            raise StopAsyncIteration
        self._left -= 1
        return await self._next_done()

    def __next__(self) -> Coroutine[Any, Any, T]:
        self._begin()
        if not self._left:
            raise StopIteration
        self._left -= 1
        return self._next_result()

    async def _next_result(self) -> T:
        return (await self._next_done()).result()

    async def _next_done(self) -> asyncio.Future[T]:
        try:
            future = await self._done.get()
        except BaseException:
            self._left += 1  # nothing was taken, so it can be asked for again
            raise
        if future is None:
            raise TimeoutError
        return future

    def _completed(self, future: asyncio.Future[T]) -> None:
        if not self._todo:
            return  # its callback was on its way when the time ran out
        self._todo.remove(future)
        self._done.put_nowait(future)
        if not self._todo and self._timer is not None:
            self._timer.cancel()

    def _time_out(self) -> None:
        for future in self._todo:
            future.remove_done_callback(self._completed)
            self._done.put_nowait(None)
        self._todo.clear()


def create_eager_task_factory(custom_task_constructor: Callable[..., T]) -> Callable[..., T]:
    """Return a task factory whose tasks run their first step at once (asyncio 3.15).

    `custom_task_constructor` takes the arguments of `Task`, `eager_start` among them.
    """

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, *, eager_start: bool = True, **kwargs: Any) -> T:
        return custom_task_constructor(coro, loop=loop, eager_start=eager_start, **kwargs)

    return factory
