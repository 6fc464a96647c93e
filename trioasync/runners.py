"""Running programs (asyncio.runners), and opening a loop in a trio program."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import functools
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from types import FrameType, TracebackType
from typing import Any, TypeVar

import trio

from ._host import closing, lifetime, signals
from ._host.driver import without_our_frames
from ._stdlib import HAS_TASK_CONTEXT, RUN_CANCELS_ON_INTERRUPT, CTask, get_running_loop_or_none, main_coroutine
from .exceptions import CancelledError
from .loop import EventLoop

__all__ = ("Runner", "run")  # as asyncio.runners; open_loop is not asyncio's

T = TypeVar("T")


class _State(enum.Enum):
    CREATED = "created"
    INITIALIZED = "initialized"
    CLOSED = "closed"


class Runner:
    """Run coroutines one after the other on one loop, and close the loop at the end (asyncio 3.11).

    Args:
        debug: whether the loop is in debug mode; None leaves it to the environment.
        loop_factory: makes the loop; None makes an `EventLoop`.
        clock: trio's clock, for an `EventLoop`; None is real time.
        instruments: trio's instruments, for an `EventLoop`.
    """

    def __init__(
        self,
        *,
        debug: bool | None = None,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
        clock: trio.abc.Clock | None = None,
        instruments: Sequence[trio.abc.Instrument] = (),
    ) -> None:
        self._state = _State.CREATED
        self._debug = debug
        self._own_loop = loop_factory is None
        self._loop_factory = loop_factory or functools.partial(EventLoop, clock=clock, instruments=instruments)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: contextvars.Context | None = None
        self._interrupts = 0

    def __enter__(self) -> Runner:
        self.get_loop()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, made at the first call (asyncio 3.11)."""
        if self._state is _State.CLOSED:
            raise RuntimeError("Runner is closed")
        if self._loop is None:
            self._loop = self._loop_factory()
            if self._own_loop:
                asyncio.set_event_loop(self._loop)
            if self._debug is not None:
                self._loop.set_debug(self._debug)
            self._context = contextvars.copy_context()
            self._state = _State.INITIALIZED
        return self._loop

    def run(self, coro: Coroutine[Any, Any, T], *, context: contextvars.Context | None = None) -> T:
        """Run a coroutine as the main task, and return its result (asyncio 3.11).

        Args:
            coro: the coroutine.
            context: the `contextvars.Context` to run in; None is the Runner's own.

        Raises:
            ValueError: if `coro` is not a coroutine (from 3.14 on TypeError, if it is not awaitable).
            RuntimeError: if a loop is running in this thread.
            KeyboardInterrupt: after Ctrl-C, which first cancels the main task.
        """
        main = self._start(coro, context)
        with self._cancelling_on_interrupt(main):
            try:
                return self.get_loop().run_until_complete(main)
            except CancelledError:
                self._raise_interrupt(main)
                raise

    def close(self) -> None:
        """Cancel what is left, go through the phases of closing, and close the loop (asyncio 3.11)."""
        if self._state is not _State.INITIALIZED:
            return
        try:
            closing.close(self.get_loop())
        finally:
            self._end()

    def _run_and_close(self, coro: Coroutine[Any, Any, T], *, cancel_on_interrupt: bool) -> T:
        """Do the work of `run` and `close` in one trio run, so that Tasks in trio calls are closed like all others."""
        loop = self.get_loop()
        if not isinstance(loop, EventLoop):
            with self:
                return self.run(coro)
        try:
            main = self._start(coro, None)
        except BaseException:
            closing.close(loop)
            self._end()
            raise
        if not cancel_on_interrupt:
            main._log_destroy_pending = False  # as where run() gives the coroutine itself to run_until_complete
        try:
            with self._cancelling_on_interrupt(main) if cancel_on_interrupt else nullcontext():
                lifetime.run_in_trio(loop, functools.partial(lifetime.run_and_close, loop, main))
        except OSError:  # trio has found no descriptors for a run: the main task has not begun
            main._log_destroy_pending = main.done()
            raise
        finally:
            self._end()
        if main.cancelled():
            self._raise_interrupt(main)
        elif main.exception() is not None:
            without_our_frames(main.exception())  # type: ignore[arg-type]  # held by a variable it would be a cycle
        return main.result()

    def _start(self, coro: Coroutine[Any, Any, T], context: contextvars.Context | None) -> CTask[T]:
        if get_running_loop_or_none() is not None:
            raise RuntimeError("Runner.run() cannot be called from a running event loop")
        loop: EventLoop = self.get_loop()  # type: ignore[assignment]  # or one of the factory's
        context = self._context if context is None else context
        if context is not None and not isinstance(loop, EventLoop) and not HAS_TASK_CONTEXT:
            return context.run(loop.create_task, main_coroutine(coro))  # this Python's own loops take no context
        return loop.create_task(main_coroutine(coro), context=context)

    def _raise_interrupt(self, main: CTask[Any]) -> None:
        """Raise KeyboardInterrupt if it was Ctrl-C that has cancelled the main task."""
        uncancel = getattr(main, "uncancel", None)  # a task factory may make tasks that cannot
        if self._interrupts > 0 and uncancel is not None and uncancel() == 0:
            raise KeyboardInterrupt

    @contextmanager
    def _cancelling_on_interrupt(self, main: asyncio.Task[Any]) -> Iterator[None]:
        """Let the first Ctrl-C cancel the main task, if nobody else has taken Ctrl-C."""
        self._interrupts = 0
        in_main_thread = threading.current_thread() is threading.main_thread()
        if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        handler = functools.partial(self._on_interrupt, main)
        try:
            signal.signal(signal.SIGINT, handler)
        except ValueError:  # an embedded interpreter that takes no signals
            yield
            return
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGINT) is handler:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_interrupt(self, main: asyncio.Task[Any], signum: int, frame: FrameType | None) -> None:
        self._interrupts += 1
        first = self._interrupts == 1
        loop = self.get_loop()
        if isinstance(loop, EventLoop) and signals.has_struck_trio():
            if not signals.call_in_trio(self._interrupt, loop, main, first):
                loop.crash(KeyboardInterrupt())  # raised when the trio run has ended, which is about to
        elif first and not main.done():
            main.cancel()
            loop.call_soon_threadsafe(lambda: None)  # ends the wait of a loop that is not ours
        else:
            raise KeyboardInterrupt

    @staticmethod
    def _interrupt(loop: EventLoop, main: asyncio.Task[Any], first: bool) -> None:
        if first and not main.done():
            main.cancel()
        else:
            loop.crash(KeyboardInterrupt())

    def _end(self) -> None:
        loop, self._loop = self._loop, None
        self._state = _State.CLOSED
        if self._own_loop:
            asyncio.set_event_loop(None)
        if loop is not None:
            loop.close()


