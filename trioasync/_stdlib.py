"""The one door to asyncio's private names, a table per Python version where versions differ."""

from __future__ import annotations

import asyncio
import inspect
import sys
from asyncio import base_events, constants, coroutines, events, format_helpers, tasks
from collections.abc import Callable, Coroutine, Generator, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    import selectors
    import traceback
    from collections import deque

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CoroutineLike: TypeAlias = Generator[Any, None, T] | Coroutine[Any, Any, T]
"""What asyncio's type stubs let `create_task` take."""

if TYPE_CHECKING:
    # What type stubs leave out of asyncio's classes, as far as we read it: 3.10 to 3.15 have all of it.

    class CTask(asyncio.Task[T_co]):
        _source_traceback: traceback.StackSummary | None
        _log_destroy_pending: bool

        def __init__(self, coro: Any, *, loop: Any, **options: Any) -> None: ...
        @property
        def _fut_waiter(self) -> Any: ...

        # From 3.11 on; before, our own Tasks have them.
        def cancelling(self) -> int: ...
        def uncancel(self) -> int: ...

    class TimerHandle(asyncio.TimerHandle):
        _when: float
        _scheduled: bool

    class SelectorEventLoop(asyncio.SelectorEventLoop):
        _clock_resolution: float
        _closed: bool
        _current_handle: asyncio.Handle | None
        _debug: bool
        _default_executor: Any
        _ready: deque[Any]
        _selector: selectors.DefaultSelector
        _stopping: bool
        _task_factory: Any
        _thread_id: int | None
        _timer_cancelled_count: int

        def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any, **options: Any) -> Any: ...
        def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any, **options: Any) -> Any: ...
        def _asyncgen_finalizer_hook(self, agen: Any) -> None: ...
        def _asyncgen_firstiter_hook(self, agen: Any) -> None: ...
        def _check_closed(self) -> None: ...
        def _check_default_executor(self) -> None: ...
        def _check_running(self) -> None: ...
        def _handle_signal(self, sig: int) -> None: ...
        def _process_events(self, event_list: list[tuple[selectors.SelectorKey, int]]) -> None: ...
        def _set_coroutine_origin_tracking(self, enabled: bool) -> None: ...

else:
    CTask = asyncio.Task
    TimerHandle = events.TimerHandle
    SelectorEventLoop = asyncio.SelectorEventLoop
# The running Python's own classes, from which ours derive. Kept here since `install` may replace the public names.

CFuture = asyncio.Future

enter_task = tasks._enter_task
leave_task = tasks._leave_task
set_running_loop = events._set_running_loop
get_running_loop_or_none = events._get_running_loop
Handle = events.Handle


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
    task: CTask[None] = CTask(coro, loop=probe, name="probe")
    task._log_destroy_pending = False
    tasks._unregister_task(task)
    coro.close()
    return type(probe.callback)


StepCallback: type = _find_step_type()
WakeupCallback: type = type(len)
"""`Task.task_wakeup`, by which a future tells the Task that it is done, is a built-in method."""
WAKEUP_NAME = "task_wakeup"

is_coroutine = coroutines.iscoroutine
run_until_complete_callback: Callable[[asyncio.Future[Any]], None] = base_events._run_until_complete_cb  # type: ignore[attr-defined]
HAS_TASK_CONTEXT = sys.version_info >= (3, 11)
HAS_EAGER_START = sys.version_info >= (3, 12)
format_handle: Callable[[asyncio.Handle], str] = base_events._format_handle  # type: ignore[attr-defined]
format_callback: Callable[..., str] = format_helpers._format_callback_source


def log_slow(handle: asyncio.Handle, seconds: float) -> None:
    """Log a callback that took long, to the logger that is asyncio's at the time: tests replace it."""
    logger = vars(base_events)["logger"]
    logger.warning("Executing %s took %.3f seconds", format_handle(handle), seconds)


EXECUTOR_TIMEOUT: tuple[float, ...] = ()
if sys.version_info >= (3, 12):
    EXECUTOR_TIMEOUT = (constants.THREAD_JOIN_TIMEOUT,)
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


def context_of_step(callback: Any, context: Any) -> Any:
    """Return the context of a callback where it is a Task's step or wake-up, for a Python whose Task takes none.

    Such a Task makes a copy of the context that it is created in, and asks for its steps in that. Ours knows better.
    """
    task = getattr(callback, "__self__", None)
    asked_by_task = callback.__class__ is StepCallback or getattr(callback, "__name__", None) == WAKEUP_NAME
    return getattr(task, "_context", context) if asked_by_task and isinstance(task, CTask) else context


def done_callbacks(future: Any) -> list[Callable[[Any], object]]:
    """Return what a future calls when it is done."""
    return [callback for callback, _context in future._callbacks or ()]


def awaited_by(future: Any) -> Iterable[Any]:
    """Return the tasks that await a future, and what was noted to (asyncio 3.14)."""
    return future._asyncio_awaited_by or ()


def _note_nothing(future: Any, waiter: Any) -> None:
    """Stand for asyncio's functions before 3.14, where who awaits a future is read off its callbacks."""


add_to_awaited_by: Callable[[Any, Any], None] = getattr(asyncio, "future_add_to_awaited_by", _note_nothing)
discard_from_awaited_by: Callable[[Any, Any], None] = getattr(asyncio, "future_discard_from_awaited_by", _note_nothing)


def mark_as_coroutine_function(function: Any) -> None:
    """Make `asyncio.iscoroutinefunction` say yes; inspect's own does not look at the mark."""
    function._is_coroutine = coroutines._is_coroutine  # type: ignore[attr-defined]


def has_current_loop() -> bool:
    """Tell whether `get_event_loop` would find a loop rather than make one; a policy of somebody's own always finds."""
    find_policy = getattr(events, "_get_event_loop_policy", None) or events.get_event_loop_policy
    local = getattr(find_policy(), "_local", None)
    return local is None or local._loop is not None


def loop_run_by(frame: FrameType) -> Any:
    """Return the loop of asyncio's own kinds that a frame is turning, None if it is turning none."""
    return frame.f_locals["self"] if frame.f_code is base_events.BaseEventLoop.run_forever.__code__ else None
