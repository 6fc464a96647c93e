"""Call graphs: which frames a task is in, and who awaits it, as asyncio tells it from 3.14 on.

asyncio's own functions would show the frames between a Task and its host as the user's, so these are ours on every
Python; the records they return are asyncio's where it has them.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 14):
    from asyncio.graph import FrameCallGraphEntry, FutureCallGraph

    from ._stdlib import awaited_by as awaiting
else:
    from ._backports.awaited_by import awaiting
    from ._backports.graph import FrameCallGraphEntry, FutureCallGraph

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ("FrameCallGraphEntry", "FutureCallGraph", "capture_call_graph", "format_call_graph", "print_call_graph")


def capture_call_graph(
    future: asyncio.Future[Any] | None = None, /, *, depth: int = 1, limit: int | None = None
) -> FutureCallGraph | None:
    """Return the call graph of a future or task, or of the current task, None if there is none (asyncio 3.15).

    Args:
        future: whose graph; None is the current task's.
        depth: how many frames of the current task to leave out, this function's among them.
        limit: the most frames of each stack: the outermost if positive, the innermost if negative, none if 0.

    Raises:
        RuntimeError: if no loop is running and no future is given.
        TypeError: if `future` is not one of asyncio's.
    """
    current = _current_task(required=future is None)
    if future is not None and future is not current:
        return _graph_of(future, limit)
    if current is None:
        return None
    _check_future(current)
    running = sys._getframe(depth) if limit != 0 else None
    return FutureCallGraph(current, _stack(_running_frames(running, current), limit), _awaited_by(current, limit))


def format_call_graph(future: asyncio.Future[Any] | None = None, /, *, depth: int = 1, limit: int | None = None) -> str:
    """Return what `print_call_graph` prints, empty without a current task (asyncio 3.15)."""
    graph = capture_call_graph(future, depth=depth + 1, limit=limit)
    return "" if graph is None else "\n".join(_lines(graph))


def print_call_graph(
    future: asyncio.Future[Any] | None = None,
    /,
    *,
    file: SupportsWrite[str] | None = None,
    depth: int = 1,
    limit: int | None = None,
) -> None:
    """Print a call graph, by default the current task's, to `file` or to standard output (asyncio 3.15)."""
    print(format_call_graph(future, depth=depth, limit=limit), file=file)


def _current_task(*, required: bool) -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        if required:
            raise RuntimeError(
                "capture_call_graph() is called outside of a running event loop and no *future* to introspect "
                "was provided"
            ) from None
        return None


def _check_future(future: object) -> None:
    if not isinstance(future, asyncio.Future):
        raise TypeError(f"{future!r} object does not appear to be compatible with asyncio.Future")


def _graph_of(future: asyncio.Future[Any], limit: int | None) -> FutureCallGraph:
    _check_future(future)
    suspended = getattr(future, "get_coro", lambda: None)() if limit != 0 else None
    return FutureCallGraph(future, _stack(_suspended_frames(suspended), limit), _awaited_by(future, limit))


def _awaited_by(future: Any, limit: int | None) -> tuple[FutureCallGraph, ...]:
    return tuple(_graph_of(waiter, limit) for waiter in awaiting(future))


def _stack(frames: Iterator[FrameType], limit: int | None) -> tuple[FrameCallGraphEntry, ...]:
    entries = tuple(FrameCallGraphEntry(frame) for frame in frames)
    if limit is None or limit == 0:
        return entries
    return entries[-limit:] if limit > 0 else entries[:-limit]


def _suspended_frames(coro: Any) -> Iterator[FrameType]:
    """Yield the frames in which a suspended coroutine stands, the innermost first."""
    frames: list[FrameType] = []
    while hasattr(coro, "cr_await"):
        if coro.cr_frame is not None:
            frames.append(coro.cr_frame)
        coro = coro.cr_await
    return reversed(frames)


def _running_frames(frame: FrameType | None, task: Any) -> Iterator[FrameType]:
    """Yield the frames from the given one out to the task's own coroutine; what is beyond runs the task."""
    coro = task.get_coro()
    outermost = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None)
    while frame is not None:
        yield frame
        if frame is outermost or _is_run_from_outside(frame):
            return
        frame = frame.f_back


def _is_run_from_outside(frame: FrameType) -> bool:
    """Tell whether a coroutine's frame was resumed by a plain function: that is a task, whichever it is."""
    caller = frame.f_back
    return bool(_kind(frame.f_code) in _ASYNC and caller is not None and not _kind(caller.f_code))


_KINDS = (
    (inspect.CO_COROUTINE, "async "),
    (inspect.CO_ASYNC_GENERATOR, "async generator "),
    (inspect.CO_GENERATOR, "generator "),
)
_ASYNC = ("async ", "async generator ")


def _kind(code: CodeType) -> str:
    return next((kind for flag, kind in _KINDS if code.co_flags & flag), "")


def _lines(graph: FutureCallGraph, indent: str = "") -> Iterator[str]:
    future = graph.future
    name = f"Task(name={future.get_name()!r}, id=" if isinstance(future, asyncio.Task) else "Future(id="
    yield f"{indent}* {name}{id(future):#x})"
    if graph.call_stack:
        yield f"{indent}  + Call stack:"
    for entry in graph.call_stack:
        code, line = entry.frame.f_code, entry.frame.f_lineno
        yield f"{indent}  |   File {code.co_filename!r}, line {line}, in {_kind(code)}{_qualified_name(code)}()"
    if graph.awaited_by:
        yield f"{indent}  + Awaited by:"
    for waiter in graph.awaited_by:
        yield from _lines(waiter, indent + "    ")


if sys.version_info >= (3, 11):

    def _qualified_name(code: CodeType) -> str:
        return code.co_qualname
else:

    def _qualified_name(code: CodeType) -> str:
        # The code does not know it before 3.11, but the function it belongs to does.
        names = (user.__qualname__ for user in gc.get_referrers(code) if isinstance(user, FunctionType))
        return next(names, code.co_name)
