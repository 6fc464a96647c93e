"""Where a task is in its user's code, in words.

A place is the innermost frame of the user's own code, and after it the innermost of the calls that it has led to.
Frames of the standard library, of trio and of this package are left out as long as there are others.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Iterator
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

CALLS_SHOWN = 2
"""How many calls are shown after the innermost frame of the user's own code."""
_NOT_THE_USERS = {*sys.stdlib_module_names, "outcome", "sniffio", "trio", "trioasync"}
_LIBRARIES = ("site-packages", "dist-packages")
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def place(frames: list[FrameType]) -> str:
    """Say where frames, given from the outermost in, are; an empty text if there are none."""
    frames = of_user(frames) or frames[:1]
    suspending = [number for number, frame in enumerate(frames) if is_async(frame)]
    own = [number for number in suspending if not _is_of_library(frames[number])]
    start = max(own or suspending, default=0)
    shown = [*frames[start : start + 1], *frames[start + 1 :][-CALLS_SHOWN:]]
    return f" at {' > '.join(map(_line, shown))}" if shown else ""


def of_user(frames: list[FrameType]) -> list[FrameType]:
    """Leave out the frames of what does the waiting, which are the same everywhere."""
    return [frame for frame in frames if str(frame.f_globals.get("__name__", "")).split(".")[0] not in _NOT_THE_USERS]


def is_async(frame: FrameType) -> bool:
    """Tell whether a frame is that of an async function."""
    return bool(frame.f_code.co_flags & _ASYNC)


def _is_of_library(frame: FrameType) -> bool:
    return any(folder in frame.f_code.co_filename for folder in _LIBRARIES)


def _line(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno or code.co_firstlineno} in {_name_of(code)}"


def _name_of(code: CodeType) -> str:
    name: str = getattr(code, "co_qualname", code.co_name)  # from 3.11 on with its class
    return name.rpartition("<locals>.")[2]


# -- coroutines


def frame_of(coro: Any) -> FrameType | None:
    """Return the frame of a coroutine, a generator or an async generator."""
    return _first_of(coro, "cr_frame", "gi_frame", "ag_frame")  # type: ignore[no-any-return]


def _first_of(coro: Any, *names: str) -> Any:
    return next((found for name in names if (found := getattr(coro, name, None)) is not None), None)


def module_of(coro: Any) -> str:
    """Return the name of the module whose code a coroutine is."""
    frame = frame_of(coro)
    return "" if frame is None else str(frame.f_globals.get("__name__", ""))


def has_not_begun(coro: Any) -> bool:
    """Tell whether a coroutine has not made its first step."""
    if isinstance(coro, CoroutineType):
        return inspect.getcoroutinestate(coro) == inspect.CORO_CREATED
    return isinstance(coro, GeneratorType) and inspect.getgeneratorstate(coro) == inspect.GEN_CREATED


def suspended_frames(coro: Any) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine, from the outermost in."""
    while coro is not None:
        frame = frame_of(coro)
        if frame is not None:
            yield frame
            coro = _first_of(coro, "cr_await", "gi_yieldfrom", "ag_await")
        else:
            coro = _behind(coro)


def _behind(awaitable: Any) -> Any:
    """Return what is behind an object without a frame, as `agen.__anext__()` and `coro.__await__()` give."""
    if type(awaitable).__name__ not in _FRAMELESS:
        return None  # a future, for one: whoever resolves it is no part of the task
    return next((each for each in gc.get_referents(awaitable) if type(each).__name__ in _LEADING_ON), None)


_FRAMELESS = {"async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"}
_LEADING_ON = {*_FRAMELESS, *(kind.__name__ for kind in (AsyncGeneratorType, CoroutineType, GeneratorType))}
