"""The event loop: CPython's own selector event loop, turned by trio."""

from __future__ import annotations

import heapq
import itertools
import math
import selectors
import signal
import sys
import time
import warnings
from asyncio import events
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import sniffio
import trio
from trio.lowlevel import enable_ki_protection

from . import _trio
from ._host import lifetime, signals
from ._host.driver import without_our_frames
from ._host.handles import Handle, TimerHandle
from ._host.pool import Hosts
from ._host.pump import Pump
from ._host.turning import turn_until_stopped
from ._host.workers import Workers
from ._stdlib import (
    HAS_TASK_CONTEXT,
    STOCK_EAGER_FACTORY,
    WAKEUP_NAME,
    CoroutineLike,
    SelectorEventLoop,
    StepCallback,
    T,
    TimerHandle as StockTimerHandle,
    WakeupCallback,
    context_of_step,
    format_callback,
    get_running_loop_or_none,
    has_current_loop,
    run_until_complete_callback,
    stock_create_task_takes,
)
from .tasks import Task, eager_task_factory, start_task

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Executor

    from typing_extensions import TypeVarTuple, Unpack

    Ts = TypeVarTuple("Ts")


COMPACT_TIMERS_AT = 100
"""From this number of timers on the cancelled ones are thrown out when they are more than half of them."""


if TYPE_CHECKING or sys.version_info >= (3, 13):
    StockLoop = SelectorEventLoop
else:
    from ._backports.loops import BackportedLoop as StockLoop


