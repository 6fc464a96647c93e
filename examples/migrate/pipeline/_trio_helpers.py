"""What asyncio programs need and trio has no one call for, in trio alone: one file, to be copied into a project.

It needs nothing but trio, so that a program that has left asyncio behind need not depend on trioasync for it.

    gather_results    await all, results in order; the first failure cancels the others and is raised as it is
    gather_settled    await all, results and exceptions in order
    race              await all, the first to end decides, the others are cancelled
    Result            what a task of a nursery returned
    cancellable       a task that one cancel scope of its own can end
    ResettableEvent   an event with clear()
    LineReader        lines, exact counts and separators out of a stream
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = [
    "IncompleteRead",
    "LineReader",
    "ResettableEvent",
    "Result",
    "cancellable",
    "gather_results",
    "gather_settled",
    "race",
]

T = TypeVar("T")
_CHUNK = 65536


async def gather_results(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Run async functions at the same time and return their results in the order of the arguments.

    Args:
        functions: called without arguments; `functools.partial` binds some.

    Raises:
        Exception: what the first of them to fail has raised, itself and not in a group. The others have been cancelled
            and have ended by then.
    """
    results: list[Any] = [None] * len(functions)
    failures: list[Exception] = []

    async def keep(index: int, function: Callable[[], Awaitable[Any]]) -> None:
        try:
            results[index] = await function()
        except Exception as failure:
            failures.append(failure)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for index, function in enumerate(functions):
            nursery.start_soon(keep, index, function, name=getattr(function, "func", function))
    if failures:
        raise failures[0]
    return results


async def gather_settled(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Run async functions at the same time and return, in their order, what each returned or the `Exception` it raised.

    Args:
        functions: called without arguments; `functools.partial` binds some.
    """
    results: list[Any] = [None] * len(functions)

    async def keep(index: int, function: Callable[[], Awaitable[Any]]) -> None:
        try:
            results[index] = await function()
        except Exception as failure:
            results[index] = failure

    async with trio.open_nursery() as nursery:
        for index, function in enumerate(functions):
            nursery.start_soon(keep, index, function, name=getattr(function, "func", function))
    return results


async def race(*functions: Callable[[], Awaitable[Any]]) -> Any:
    """Run async functions at the same time, return what the first of them to end returns, and cancel the others.

    Args:
        functions: at least one; called without arguments.

    Raises:
        Exception: what the first to end has raised.
    """
    if not functions:
        raise ValueError("a race needs at least one function")
    winner: list[Result[Any]] = []

    async def compete(function: Callable[[], Awaitable[Any]]) -> None:
        result: Result[Any] = Result()
        try:
            await result.run(function)
        except Exception as failure:
            result.failure = failure
        winner.append(result)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for function in functions:
            nursery.start_soon(compete, function, name=getattr(function, "func", function))
    return winner[0].value


class Result(Generic[T]):
    """What a task of a nursery returned, for after the nursery's block.

    first = Result()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.run, fetch, url)
    print(first.value)
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        # One element once the function has returned; None is a value like any other.
        self._returned: list[T] = []

    async def run(self, function: Callable[..., Awaitable[T]], *args: Any) -> None:
        """Await `function(*args)` and keep what it returns; what it raises goes on to the nursery."""
        self._returned.append(await function(*args))

    @property
    def value(self) -> T:
        """What the function returned.

        Raises:
            RuntimeError: it has not returned.
        """
        if self.failure is not None:
            raise self.failure
        if not self._returned:
            raise RuntimeError("the function has not returned: read the value after the nursery's block")
        return self._returned[0]


async def cancellable(
    function: Callable[..., Awaitable[object]],
    *args: Any,
    task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Await `function(*args)` in a scope of its own, which `scope = await nursery.start(cancellable, ...)` gives."""
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await function(*args)


class ResettableEvent:
    """An event that can be cleared, as asyncio's."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def is_set(self) -> bool:
        """Say whether the event is set."""
        return self._event.is_set()

    def set(self) -> None:
        """Set the event and wake all who wait for it, also those that run only after a `clear()`."""
        self._event.set()

    def clear(self) -> None:
        """Unset the event: who waits from now on waits for the next `set()`."""
        if self._event.is_set():
            self._event = trio.Event()

    async def wait(self) -> bool:
        """Wait until the event is set and return True."""
        await self._event.wait()
        return True


class IncompleteRead(EOFError):
    """The stream ended before what was asked for had come.

    Args:
        partial: the bytes that had come.
        expected: how many were asked for; None if the end was to be a separator.
    """

    def __init__(self, partial: bytes, expected: int | None) -> None:
        wanted = "a separator" if expected is None else f"{expected} bytes"
        super().__init__(f"the stream ended after {len(partial)} bytes, before {wanted}")
        self.partial = partial
        self.expected = expected


class LineReader:
    """Reads lines, exact counts and up to separators from a trio stream, as asyncio's `StreamReader`.

    Args:
        stream: what is read from; nobody else may read from it.
        limit: the longest line, in bytes.
    """

    def __init__(self, stream: trio.abc.ReceiveStream, limit: int = 65536) -> None:
        self._stream = stream
        self._limit = limit
        self._buffer = bytearray()
        self._ended = False

    def at_eof(self) -> bool:
        """Say whether the stream has ended and all of it has been read."""
        return self._ended and not self._buffer

    async def read(self, count: int = -1) -> bytes:
        """Return up to `count` bytes as soon as there are some, all up to the end for -1, and b"" at the end."""
        if count < 0:
            while await self._receive():
                pass
            return self._take(len(self._buffer))
        if count and not self._buffer:
            await self._receive()
        return self._take(min(count, len(self._buffer)))

    async def readexactly(self, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            IncompleteRead: the stream ended before.
        """
        while len(self._buffer) < count:
            if not await self._receive():
                raise IncompleteRead(self._take(len(self._buffer)), count)
        return self._take(count)

    async def readline(self) -> bytes:
        """Return the bytes up to and with the next newline; at the end what is left, and then b"".

        Raises:
            ValueError: the line is longer than the limit.
        """
        try:
            return await self.readuntil(b"\n")
        except IncompleteRead as end:
            return end.partial

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Return the bytes up to and with the next `separator`.

        Raises:
            IncompleteRead: the stream ended before.
            ValueError: the limit was passed before; what has come stays to be read.
        """
        if not separator:
            raise ValueError("a separator has at least one byte")
        searched = 0
        while (start := self._buffer.find(separator, searched)) < 0:
            # A separator may have come in part.
            searched = max(0, len(self._buffer) + 1 - len(separator))
            if searched > self._limit:
                raise ValueError(f"no separator in {self._limit} bytes")
            if not await self._receive():
                raise IncompleteRead(self._take(len(self._buffer)), None)
        if start > self._limit:
            raise ValueError(f"no separator in {self._limit} bytes")
        return self._take(start + len(separator))

    def __aiter__(self) -> LineReader:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def _receive(self) -> bool:
        if self._ended:
            await trio.lowlevel.checkpoint()
            return False
        data = await self._stream.receive_some(_CHUNK)
        self._buffer += data
        self._ended = not data
        return bool(data)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
