"""The decorator for generator-based coroutines, which CPython removed in 3.11."""

from __future__ import annotations

import functools
import inspect
import types
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from .._stdlib import mark_as_coroutine_function

__all__ = ("coroutine",)

F = TypeVar("F", bound=Callable[..., Any])


class GeneratorCoroutine(Coroutine[Any, Any, Any]):
    """A generator that passes for a coroutine everywhere: from 3.12 on asyncio does not take a bare one for that.

    It can be awaited, made a task, and used with `yield from` in any generator.
    """

    def __init__(self, generator: types.GeneratorType[Any, Any, Any]) -> None:
        self._generator = generator
        self.__name__ = generator.__name__
        self.__qualname__ = generator.__qualname__

    def send(self, value: Any) -> Any:
        """Resume the generator with a value."""
        return self._generator.send(value)

    def throw(self, *exc_info: Any) -> Any:
        """Resume the generator with an exception."""
        return self._generator.throw(*exc_info)

    def close(self) -> None:
        """End the generator."""
        self._generator.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._generator)

    __iter__ = __await__

    # What debuggers, task representations and call graphs read of a coroutine.

    @property
    def cr_frame(self) -> types.FrameType | None:
        """Return the generator's frame, None at its end."""
        return self._generator.gi_frame

    @property
    def cr_code(self) -> types.CodeType:
        """Return the generator's code."""
        return self._generator.gi_code

    @property
    def cr_running(self) -> bool:
        """Tell whether the generator runs now."""
        return self._generator.gi_running

    @property
    def cr_suspended(self) -> bool:
        """Tell whether the generator stands at a yield."""
        return inspect.getgeneratorstate(self._generator) == inspect.GEN_SUSPENDED

    @property
    def cr_state(self) -> str:
        """Tell what `inspect.getcoroutinestate` answers, which asks for it from 3.15 on."""
        return inspect.getgeneratorstate(self._generator).replace("GEN_", "CORO_")

    @property
    def cr_await(self) -> Any:
        """Return what the generator waits for by `yield from`."""
        return self._generator.gi_yieldfrom


def coroutine(func: F) -> F:
    """Decorate a generator function so that its generators are coroutines (asyncio 3.10).

    Any other function becomes a coroutine function that awaits what `func` returns, if that can be awaited.
    Warns with DeprecationWarning, as it always has.
    """
    warnings.warn(
        '"@coroutine" decorator is deprecated since Python 3.8, use "async def" instead',
        DeprecationWarning,
        stacklevel=2,
    )
    if inspect.iscoroutinefunction(func):
        return func
    body = types.coroutine(func if inspect.isgeneratorfunction(func) else _awaiting_result(func))

    @functools.wraps(func)
    def start(*args: Any, **kwargs: Any) -> GeneratorCoroutine:
        return GeneratorCoroutine(body(*args, **kwargs))  # type: ignore[arg-type]  # a generator all the same

    mark_as_coroutine_function(start)
    return start  # type: ignore[return-value]


def _awaiting_result(func: Callable[..., Any]) -> Callable[..., Generator[Any, Any, Any]]:
    @functools.wraps(func)
    def body(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        result = func(*args, **kwargs)
        if isinstance(result, Generator):
            return (yield from result)
        if isinstance(result, Awaitable):
            return (yield from result.__await__())
        return result

    return body