class EventLoop(StockLoop):
    """An asyncio event loop that runs inside trio.

    Args:
        selector: what the loop watches descriptors with; None is the platform's best.
        clock: trio's clock for the trio runs that this loop starts; None is real time.
        instruments: trio's instruments for those runs.
    """

    # Once a loop has waited so many seconds for Tasks to end, so that it can close, the log says which; None: never.
    slow_closing_duration: float | None = 5.0

    # As long as the base class has not begun: a trio that is not fit for use is refused before.
    _closed = True
    # Set while a trio run hosts the loop: the nursery of what the loop itself starts in trio, and what trio has told.
    services: trio.Nursery | None = None
    trio_asyncgen_hooks: tuple[Any, ...] = ()
    # Gives a loop that is made without a clock its clock; None is real time. `trioasync run --autojump` replaces it.
    default_clock: Callable[[], trio.abc.Clock | None] = staticmethod(lambda: None)
    # Whether plain trio tasks of the trio run may await asyncio's things.
    adopts = True
    # Set while the loop is running.
    pump: Pump | None = None
    # What shall end the run, while the loop is hosted but not running.
    early_crash: BaseException | None = None
    # While the pump naps in trio, what hands the loop work must wake it.
    _asleep = False
    # The heap of timers; of two that are due at the same time, the one that was set first comes first.
    _timers: list[tuple[float, int, StockTimerHandle]]

    def __init__(
        self,
        selector: selectors.BaseSelector | None = None,
        *,
        clock: trio.abc.Clock | None = None,
        instruments: Sequence[trio.abc.Instrument] = (),
    ) -> None:
        _trio.check()
        self._timer_order = itertools.count().__next__
        super().__init__(selector)
        clock = self.default_clock() if clock is None else clock
        self._clock, self._instruments = clock, instruments
        self.hosts = Hosts(self)
        self.workers = Workers(self)
        self._asyncgen_hooks = (self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        self.descriptors = self._selector.get_map()
        self._now: Callable[[], float] = time.monotonic if clock is None else clock.current_time

    @classmethod
    def in_this_trio_run(cls, *, adopt: bool) -> EventLoop:
        """Return a loop whose time is the time of the current trio run."""
        loop = cls(clock=trio.lowlevel.current_clock())
        if _trio.runs_on_system_clock():
            loop._now = time.monotonic
        loop.adopts = adopt
        return loop

    def time(self) -> float:
        """Return the loop's time in seconds: `time.monotonic`, or the time of the clock that was given."""
        return self._now()

    # -- running

    def run_forever(self) -> None:
        """Run until `stop` is called, in a trio run of its own (asyncio 3.10 to 3.15)."""
        self._check_closed()
        self._check_running()
        lifetime.run_in_trio(self, lambda: turn_until_stopped(self))

    @property
    def stop_callback(self) -> Callable[[Any], None]:
        return run_until_complete_callback

    def crash(self, exc: BaseException) -> None:
        """End the run with a KeyboardInterrupt or SystemExit that did not come out of the pump."""
        if self.pump is None:
            self.early_crash = exc
        else:
            self.pump.crash(exc)

    def wake(self) -> None:
        """End the pump's nap, if it naps."""
        if self._asleep and self.pump is not None:
            self.pump.wake()

    def enter_asyncio_code(self) -> None:
        """Make this thread look to libraries as it does under asyncio."""
        sniffio.thread_local.name = "asyncio"
        sys.set_asyncgen_hooks(*self._asyncgen_hooks)

    def leave_asyncio_code(self) -> None:
        """Make this thread look to libraries as it does under trio."""
        sniffio.thread_local.name = "trio"
        sys.set_asyncgen_hooks(*self.trio_asyncgen_hooks)

    # -- callbacks

    @enable_ki_protection
    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: Unpack[Ts], context: Context | None = None
    ) -> Any:
        """Call a function in the next turn (asyncio 3.10 to 3.15)."""
        if not HAS_TASK_CONTEXT:
            context = context_of_step(callback, context)
        if self._closed or self._debug:
            handle = super().call_soon(callback, *args, context=context)
            _forget_last_frame(handle)
        elif callback.__class__ is StepCallback and callback.__self__.__class__ is Task:  # type: ignore[attr-defined]
            # Asked for by asyncio's C code, which has no use for a Handle.
            self._ready.append((context, callback, None))
            handle = None
        elif (
            callback.__class__ is WakeupCallback
            and callback.__self__.__class__ is Task  # type: ignore[attr-defined]
            and callback.__name__ == WAKEUP_NAME
        ):
            self._ready.append((context, callback, args[0]))  # type: ignore[misc]
            handle = None
        else:
            handle = Handle(callback, args, self, context)
            self._ready.append(handle)
        if self._asleep:
            self.wake()
        return handle

    @enable_ki_protection
    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: Unpack[Ts], context: Context | None = None
    ) -> StockTimerHandle:
        """Call a function after a delay in seconds (asyncio 3.10 to 3.15)."""
        if self._closed or self._debug or delay is None:
            timer: StockTimerHandle = super().call_later(delay, callback, *args, context=context)  # type: ignore[assignment]
            _forget_last_frame(timer)
            return timer
        return self._set_timer(TimerHandle(self._now() + delay, callback, args, self, context))

    @enable_ki_protection
    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: Unpack[Ts], context: Context | None = None
    ) -> StockTimerHandle:
        """Call a function at a time of `loop.time` (asyncio 3.10 to 3.15)."""
        if self._closed or self._debug or when is None:
            timer: StockTimerHandle = super().call_at(when, callback, *args, context=context)  # type: ignore[assignment]
            _forget_last_frame(timer)
        else:
            timer = TimerHandle(when, callback, args, self, context)
        return self._set_timer(timer)

    def _set_timer(self, timer: StockTimerHandle) -> StockTimerHandle:
        heapq.heappush(self._timers, (timer._when, self._timer_order(), timer))
        timer._scheduled = True
        if self._asleep:
            self.wake()
        return timer

    @property
    def _scheduled(self) -> list[StockTimerHandle]:
        """The timers as asyncio's loops have them. Ours are in tuples, which are compared without a call."""
        return [timer for _, _, timer in self._timers]

    @_scheduled.setter
    def _scheduled(self, timers: Iterable[StockTimerHandle]) -> None:
        self._timers = [(timer._when, self._timer_order(), timer) for timer in timers]

    def next_timer(self) -> float:
        """Return the time at which the next timer is due, infinity if there is none."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)[2]._scheduled = False
        return timers[0][0] if timers else math.inf

    def make_due_timers_ready(self) -> None:
        """Move the timers that are due to the ready queue."""
        timers = self._timers
        if len(timers) > COMPACT_TIMERS_AT and self._timer_cancelled_count * 2 > len(timers):
            self._drop_cancelled_timers()
        end = self._now() + self._clock_resolution
        while timers and timers[0][0] < end:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._ready.append(timer)

    def _drop_cancelled_timers(self) -> None:
        for _, _, timer in self._timers:
            timer._scheduled = not timer._cancelled
        self._timers[:] = [entry for entry in self._timers if entry[2]._scheduled]
        heapq.heapify(self._timers)
        self._timer_cancelled_count = 0

    def close(self) -> None:
        """Close the loop, which must not be running (asyncio 3.10 to 3.15)."""
        if not self._closed and not self.is_running():
            self._begin_unbegun_drivers()
        super().close()
        self._timers.clear()
        self.hosts.forget()
        self.workers.forget()

    def _begin_unbegun_drivers(self) -> None:
        """Spare Tasks that will never make their first step the warning that their driver was never awaited."""
        for item in self._ready:
            step = item[1] if item.__class__ is tuple else item._callback
            task = getattr(step, "__self__", None)
            if step.__class__ is StepCallback and isinstance(task, Task):
                task.begin_driver()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an exception that nobody handles, to the handler that was set or to the log (asyncio 3.10 to 3.15)."""
        if isinstance(context.get("exception"), BaseException):
            without_our_frames(context["exception"])
        super().call_exception_handler(context)

    def report_failed_step(self, callback: Callable[..., object], argument: Any, exc: BaseException) -> None:
        """Report that a Task could not make its step, as a Handle reports that its callback has failed."""
        task = getattr(callback, "__self__", None)
        if isinstance(task, Task):
            task.begin_driver()
        step = Handle(callback, () if argument is None else (argument,), self, None)
        message = f"Exception in callback {format_callback(step._callback, step._args)}"
        self.call_exception_handler({"message": message, "exception": exc, "handle": step})

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
        handle = super()._add_reader(fd, callback, *args, **options)
        self.wake()  # a nap may be for the descriptors that were there when it began
        return handle

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
        handle = super()._add_writer(fd, callback, *args, **options)
        self.wake()
        return handle

    # -- signals

    def add_signal_handler(self, sig: int, callback: Callable[[Unpack[Ts]], object], *args: Unpack[Ts]) -> None:
        """Call a function when a signal arrives (asyncio 3.10 to 3.15).

        The descriptor that Python writes signals to stays trio's: the handler is a function, which wakes the loop.

        Raises:
            RuntimeError: outside of the main thread, or if the signal cannot be caught.
        """
        with signals.keeping_wakeup_descriptor():
            super().add_signal_handler(sig, callback, *args)
        signals.call(sig, self._handle_signal)

    def remove_signal_handler(self, sig: int) -> bool:
        """Undo `add_signal_handler`, and return whether there was a handler (asyncio 3.10 to 3.15)."""
        with signals.keeping_wakeup_descriptor():
            removed = super().remove_signal_handler(sig)
        if removed and sig == signal.SIGINT and self.services is not None:
            signals.spare_trio_from_default_ctrl_c(self)
        return removed

    # -- threads

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the functions that run in the default executor, and refuse further ones (asyncio 3.10 to 3.15).

        Args:
            timeout: how long to wait at most, in seconds (asyncio 3.12).
        """
        if self._default_executor is self.workers and self.workers.idle:
            self._executor_shutdown_called = True
            self.workers.shutdown(wait=False)
        else:
            await super().shutdown_default_executor(timeout)

    # -- tasks

    def create_task(
        self,
        coro: CoroutineLike[T],
        *,
        name: object = None,
        context: Context | None = None,
        **kwargs: Any,
    ) -> Task[T]:
        """Start a coroutine as a Task.

        Args:
            coro: the coroutine.
            name: the Task's name.
            context: the `contextvars.Context` to run in, instead of a copy of the current one (asyncio 3.11).
            eager_start: whether the first step is made at once (asyncio 3.14).
        """
        if self._closed:
            self._check_closed()
        if self._task_factory is not None:
            return self._create_task_by_factory(coro, name=name, context=context, **kwargs)  # type: ignore[no-any-return]
        if coro.__class__ is CoroutineType and HAS_TASK_CONTEXT and not self._debug and not kwargs:
            return start_task(coro, self, name, context)
        task = Task(coro, loop=self, name=name, context=context, **kwargs)
        if task._source_traceback:
            del task._source_traceback[-1]
        return task

    def _create_task_by_factory(self, coro: Any, **kwargs: Any) -> Any:
        if self._task_factory is STOCK_EAGER_FACTORY:
            return eager_task_factory(self, coro, **kwargs)
        given = {key: value for key, value in kwargs.items() if value is not None}
        if stock_create_task_takes(given):
            return super().create_task(coro, **given)
        name = given.pop("name", None)
        task = self._task_factory(self, coro, **given)
        if name is not None:
            task.set_name(name)
        return task

    # -- threads

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: Unpack[Ts]
    ) -> asyncio.Future[T]:
        """Call a function in a thread: one of trio's, unless an executor is given or was set (asyncio 3.10 to 3.15)."""
        if executor is None:
            self._check_closed()
            self.default_executor()
        return super().run_in_executor(executor, func, *args)

    def default_executor(self) -> Any:
        """Return the executor that was set as default, or else the one whose threads are trio's."""
        if self._default_executor is None:
            self._check_default_executor()
            self._default_executor = self.workers
        return self._default_executor


def _forget_last_frame(handle: Any) -> None:
    """Take our own frame off the place where debug mode says that a handle was made."""
    if handle._source_traceback:
        del handle._source_traceback[-1]


def new_event_loop() -> EventLoop:
    """Return a new event loop, hosted on trio when it runs."""
    return EventLoop()


def get_event_loop() -> asyncio.AbstractEventLoop:
    """Return the running loop or the current one, and make an `EventLoop` where asyncio makes a loop of its own.

    Raises:
        RuntimeError: if there is no current loop, outside of the main thread and from 3.14 on everywhere.
    """
    if get_running_loop_or_none() is not None or has_current_loop():
        return events.get_event_loop()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop = events.get_event_loop()
    for warning in caught:
        warnings.warn(warning.message, stacklevel=2)
    if not isinstance(loop, EventLoop):
        loop.close()
        loop = EventLoop()
        events.set_event_loop(loop)
    return loop
