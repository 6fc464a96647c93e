"""Transports and protocols over TCP and unix sockets, and their servers."""

import asyncio
import contextlib
import errno
import socket
import sys

import pytest

from tests.network.peers import Told, free_port, listening, one_turn, socket_pair
from tests.network.ways import everywhere
from tests.support.parity import by_python

MEGABYTE = 1 << 20

needs_unix_sockets = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this platform has no unix sockets")


@contextlib.asynccontextmanager
async def serving(loop, factory, **options):
    """The address of a server on loopback; at the end the server is closed."""
    server = await loop.create_server(factory, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await server.wait_closed()


CALLBACKS = ["connection_made", ("eof_received", b"hello"), ("connection_lost", "NoneType")]


@everywhere(events=CALLBACKS)
async def test_the_callbacks_of_a_protocol_come_in_order(aio, log):
    """create_connection and create_server: made, data, end of file, lost."""
    loop = aio.get_running_loop()
    served = loop.create_future()

    def factory():
        served.set_result(Told(log))
        return served.result()

    async with serving(loop, factory) as address:
        transport, _ = await loop.create_connection(Told, *address)
        transport.write(b"hel")
        transport.writelines([b"l", b"o"])
        transport.close()
        await (await served).lost


@everywhere(returns=[b"hello", True])
async def test_data_comes_back_through_two_protocols(aio):
    """What one transport writes the other's protocol receives."""
    loop = aio.get_running_loop()
    async with serving(loop, lambda: Told(echo=True)) as address:
        transport, protocol = await loop.create_connection(Told, *address)
        transport.write(b"hello")
        transport.write_eof()
        closed_by_peer = await protocol.lost
        return [protocol.data, closed_by_peer is None]


@everywhere(returns=[True, True])
async def test_a_connection_through_a_socket_of_ones_own(aio):
    """create_connection(sock=) takes a connected socket, create_server(sock=) a bound one."""
    loop = aio.get_running_loop()
    with listening() as listener:
        server = await loop.create_server(lambda: Told(echo=True), sock=listener.dup())
        async with server:
            mine = socket.create_connection(listener.getsockname())
            mine.setblocking(False)
            transport, protocol = await loop.create_connection(Told, sock=mine)
            transport.write(b"x")
            transport.write_eof()
            await protocol.lost
            return [transport.get_extra_info("socket").fileno() == -1, protocol.data == b"x"]


@everywhere(returns=True)
async def test_a_connection_from_an_address_of_ones_own(aio):
    """create_connection(local_addr=) binds first."""
    loop = aio.get_running_loop()
    port = free_port()
    async with serving(loop, Told) as address:
        transport, protocol = await loop.create_connection(Told, *address, local_addr=("127.0.0.1", port))
        bound_to = transport.get_extra_info("sockname")
        transport.abort()
        await protocol.lost
        return bound_to == ("127.0.0.1", port)


@everywhere(returns=b"x")
async def test_happy_eyeballs_finds_the_address_that_answers(aio):
    """create_connection(happy_eyeballs_delay=) tries the addresses side by side."""
    loop = aio.get_running_loop()
    async with serving(loop, lambda: Told(echo=True)) as (host, port):
        transport, protocol = await loop.create_connection(Told, host, port, happy_eyeballs_delay=0.2, interleave=1)
        transport.write(b"x")
        transport.write_eof()
        await protocol.lost
        return protocol.data


@everywhere(returns=["ConnectionRefusedError", errno.ECONNREFUSED])
async def test_a_refused_connection_is_an_error(aio):
    """Nobody listens there."""
    try:
        await aio.get_running_loop().create_connection(Told, "127.0.0.1", free_port())
    except OSError as error:
        return [type(error).__name__, error.errno]


@everywhere(returns=[False, True, False, 2], events=["served", "served"])
async def test_a_server_begins_to_serve_when_it_is_told_to(aio, log):
    """create_server(start_serving=False), start_serving(), is_serving() and several addresses."""
    loop = aio.get_running_loop()

    def factory():
        log("served")
        return Told()

    hosts = ["127.0.0.1", "127.0.0.2"] if sys.platform == "linux" else ["127.0.0.1", "::1"]
    server = await loop.create_server(factory, hosts, 0, start_serving=False)
    states = [server.is_serving()]
    await server.start_serving()
    states.append(server.is_serving())
    sockets = [each.getsockname()[:2] for each in server.sockets]
    for address in sockets:
        transport, protocol = await loop.create_connection(Told, *address)
        transport.close()
        await protocol.lost
    server.close()
    await server.wait_closed()
    return [*states, server.is_serving(), len(sockets)]


@everywhere(returns=["cancelled", False])
async def test_serve_forever_ends_by_being_cancelled(aio):
    """And closes the server."""
    loop = aio.get_running_loop()
    server = await loop.create_server(Told, "127.0.0.1", 0)
    forever = asyncio.ensure_future(server.serve_forever())
    await one_turn()
    forever.cancel()
    await asyncio.wait([forever])
    return ["cancelled" if forever.cancelled() else forever.exception(), server.is_serving()]


@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
@everywhere(backported=(3, 13), returns=["NoneType", b""])
async def test_a_server_may_close_its_clients(aio, method):
    """close_clients() and abort_clients() end the connections that wait_closed() waits for."""
    loop = aio.get_running_loop()
    served = loop.create_future()

    def factory():
        served.set_result(Told())
        return served.result()

    server = await loop.create_server(factory, "127.0.0.1", 0)
    _, client = await loop.create_connection(Told, *server.sockets[0].getsockname())
    protocol = await served
    server.close()
    getattr(server, method)()
    await server.wait_closed()
    lost = await protocol.lost
    await client.lost
    return [type(lost).__name__, client.data]


@everywhere(returns=b"through an accepted socket")
async def test_an_accepted_socket_becomes_a_transport(aio):
    """connect_accepted_socket takes over what somebody else has accepted."""
    loop = aio.get_running_loop()
    with listening() as listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = await loop.sock_accept(listener)
        transport, protocol = await loop.connect_accepted_socket(Told, accepted)
        client.sendall(b"through an accepted socket")
        client.shutdown(socket.SHUT_WR)
        await protocol.lost
        return protocol.data


@needs_unix_sockets
@everywhere(returns=[b"hello", ""])
async def test_transports_over_a_unix_socket(aio, tmp_path):
    """create_unix_server and create_unix_connection."""
    loop = aio.get_running_loop()
    path = str(tmp_path / "socket")
    async with await loop.create_unix_server(lambda: Told(echo=True), path):
        transport, protocol = await loop.create_unix_connection(Told, path)
        name = transport.get_extra_info("sockname")
        transport.write(b"hello")
        transport.write_eof()
        await protocol.lost
    return [protocol.data, name]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
@everywhere(returns=b"hello")
async def test_a_unix_socket_with_an_abstract_name(aio, tmp_path):
    """A name that is no file."""
    loop = aio.get_running_loop()
    name = b"\0" + str(tmp_path).encode()[-80:]
    async with await loop.create_unix_server(lambda: Told(echo=True), name):
        transport, protocol = await loop.create_unix_connection(Told, name)
        transport.write(b"hello")
        transport.write_eof()
        await protocol.lost
    return protocol.data


@needs_unix_sockets
@everywhere(returns=by_python({(3, 10): [True, True], (3, 13): [True, False]}))
async def test_the_file_of_a_unix_server(aio, tmp_path):
    """From 3.13 on it goes when the server is closed; a stale one is replaced."""
    path = tmp_path / "socket"
    loop = aio.get_running_loop()
    there = []
    for _ in range(2):
        server = await loop.create_unix_server(Told, path)
        there.append(path.exists())
        server.close()
        await server.wait_closed()
    return [all(there), path.exists()]


@needs_unix_sockets
@everywhere(returns=["FileNotFoundError", "ConnectionRefusedError"])
async def test_a_unix_socket_that_is_not_there(aio, tmp_path):
    """No such file, and a file that nobody listens to."""
    stale = str(tmp_path / "stale")
    with socket.socket(socket.AF_UNIX) as bound:
        (tmp_path / "stale").unlink(missing_ok=True)
        bound.bind(stale)
    errors = []
    for path in (str(tmp_path / "none"), stale):
        try:
            await aio.get_running_loop().create_unix_connection(Told, path)
        except OSError as error:
            errors.append(type(error).__name__)
    return errors


# What a transport does


@everywhere(returns=[b"", True, b"held back"])
async def test_a_transport_that_does_not_read(aio):
    """pause_reading() holds data back, resume_reading() lets it come."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        transport, protocol = await loop.create_connection(Told, sock=left)
        transport.pause_reading()
        right.send(b"held back")
        await aio.sleep(0.02)
        meanwhile = [protocol.data, not transport.is_reading()]
        right.shutdown(socket.SHUT_WR)
        transport.resume_reading()
        await protocol.lost
        return [*meanwhile, protocol.data]


@everywhere(returns=[MEGABYTE, 0], events=["connection_made", "pause_writing", "resume_writing"])
async def test_a_full_buffer_pauses_the_protocol(aio, log):
    """pause_writing() above the high-water mark, resume_writing() when the peer has read."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        transport, protocol = await loop.create_connection(lambda: Told(log), sock=left)
        transport.set_write_buffer_limits(high=1000, low=10)
        transport.write(bytes(MEGABYTE))
        received = 0
        while received < MEGABYTE:
            received += len(await loop.sock_recv(right, MEGABYTE))
        await aio.sleep(0)
        rest = transport.get_write_buffer_size()
        protocol.log = lambda *event: None
        transport.abort()
        await protocol.lost
        return [received, rest]


@everywhere(returns=[(25, 100), 0])
async def test_the_limits_of_a_write_buffer(aio):
    """get_write_buffer_limits() tells what set_write_buffer_limits() has set."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, _):
        transport, protocol = await loop.create_connection(Told, sock=left)
        transport.set_write_buffer_limits(high=100)
        limits = transport.get_write_buffer_limits()
        size = transport.get_write_buffer_size()
        transport.abort()
        await protocol.lost
        return [limits, size]


@everywhere(returns=[True, True, 0], events=["connection_made", "pause_writing", ("connection_lost", "NoneType")])
async def test_an_aborted_transport_drops_its_buffer(aio, log):
    """abort() closes at once."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        transport, protocol = await loop.create_connection(lambda: Told(log), sock=left)
        transport.write(bytes(4 * MEGABYTE))
        waited = transport.get_write_buffer_size() > 0
        transport.abort()
        await protocol.lost
        return [waited, transport.is_closing(), transport.get_write_buffer_size()]


@everywhere(returns=[b"first", b"second"])
async def test_the_protocol_of_a_transport_may_change(aio):
    """set_protocol() gives the data that comes afterwards to another one."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        transport, first = await loop.create_connection(Told, sock=left)
        right.send(b"first")
        await first.has(5)
        second = Told()
        second.connection_made(transport)
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        right.send(b"second")
        right.shutdown(socket.SHUT_WR)
        await second.lost
        return [first.data, second.data]


class Buffered(asyncio.BufferedProtocol):
    """A protocol that gives the transport its buffer to fill."""

    def __init__(self):
        self.buffer, self.data = bytearray(4), b""
        self.lost = asyncio.get_running_loop().create_future()

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.data += self.buffer[:nbytes]

    def connection_lost(self, exc):
        self.lost.set_result(exc)


@everywhere(returns=b"in pieces of four")
async def test_a_buffered_protocol(aio):
    """BufferedProtocol: the data is received into the protocol's own buffer."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        _, protocol = await loop.create_connection(Buffered, sock=left)
        right.send(b"in pieces of four")
        right.shutdown(socket.SHUT_WR)
        await protocol.lost
        return protocol.data


class Failing(Told):
    """A protocol with a mistake in it."""

    def data_received(self, data):
        raise ZeroDivisionError("in the protocol")


@everywhere(returns="ZeroDivisionError", logged=["ERROR Fatal error: protocol.data_received() call failed."])
async def test_a_protocol_that_fails_ends_its_transport(aio):
    """The exception is reported, and connection_lost gets it."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        _, protocol = await loop.create_connection(Failing, sock=left)
        right.send(b"x")
        return type(await protocol.lost).__name__


@everywhere(returns=True, logged=["WARNING socket.send() raised exception."] * 2)
async def test_writing_to_a_lost_connection_is_logged_after_a_while(aio):
    """Nothing is raised; from the fifth write on a warning says that the socket cannot be written to."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, _):
        transport, protocol = await loop.create_connection(Told, sock=left)
        transport.abort()
        await protocol.lost
        for _ in range(6):
            transport.write(b"x")
        return transport.is_closing()
