"""Datagrams: endpoints over UDP and unix sockets."""

import asyncio
import contextlib
import errno
import socket
import sys

import pytest

from tests.network.peers import free_port, listening
from tests.network.ways import everywhere


class Endpoint(asyncio.DatagramProtocol):
    """A protocol whose datagrams and errors wait in queues."""

    def __init__(self, *, answers=False):
        self._answers = answers
        self.received, self.errors = asyncio.Queue(), asyncio.Queue()
        self.transport, self.lost = None, asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.received.put_nowait((data, addr))
        if self._answers:
            self.transport.sendto(data.upper(), addr)

    def error_received(self, exc):
        self.errors.put_nowait(exc)

    def connection_lost(self, exc):
        self.lost.set_result(exc)


@contextlib.asynccontextmanager
async def endpoint(loop, *, answers=False, **options):
    """An endpoint's protocol; at the end it is closed."""
    transport, protocol = await loop.create_datagram_endpoint(lambda: Endpoint(answers=answers), **options)
    try:
        yield protocol
    finally:
        transport.close()
        assert await protocol.lost is None


LOOPBACK = ("127.0.0.1", 0)


@everywhere(returns=[b"HELLO", True])
async def test_a_datagram_is_answered(aio):
    """A bound endpoint answers one that is connected to it."""
    loop = aio.get_running_loop()
    async with endpoint(loop, answers=True, local_addr=LOOPBACK) as server:
        address = server.transport.get_extra_info("sockname")
        async with endpoint(loop, remote_addr=address) as client:
            client.transport.sendto(b"hello")
            data, sender = await client.received.get()
            return [data, sender == address]


@everywhere(returns=[b"one", b"two", b""])
async def test_datagrams_keep_their_boundaries(aio):
    """Each arrives by itself, an empty one too."""
    loop = aio.get_running_loop()
    async with endpoint(loop, local_addr=LOOPBACK) as receiver, endpoint(loop, local_addr=LOOPBACK) as sender:
        for data in (b"one", b"two"):
            sender.transport.sendto(data, receiver.transport.get_extra_info("sockname"))
        with socket.socket(type=socket.SOCK_DGRAM) as other:
            other.sendto(b"", receiver.transport.get_extra_info("sockname"))
        return [(await receiver.received.get())[0] for _ in range(3)]


@everywhere(returns=b"through my own")
async def test_an_endpoint_on_a_socket_of_ones_own(aio):
    """create_datagram_endpoint(sock=) takes a bound socket."""
    loop = aio.get_running_loop()
    with listening(socket.SOCK_DGRAM) as mine:
        async with endpoint(loop, sock=mine.dup()) as receiver:
            with socket.socket(type=socket.SOCK_DGRAM) as other:
                other.sendto(b"through my own", mine.getsockname())
            return (await receiver.received.get())[0]


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that tells a UDP socket of refused datagrams")
@everywhere(returns=["ConnectionRefusedError", errno.ECONNREFUSED])
async def test_a_refused_datagram_is_told_to_the_protocol(aio):
    """error_received gets what the network answered."""
    async with endpoint(aio.get_running_loop(), remote_addr=("127.0.0.1", free_port())) as sender:
        sender.transport.sendto(b"is anybody there?")
        error = await sender.errors.get()
        return [type(error).__name__, error.errno]


@everywhere(returns=True)
async def test_an_endpoint_may_broadcast(aio):
    """create_datagram_endpoint(allow_broadcast=True) sets the option of the socket."""
    async with endpoint(aio.get_running_loop(), local_addr=LOOPBACK, allow_broadcast=True) as sender:
        its_socket = sender.transport.get_extra_info("socket")
        return its_socket.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST) != 0


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no unix sockets")
@everywhere(returns=b"HELLO")
async def test_datagrams_over_unix_sockets(aio, tmp_path):
    """create_datagram_endpoint(family=AF_UNIX) binds and connects by paths."""
    loop = aio.get_running_loop()
    ours, theirs = (tmp_path / name for name in ("ours", "theirs"))
    for path in (ours, theirs):
        path.unlink(missing_ok=True)
    server = endpoint(loop, answers=True, local_addr=str(theirs), family=socket.AF_UNIX)
    client = endpoint(loop, local_addr=str(ours), remote_addr=str(theirs), family=socket.AF_UNIX)
    async with server, client as protocol:
        protocol.transport.sendto(b"hello")
        return (await protocol.received.get())[0]


@everywhere(returns=[True, 100])
async def test_a_hundred_datagrams_from_ten_senders(aio):
    """None is lost on loopback as long as the receiver reads."""
    loop = aio.get_running_loop()
    async with endpoint(loop, local_addr=LOOPBACK) as receiver, contextlib.AsyncExitStack() as stack:
        address = receiver.transport.get_extra_info("sockname")
        senders = [await stack.enter_async_context(endpoint(loop, remote_addr=address)) for _ in range(10)]
        seen = set()
        for number in range(10):
            for sender in senders:
                sender.transport.sendto(b"%d" % number)
            for _ in senders:
                data, name = await receiver.received.get()
                seen.add((data, name))
        return [receiver.received.empty(), len(seen)]
