"""A loop's threads: the default executor, whose threads are trio's.

It is an executor like any other to asyncio. A function submitted while the loop is hosted runs through
`trio.to_thread.run_sync`, under trio's thread limit, and may call `trio.from_thread`; otherwise an ordinary pool runs
it.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import outcome
import trio

if TYPE_CHECKING:
    from ..loop import EventLoop

T = TypeVar("T")


class Workers(concurrent.futures.ThreadPoolExecutor):
    """The default executor of one loop."""

    def __init__(self, loop: EventLoop) -> None:
        super().__init__(thread_name_prefix="asyncio")
        self._loop = loop
        # Functions that have not begun. Whichever trio task gets a thread first takes the first of them.
        self._queue: deque[_Job[Any]] = deque()
        # Functions that have begun or will begin; `shutdown` waits for them, abandoned ones included.
        self._unfinished: set[concurrent.futures.Future[Any]] = set()
        self._refusing = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[T]:
        """Start a function in a thread (concurrent.futures.Executor.submit)."""
        services = self._loop.services
        if services is None or not self._loop.is_running() or not trio.lowlevel.in_trio_run():
            return super().submit(fn, *args, **kwargs)
        if self._refusing:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        # As in any executor's thread, the function sees no context variables of its caller's.
        call = functools.partial(contextvars.Context().run, fn, *args, **kwargs)
        self._queue.append(_Job(future, call))
        services.start_soon(self._work, name=f"thread for {fn!r}")
        self.note(future)
        return future

    @property
    def idle(self) -> bool:
        """Whether no function has begun or waits to begin."""
        return not self._unfinished and not self._threads

    def note(self, future: concurrent.futures.Future[Any]) -> None:
        """Have `shutdown` wait for a future that is done when its thread is."""
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)

    async def _work(self) -> None:
        begun = threading.Event()

        def do_first() -> None:
            begun.set()
            with suppress(IndexError):  # another has taken it for us
                self._queue.popleft().do()

        try:
            await trio.to_thread.run_sync(do_first, abandon_on_cancel=True)
        finally:
            if not begun.is_set():  # the trio run has ended before trio had a thread to spare
                self._do_without_trio()

    def _do_without_trio(self) -> None:
        with suppress(IndexError):
            job = self._queue.popleft()
            try:
                if not job.future.cancelled():
                    super().submit(job.do)
            except RuntimeError:  # shut down, and nobody waits for the rest: Ctrl-C has struck
                job.future.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse further functions (concurrent.futures.Executor.shutdown).

        Args:
            wait: whether to block until all functions have returned.
            cancel_futures: whether functions that have not begun are cancelled.
        """
        self._refusing = True
        if cancel_futures:
            for future in list(self._unfinished):
                future.cancel()
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            concurrent.futures.wait(list(self._unfinished))

    def forget(self) -> None:
        """Let go of the ordinary pool's threads, which the interpreter waits for at its end."""
        self._threads = set()


class _Job(Generic[T]):
    """A function call that resolves a future."""

    def __init__(self, future: concurrent.futures.Future[T], call: Callable[[], T]) -> None:
        self.future, self._call = future, call

    def do(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        result = outcome.capture(self._call)
        if isinstance(result, outcome.Value):
            self.future.set_result(result.value)
        else:
            self.future.set_exception(result.error)


async def run_in_thread(workers: Workers, call: Callable[[], T]) -> T:
    """Run a function in a thread of trio's, from a Task; a cancellation abandons the thread."""
    thread: concurrent.futures.Future[T] = concurrent.futures.Future()
    workers.note(thread)
    try:
        await trio.to_thread.run_sync(_Job(thread, call).do, abandon_on_cancel=True)
    except BaseException:
        thread.cancel()  # for a thread that has not begun: shutdown must not wait for it
        raise
    return thread.result()
