"""What newer asyncios have added to the loop itself, for Python 3.10 to 3.12: a class between theirs and ours.

* datagrams over sockets of the program's own: `sock_recvfrom`, `sock_recvfrom_into`, `sock_sendto` (3.11);
* a limit of time for `shutdown_default_executor` (3.12, and as it works since 3.13);
* servers that close or abort their connections: `Server.close_clients`, `Server.abort_clients` (3.13).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from concurrent.futures import Executor
from socket import socket
from typing import Any, TypeVar

import outcome

from .._stdlib import SelectorEventLoop
from .timeouts import timeout as time_limit

__all__ = ("BackportedLoop", "Server")

T = TypeVar("T")


class Server(asyncio.base_events.Server):
    """A server that can close its connections (asyncio 3.13)."""

    # The transports of its connections, some of which may be closed. As in asyncio, none is kept alive by its server.
    _clients: weakref.WeakSet[asyncio.Transport]

    def close_clients(self) -> None:
        """Close all connections, each after what was written to it has been sent (asyncio 3.13)."""
        for transport in list(self._clients):
            transport.close()

    def abort_clients(self) -> None:
        """Close all connections at once (asyncio 3.13)."""
        for transport in list(self._clients):
            transport.abort()


class _ServingLoop(SelectorEventLoop):
    """A loop whose servers know their connections."""

    async def create_server(self, *args: Any, start_serving: bool = True, **options: Any) -> Server:
        """Make a server of a protocol's (asyncio 3.10 to 3.12)."""
        return await _closable(await super().create_server(*args, start_serving=False, **options), start_serving)

    async def create_unix_server(self, *args: Any, start_serving: bool = True, **options: Any) -> Server:
        """Make a server of a protocol's at a Unix socket (asyncio 3.10 to 3.12)."""
        return await _closable(await super().create_unix_server(*args, start_serving=False, **options), start_serving)

    def _make_socket_transport(self, sock: socket, *args: Any, server: Any = None, **options: Any) -> Any:
        base: Any = super()
        transport = base._make_socket_transport(sock, *args, server=server, **options)
        self._note_client(server, sock)
        return transport

    def _make_ssl_transport(self, rawsock: socket, *args: Any, server: Any = None, **options: Any) -> Any:
        base: Any = super()
        transport = base._make_ssl_transport(rawsock, *args, server=server, **options)
        self._note_client(server, rawsock)
        return transport

    def _note_client(self, server: Any, sock: socket) -> None:
        if isinstance(server, Server):
            # Under TLS as well it is the transport of the socket itself that is closed.
            server._clients.add(vars(self)["_transports"][sock.fileno()])


async def _closable(server: Any, start_serving: bool) -> Server:
    """Make a server that does not serve yet one of ours, which has noted all of its connections from the first on."""
    server.__class__ = Server
    server._clients = weakref.WeakSet()
    if start_serving:
        await server.start_serving()
    return server  # type: ignore[no-any-return]


class _ExecutorLoop(_ServingLoop):
    """A loop that waits for its executor no longer than it is told."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the functions that run in the default executor, and refuse further ones (asyncio 3.13).

        Args:
            timeout: how long to wait at most, in seconds; then a RuntimeWarning says that it was not enough.
        """
        if timeout is None:
            await super().shutdown_default_executor()
            return
        loop: Any = self
        loop._executor_shutdown_called = True
        if loop._default_executor is None:
            return
        over: asyncio.Future[None] = self.create_future()
        thread = threading.Thread(target=self._wait_for_executor, args=(loop._default_executor, over))
        thread.start()
        try:
            async with time_limit(timeout):
                await over
        except asyncio.TimeoutError:
            told = f"The executor did not finishing joining its threads within {timeout} seconds."
            warnings.warn(told, RuntimeWarning, stacklevel=2)
            loop._default_executor.shutdown(wait=False)
        else:
            thread.join()

    def _wait_for_executor(self, executor: Executor, over: asyncio.Future[None]) -> None:
        waited = outcome.capture(executor.shutdown, wait=True)
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
            self.call_soon_threadsafe(_settle, over, waited)


def _settle(future: asyncio.Future[None], result: outcome.Maybe[None]) -> None:
    if future.done():
        return
    if isinstance(result, outcome.Error):
        future.set_exception(result.error)
    else:
        future.set_result(None)


class _DatagramLoop(_ExecutorLoop):
    """A loop that sends and receives datagrams over the program's own sockets."""

    async def sock_recvfrom(self, sock: socket, bufsize: int) -> tuple[bytes, Any]:
        """Receive a datagram, and return it with the address it comes from (asyncio 3.11).

        Args:
            sock: a socket that does not block.
            bufsize: how many bytes are taken at most; the rest of a longer datagram is lost.
        """
        return await self._once_readable(sock, functools.partial(sock.recvfrom, bufsize))

    async def sock_recvfrom_into(self, sock: socket, buf: Any, nbytes: int = 0) -> tuple[int, Any]:
        """Receive a datagram into a buffer, and return its length and the address it comes from (asyncio 3.11).

        Args:
            sock: a socket that does not block.
            buf: the buffer.
            nbytes: how many bytes are taken at most; 0 is as many as the buffer holds.
        """
        return await self._once_readable(sock, functools.partial(sock.recvfrom_into, buf, nbytes or len(buf)))

    async def sock_sendto(self, sock: socket, data: Any, address: Any) -> int:
        """Send a datagram, and return how many bytes have gone (asyncio 3.11).

        Args:
            sock: a socket that does not block.
            data: the bytes.
            address: where they go.
        """
        loop: Any = self
        attempt = functools.partial(sock.sendto, data, address)
        return await self._once(sock, attempt, loop._add_writer, loop._sock_write_done)

    async def _once_readable(self, sock: socket, attempt: Callable[[], T]) -> T:
        loop: Any = self
        return await self._once(sock, attempt, loop._add_reader, loop._sock_read_done)

    async def _once(self, sock: socket, attempt: Callable[[], T], watch: Any, unwatch: Any) -> T:
        """Make a call on a socket, as soon as it does not block."""
        if isinstance(sock, ssl.SSLSocket):
            raise TypeError("Socket cannot be of type SSLSocket")
        if self.get_debug() and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")
        with contextlib.suppress(BlockingIOError, InterruptedError):
            return attempt()
        result: asyncio.Future[T] = self.create_future()
        descriptor = sock.fileno()
        loop: Any = self
        loop._ensure_fd_no_transport(descriptor)
        handle = watch(descriptor, _try_again, result, attempt)
        result.add_done_callback(functools.partial(unwatch, descriptor, handle=handle))
        return await result


def _try_again(result: asyncio.Future[T], attempt: Callable[[], T]) -> None:
    if result.done():
        return
    try:
        result.set_result(attempt())
    except (BlockingIOError, InterruptedError):
        pass
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as exc:
        result.set_exception(exc)


BackportedLoop: type[SelectorEventLoop]
if sys.version_info < (3, 11):
    BackportedLoop = _DatagramLoop
else:
    BackportedLoop = _ExecutorLoop  # 3.12 has the limit, and waits for the threads all the same