def run(
    main: Coroutine[Any, Any, T],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """Run a coroutine on a new loop inside a new trio run, close the loop, and return the result (asyncio 3.7).

    Args:
        main: the coroutine.
        debug: whether the loop is in debug mode; None leaves it to the environment.
        loop_factory: makes the loop; None makes an `EventLoop` (asyncio 3.12).
        clock: trio's clock; None is real time.
        instruments: trio's instruments.

    Raises:
        RuntimeError: if a loop is running in this thread.
        KeyboardInterrupt: after Ctrl-C, which first cancels the main task (asyncio 3.11).
    """
    if get_running_loop_or_none() is not None:
        raise RuntimeError("asyncio.run() cannot be called from a running event loop")
    runner = Runner(debug=debug, loop_factory=loop_factory, clock=clock, instruments=instruments)
    return runner._run_and_close(main, cancel_on_interrupt=RUN_CANCELS_ON_INTERRUPT)


def open_loop(debug: bool | None = None, *, adopt: bool = True) -> AbstractAsyncContextManager[EventLoop]:
    """Open a loop in a running trio program, and close it at the end of the block.

    Opening again inside the block gives the same loop. Whatever ends the block, the loop goes through the phases of
    closing: its Tasks are cancelled and waited for, its async generators finished, its executor shut down. Tasks that
    have not ended after `loop.slow_closing_duration` seconds are named in the log. A scope around the block that is
    cancelled meanwhile, and each Ctrl-C, cancels them again.

    Args:
        debug: whether the loop is in debug mode; None leaves it to the environment.
        adopt: whether plain trio tasks may await asyncio's futures, tasks and whatever is built on them.

    Raises:
        RuntimeError: outside of a trio program, or inside another asyncio loop.
    """

    def make_loop() -> EventLoop:
        if get_running_loop_or_none() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        loop = EventLoop.in_this_trio_run(adopt=adopt)
        if debug is not None:
            loop.set_debug(debug)
        return loop

    return lifetime.Opening(make_loop)
