"""Streams with what asyncio has added to them: several separators (3.13), and TLS from the middle on (3.11).

They derive from the running Python's streams (3.10 to 3.12). A stream that asyncio has made itself is given our class.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

__all__ = (
    "StreamReader",
    "StreamWriter",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "open_connection",
    "open_unix_connection",
    "start_server",
    "start_unix_server",
)

LIMIT = 2**16
"""How many bytes a line may have, unless the program says otherwise."""


class StreamReader(asyncio.StreamReader):
    """The reading end of a stream (asyncio 3.13)."""

    if TYPE_CHECKING:  # the stock fields that type stubs leave out
        _buffer: bytearray
        _eof: bool
        _exception: Exception | None
        _limit: int
        _maybe_resume_transport: Callable[[], None]
        _wait_for_data: Callable[[str], Any]

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        """Read up to a separator, which is returned as well.

        Args:
            separator: the separator, or a tuple of several: the one that ends first counts (asyncio 3.13).

        Raises:
            asyncio.IncompleteReadError: if the stream ends before.
            asyncio.LimitOverrunError: if there are more bytes before it than the stream's limit; they stay.
        """
        if not isinstance(separator, tuple):
            return await super().readuntil(separator)
        separators = sorted(separator, key=len)
        if not separators:
            raise ValueError("Separator should contain at least one element")
        if not separators[0]:
            raise ValueError("Separator should be at least one-byte string")
        if self._exception is not None:
            raise self._exception
        start, end = await self._nearest(separators)
        if start > self._limit:
            raise asyncio.LimitOverrunError("Separator is found, but chunk is longer than limit", start)
        chunk = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._maybe_resume_transport()
        return chunk

    async def _nearest(self, separators: list[bytes]) -> tuple[int, int]:
        """Wait for one of some separators, given in the order of their lengths, and return where it is."""
        searched = 0
        while True:
            found = [(self._buffer.find(each, searched), len(each)) for each in separators]
            if ends := [(start + length, length) for start, length in found if start >= 0]:
                end, length = min(ends)
                return end - length, end
            # What is left may be the beginning of the longest.
            searched = max(0, len(self._buffer) + 1 - len(separators[-1]))
            if searched > self._limit:
                raise asyncio.LimitOverrunError("Separator is not found, and chunk exceed the limit", searched)
            if self._eof:
                partial = bytes(self._buffer)
                self._buffer.clear()
                raise asyncio.IncompleteReadError(partial, None)
            await self._wait_for_data("readuntil")


if TYPE_CHECKING or sys.version_info >= (3, 11):
    StreamWriter = asyncio.StreamWriter
else:

    class StreamWriter(asyncio.StreamWriter):
        """The writing end of a stream (asyncio 3.11)."""

        async def start_tls(
            self,
            sslcontext: ssl.SSLContext,
            *,
            server_hostname: str | None = None,
            ssl_handshake_timeout: float | None = None,
        ) -> None:
            """Go on in TLS (asyncio 3.11).

            Args:
                sslcontext: the settings.
                server_hostname: the name that the server's certificate must have.
                ssl_handshake_timeout: how long the handshake may take, in seconds; None is asyncio's own limit.
            """
            protocol: Any = self._protocol
            await self.drain()
            self._transport = protocol._transport = await self._loop.start_tls(
                self._transport,
                protocol,
                sslcontext,
                server_side=protocol._client_connected_cb is not None,
                server_hostname=server_hostname,
                ssl_handshake_timeout=ssl_handshake_timeout,
            )
            protocol._over_ssl = True


# -- what makes them

Connected = Callable[[StreamReader, StreamWriter], Any]


def _protocol(limit: int, client_connected_cb: Connected | None = None) -> tuple[StreamReader, Any]:
    loop = asyncio.get_running_loop()
    reader = StreamReader(limit=limit, loop=loop)
    if client_connected_cb is None:
        return reader, asyncio.StreamReaderProtocol(reader, loop=loop)

    def connected(reader: StreamReader, writer: asyncio.StreamWriter) -> Any:
        writer.__class__ = StreamWriter
        return client_connected_cb(reader, writer)

    return reader, asyncio.StreamReaderProtocol(reader, connected, loop=loop)  # type: ignore[arg-type]


async def open_connection(
    host: Any = None, port: Any = None, *, limit: int = LIMIT, **options: Any
) -> tuple[StreamReader, StreamWriter]:
    """Connect to a server, and return the streams of the connection (asyncio 3.13).

    Args:
        host: the server's name or address.
        port: its port.
        limit: how many bytes the reader looks through for a separator.
        options: for `loop.create_connection`.
    """
    reader, protocol = _protocol(limit)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: protocol, host, port, **options)
    return reader, StreamWriter(transport, protocol, reader, loop)


async def start_server(
    client_connected_cb: Connected, host: Any = None, port: Any = None, *, limit: int = LIMIT, **options: Any
) -> Any:
    """Serve connections, each by a call with its streams, and return the server (asyncio 3.13).

    Args:
        client_connected_cb: called with reader and writer; a coroutine that it returns becomes a Task.
        host: the address to listen at.
        port: its port.
        limit: how many bytes a reader looks through for a separator.
        options: for `loop.create_server`.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _protocol(limit, client_connected_cb)[1], host, port, **options)


async def open_unix_connection(
    path: Any = None, *, limit: int = LIMIT, **options: Any
) -> tuple[StreamReader, StreamWriter]:
    """Connect to a Unix socket, as `open_connection` (asyncio 3.13)."""
    reader, protocol = _protocol(limit)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_unix_connection(lambda: protocol, path, **options)
    return reader, StreamWriter(transport, protocol, reader, loop)


async def start_unix_server(
    client_connected_cb: Connected, path: Any = None, *, limit: int = LIMIT, **options: Any
) -> Any:
    """Serve connections at a Unix socket, as `start_server` (asyncio 3.13)."""
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: _protocol(limit, client_connected_cb)[1], path, **options)


async def create_subprocess_exec(program: Any, *args: Any, **options: Any) -> asyncio.subprocess.Process:
    """Start a program (asyncio.create_subprocess_exec), with streams as of asyncio 3.13."""
    return _with_our_streams(await asyncio.create_subprocess_exec(program, *args, **options))


async def create_subprocess_shell(cmd: Any, **options: Any) -> asyncio.subprocess.Process:
    """Start a command of the shell's (asyncio.create_subprocess_shell), with streams as of asyncio 3.13."""
    return _with_our_streams(await asyncio.create_subprocess_shell(cmd, **options))


def _with_our_streams(process: asyncio.subprocess.Process) -> asyncio.subprocess.Process:
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.__class__ = StreamReader
    return process
