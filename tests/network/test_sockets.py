"""The loop's own calls on sockets that do not block: sock_connect, sock_recv and the others."""

import asyncio
import contextlib
import errno
import socket

import pytest

from tests.network.peers import free_port, listening, one_turn, socket_pair
from tests.network.ways import everywhere

MEGABYTE = 1 << 20


@contextlib.contextmanager
def unconnected(kind=socket.SOCK_STREAM, family=socket.AF_INET):
    """A socket that does not block."""
    with socket.socket(family, kind) as one:
        one.setblocking(False)
        yield one


async def receive_all(loop, one, size):
    """Receive exactly `size` bytes."""
    received = bytearray()
    while len(received) < size:
        received += await loop.sock_recv(one, size - len(received))
    return bytes(received)


@everywhere(returns=[b"hello", True])
async def test_connect_accept_send_and_receive(aio):
    """sock_connect and sock_accept meet; sock_sendall and sock_recv move the data."""
    loop = aio.get_running_loop()
    with listening() as listener, unconnected() as client:
        (accepted, address), _ = await asyncio.gather(
            loop.sock_accept(listener), loop.sock_connect(client, listener.getsockname())
        )
        with accepted:
            receiving = asyncio.ensure_future(loop.sock_recv(accepted, 100))
            await loop.sock_sendall(client, b"hello")
            return [await receiving, address == client.getsockname()]


@everywhere(returns=[4, b"helo", 3, b"end\0"])
async def test_receive_into_a_buffer(aio):
    """sock_recv_into fills what it is given, and returns how much."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        buffer = bytearray(4)
        receiving = asyncio.ensure_future(loop.sock_recv_into(left, buffer))
        await loop.sock_sendall(right, b"helo")
        first = [await receiving, bytes(buffer)]
        right.send(b"end")
        buffer = bytearray(4)
        return [*first, await loop.sock_recv_into(left, buffer), bytes(buffer)]


@everywhere(backported=(3, 11), returns=[b"ping", b"pong", True])
async def test_datagrams_of_a_socket(aio):
    """sock_sendto, sock_recvfrom and sock_recvfrom_into."""
    loop = aio.get_running_loop()
    with listening(socket.SOCK_DGRAM) as left, listening(socket.SOCK_DGRAM) as right:
        waiting = asyncio.ensure_future(loop.sock_recvfrom(right, 100))
        await one_turn()
        sent = await loop.sock_sendto(left, b"ping", right.getsockname())
        ping, sender = await waiting
        buffer = bytearray(10)
        filling = asyncio.ensure_future(loop.sock_recvfrom_into(left, buffer))
        await one_turn()
        await loop.sock_sendto(right, b"pong", sender)
        size, other = await filling
        return [ping, bytes(buffer[:size]), (sent, other) == (4, right.getsockname())]


@everywhere(returns=4 * MEGABYTE)
async def test_sendall_waits_for_a_slow_reader(aio):
    """More than the kernel holds is sent as the peer reads."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        sending = asyncio.ensure_future(loop.sock_sendall(left, bytes(4 * MEGABYTE)))
        await one_turn()
        assert not sending.done()
        received = await receive_all(loop, right, 4 * MEGABYTE)
        await sending
        return len(received)


@everywhere(returns=[False, b"for the second"])
async def test_a_cancelled_receive_takes_no_data(aio):
    """The descriptor is not watched any more, and the next receive gets what comes."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        first = asyncio.ensure_future(loop.sock_recv(left, 100))
        await one_turn()
        first.cancel()
        await asyncio.wait([first])
        watched = loop.remove_reader(left)
        second = asyncio.ensure_future(loop.sock_recv(left, 100))
        await loop.sock_sendall(right, b"for the second")
        return [watched, await second]


@everywhere(returns=[False, True])
async def test_a_cancelled_sendall_stops_watching(aio):
    """And another one may send afterwards."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        sending = asyncio.ensure_future(loop.sock_sendall(left, bytes(4 * MEGABYTE)))
        await one_turn()
        sending.cancel()
        await asyncio.wait([sending])
        watched = loop.remove_writer(left)
        with contextlib.suppress(BlockingIOError):
            while right.recv(MEGABYTE):
                pass
        await loop.sock_sendall(left, b"end")
        return [watched, await loop.sock_recv(right, 3) == b"end"]


@everywhere(returns=b"")
async def test_the_end_of_the_stream_is_no_data(aio):
    """sock_recv gives b"" when the peer has closed."""
    with socket_pair() as (left, right):
        right.close()
        return await aio.get_running_loop().sock_recv(left, 100)


@everywhere(returns=["ConnectionRefusedError", errno.ECONNREFUSED])
async def test_a_refused_connect_is_an_error(aio):
    """sock_connect raises what the kernel says."""
    with unconnected() as client:
        try:
            await aio.get_running_loop().sock_connect(client, ("127.0.0.1", free_port()))
        except OSError as error:
            return [type(error).__name__, error.errno]


@everywhere(returns=True)
async def test_connect_looks_names_up(aio):
    """sock_connect to a host by its name."""
    loop = aio.get_running_loop()
    with listening() as listener, unconnected() as client:
        await loop.sock_connect(client, ("localhost", listener.getsockname()[1]))
        return client.getpeername() == listener.getsockname()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no unix sockets")
@everywhere(returns=b"hello")
async def test_connect_to_a_unix_socket(aio, tmp_path):
    """sock_connect and sock_accept by a path."""
    loop, path = aio.get_running_loop(), tmp_path / "socket"
    path.unlink(missing_ok=True)
    with unconnected(family=socket.AF_UNIX) as listener, unconnected(family=socket.AF_UNIX) as client:
        listener.bind(str(path))
        listener.listen()
        accepting = asyncio.ensure_future(loop.sock_accept(listener))
        await loop.sock_connect(client, str(path))
        accepted, _ = await accepting
        with accepted:
            await loop.sock_sendall(accepted, b"hello")
            return await loop.sock_recv(client, 100)


@everywhere(returns=["ConnectionResetError", "BrokenPipeError"])
async def test_a_peer_that_is_gone_is_an_error(aio):
    """sock_recv after a reset, and sock_sendall into a closed pair."""
    loop, errors = aio.get_running_loop(), []
    with socket_pair() as (left, right):
        left.send(b"unread")
        right.close()
        for call in (loop.sock_recv(left, 100), loop.sock_sendall(left, b"x")):
            try:
                await call
            except OSError as error:
                errors.append(type(error).__name__)
    return errors


@everywhere(returns=[b"ok"] * 20)
async def test_twenty_pairs_at_once(aio):
    """Each waits for its own descriptor."""
    loop = aio.get_running_loop()
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(socket_pair()) for _ in range(20)]
        receiving = [asyncio.ensure_future(loop.sock_recv(left, 10)) for left, _ in pairs]
        await one_turn()
        for _, right in reversed(pairs):
            await loop.sock_sendall(right, b"ok")
        return await asyncio.gather(*receiving)
