"""The other ends: socket pairs, servers of one connection, and protocols that tell what they were told."""

import asyncio
import contextlib
import socket


@contextlib.contextmanager
def socket_pair():
    """Two connected sockets that do not block."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        yield left, right


@contextlib.contextmanager
def listening(kind=socket.SOCK_STREAM):
    """A socket on loopback, with a port of its own, that does not block; one for streams listens."""
    with socket.socket(type=kind) as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listener.setblocking(False)
        yield listener


def free_port():
    """A port on loopback that nobody listens on."""
    with listening() as listener:
        return listener.getsockname()[1]


class Told(asyncio.Protocol):
    """A protocol that logs its callbacks, joins the data, and has futures for the beginning and the end."""

    def __init__(self, log=lambda *event: None, *, echo=False, keep_open=False):
        loop = asyncio.get_running_loop()
        self.log, self._echo, self._keep_open = log, echo, keep_open
        self.transport, self.data = None, b""
        self._more = asyncio.Event()
        self.made, self.lost = loop.create_future(), loop.create_future()

    def connection_made(self, transport):
        self.log("connection_made")
        self.transport = transport
        self.made.set_result(transport)

    async def has(self, size):
        """Wait until at least this many bytes have come, and return all that have."""
        while len(self.data) < size:
            self._more.clear()
            await self._more.wait()
        return self.data

    def data_received(self, data):
        self.data += data
        self._more.set()
        if self._echo:
            self.transport.write(data)

    def eof_received(self):
        self.log("eof_received", self.data)
        return self._keep_open

    def pause_writing(self):
        self.log("pause_writing")

    def resume_writing(self):
        self.log("resume_writing")

    def connection_lost(self, exc):
        self.log("connection_lost", type(exc).__name__)
        self.transport.close()  # that of TLS would warn that nobody has
        self.lost.set_result(exc)


async def one_turn():
    """Wait until the loop has run everything that is ready now."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_soon(over.set_result, None)
    await over
