"""Queues that can be shut down, as asyncio has them from 3.13 on.

They derive from the running Python's queues (3.10 to 3.12, which take no more changes), so that what subclasses
override and read is the same; put and get are written anew, since a shutdown must end waits in the midst of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections import deque

__all__ = ("LifoQueue", "PriorityQueue", "Queue", "QueueShutDown")

T = TypeVar("T")


class QueueShutDown(Exception):
    """A queue was shut down: nothing can be put into it, nor got once it is empty (asyncio 3.13)."""


class Queue(asyncio.Queue[T]):
    """A queue between tasks that can be shut down (asyncio 3.15).

    `maxsize` is how many items it holds before `put` waits; zero or less means no bound.
    """

    _shut_down = False

    if TYPE_CHECKING:  # the stock fields that type stubs leave out
        _getters: deque[asyncio.Future[None]]
        _putters: deque[asyncio.Future[None]]
        _unfinished_tasks: int
        _finished: asyncio.Event
        _get_loop: Callable[[], asyncio.AbstractEventLoop]
        _wakeup_next: Callable[[deque[asyncio.Future[None]]], None]

    def _format(self) -> str:
        return super()._format() + (" shutdown" if self._shut_down else "")

    async def put(self, item: T) -> None:
        """Put an item in, waiting for a free slot; raises QueueShutDown once the queue is shut down."""
        while self.full():
            if self._shut_down:
                raise QueueShutDown
            putter = self._get_loop().create_future()
            self._putters.append(putter)
            try:
                await putter
            except BaseException:
                self._leave(self._putters, putter, blocked=self.full)
                raise
        self.put_nowait(item)

    def put_nowait(self, item: T) -> None:
        """Put an item in; raises QueueFull without a free slot, QueueShutDown once the queue is shut down."""
        if self._shut_down:
            raise QueueShutDown
        super().put_nowait(item)

    async def get(self) -> T:
        """Remove and return an item, waiting for one; raises QueueShutDown if the queue is shut down and empty."""
        while self.empty():
            if self._shut_down:
                raise QueueShutDown
            getter = self._get_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except BaseException:
                self._leave(self._getters, getter, blocked=self.empty)
                raise
        return self.get_nowait()

    def get_nowait(self) -> T:
        """Remove and return an item; without one raises QueueEmpty, or QueueShutDown if the queue is shut down."""
        if self._shut_down and self.empty():
            raise QueueShutDown
        return super().get_nowait()

    def shutdown(self, immediate: bool = False) -> None:
        """Refuse further items and end all waits of `put` and `get`; with `immediate` drop the items left as well.

        Dropped items count as done for `join`. Doing it twice does no harm, and the second may be immediate.
        """
        self._shut_down = True
        if immediate:
            self._drop_items()
        for waiters in (self._getters, self._putters):
            while waiters:
                self._wakeup_next(waiters)

    def _drop_items(self) -> None:
        while not self.empty():
            self._get()
            self._unfinished_tasks = max(0, self._unfinished_tasks - 1)
        if not self._unfinished_tasks:
            self._finished.set()

    def _leave(
        self, waiters: deque[asyncio.Future[None]], waiter: asyncio.Future[None], *, blocked: Callable[[], bool]
    ) -> None:
        """Take who no longer waits out of the line; a wake-up that came too late for it goes to the next one."""
        waiter.cancel()
        with contextlib.suppress(ValueError):  # who woke it has taken it out already
            waiters.remove(waiter)
        if not waiter.cancelled() and not blocked():
            self._wakeup_next(waiters)


class PriorityQueue(Queue[Any], asyncio.PriorityQueue[Any]):
    """A Queue that gives the lowest item first; items are often `(priority, data)` (asyncio 3.15)."""


class LifoQueue(Queue[T], asyncio.LifoQueue[T]):
    """A Queue that gives the newest item first (asyncio 3.15)."""
