"""Peers that misbehave, and servers that are closed under load: nothing is lost, nothing hangs, nothing stays."""

import asyncio
import collections
import contextlib
import errno
import os
import socket
import struct
import sys
import threading

import pytest
import trio

import trioasync
from tests.network.certificate import client_context, server_context
from tests.network.remains import NOTHING, grown, held, settled
from tests.network.ways import everywhere
from tests.support.observation import CANCELLED, TIMED_OUT, describe, time_limit, told
from tests.support.parity import parity

CROWD = 10
LONG_LINE = b"x" * 60_000 + b"\n"
# More than what the kernel and the transports buffer of a connection.
MANY = 400
AT_ONCE = struct.pack("ii", 1, 0)  # the linger with which close() resets a connection


class EchoServer:
    """Sends lines back, counts how its handlers have ended, and can wait until all of them have."""

    def __init__(self, aio, **options):
        self.ended = collections.Counter()
        self._aio, self._options = aio, options
        self._running, self._all_ended = 0, asyncio.Event()

    async def __aenter__(self):
        self.server = await self._aio.start_server(self._serve, "127.0.0.1", 0, **self._options)
        self.address = self.server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *details):
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader, writer):
        self._running += 1
        try:
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
            self.ended["at the end of the stream"] += 1
        except ConnectionError as error:
            self.ended[type(error).__name__] += 1
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._running -= 1
            self._all_ended.set()

    async def all_ended(self, number):
        """Wait until so many handlers have ended and none runs, and return how they have."""
        while self._running or sum(self.ended.values()) < number:
            self._all_ended.clear()
            await self._all_ended.wait()
        return dict(self.ended)


async def talk(aio, address, line, **options):
    """Return what an echo server answers a client that behaves well."""
    reader, writer = await aio.open_connection(*address, **options)
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer


@contextlib.asynccontextmanager
async def raw(address):
    """A plain socket, with room for little, that is connected to an address."""
    with socket.socket() as peer:
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(peer, address)
        yield peer


# -- peers


async def resets(address, behaved):
    """Hang up in the middle of a line, without a goodbye."""
    async with raw(address) as peer:
        peer.send(b"half a li")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


async def resets_at_once(address, behaved):
    """Hang up without a word."""
    async with raw(address) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


async def half_closes(address, behaved):
    """End what is sent, and read what comes until it ends too."""
    async with raw(address) as peer:
        peer.send(b"whole\nhalf a li")
        peer.shutdown(socket.SHUT_WR)
        loop, answer = asyncio.get_running_loop(), b""
        while data := await loop.sock_recv(peer, 100):
            answer += data
        assert answer == b"whole\nhalf a li"


async def stalls(address, behaved):
    """Say nothing more in the middle of a line, as long as the others are there."""
    async with raw(address) as peer:
        peer.send(b"half a li")
        await behaved


async def never_reads(address, behaved):
    """Send until nothing more goes out, since nobody reads the answers; be gone when the others are."""
    async with raw(address) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(peer, LONG_LINE * MANY))
        await behaved
        assert not sending.done()
        sending.cancel()
        assert await told(sending) == CANCELLED


def bad_peers(address, behaved, kinds):
    return [kind(address, behaved) for kind in kinds for _ in range(CROWD)]


async def well_behaved(aio, address, behaved, **options):
    """Have a crowd of good clients answered, then let those go who have waited for it."""
    lines = [b"client %d\n" % number for number in range(CROWD)]
    answers = await asyncio.gather(*(talk(aio, address, line, **options) for line in lines))
    behaved.set_result(None)
    return answers == lines


@everywhere(
    returns=[
        True,
        {"ConnectionResetError": 3 * CROWD, "at the end of the stream": 3 * CROWD},
        NOTHING,
    ],
)
async def test_a_crowd_of_bad_peers_hurts_nobody_else(aio):
    """Those that reset, half-close, stall or never read end as what they are; the others are served meanwhile."""
    kinds = [resets, resets_at_once, half_closes, stalls, never_reads]
    behaved, before = asyncio.get_running_loop().create_future(), held()
    async with EchoServer(aio, backlog=len(kinds) * CROWD * 2) as server:
        bad = asyncio.gather(*bad_peers(server.address, behaved, kinds))
        served = await well_behaved(aio, server.address, behaved)
        await bad
        ended = await server.all_ended((len(kinds) + 1) * CROWD)
    await asyncio.sleep(0)
    return [served, ended, grown(before)]


# -- TLS


async def speaks_http(address, behaved):
    """Send something else than a handshake, and read until the other end has hung up."""
    async with raw(address) as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
        with contextlib.suppress(ConnectionError):
            while await asyncio.get_running_loop().sock_recv(peer, 100):
                pass


HELLO = bytes.fromhex("16030102000100") + bytes(200)
"""The beginning of a handshake of 512 bytes."""


async def stalls_in_the_handshake(address, behaved):
    """Say nothing more in the middle of a handshake, and wait until the other end has hung up."""
    async with raw(address) as peer:
        peer.send(HELLO)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.get_running_loop().sock_recv(peer, 100) == b""


async def resets_in_the_handshake(address, behaved):
    """Hang up in the middle of a handshake, without a goodbye."""
    async with raw(address) as peer:
        peer.send(HELLO)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


async def ends_in_the_handshake(address, behaved):
    """Half-close in the middle of a handshake, and read until the other end has hung up."""
    async with raw(address) as peer:
        peer.send(HELLO)
        peer.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while await asyncio.get_running_loop().sock_recv(peer, 100):
                pass


@everywhere(ways=["run", "adopted"], returns=[True, {"at the end of the stream": CROWD}, NOTHING])
async def test_a_crowd_of_bad_peers_at_a_tls_server_hurts_nobody_else(aio):
    """Garbage, and handshakes that stall, end or are reset, come to no handler; the others are served meanwhile."""
    kinds = [speaks_http, stalls_in_the_handshake, resets_in_the_handshake, ends_in_the_handshake]
    behaved, before = asyncio.get_running_loop().create_future(), held()
    options = {"ssl": server_context(), "ssl_handshake_timeout": 1.5, "backlog": len(kinds) * CROWD * 2}
    async with EchoServer(aio, **options) as server:
        bad = asyncio.gather(*bad_peers(server.address, behaved, kinds))
        served = await well_behaved(aio, server.address, behaved, ssl=client_context())
        await bad
        ended = await server.all_ended(CROWD)
    return [served, ended, await settled(before)]


@everywhere(returns=[["SSLError"] * CROWD, NOTHING])
async def test_garbage_from_a_server_is_an_error_of_each_client(aio):
    """A client that is answered in plain text gets the error of its own connection."""
    before = held()

    async def answer_in_plain_text(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def fail(address):
        try:
            await aio.open_connection(*address, ssl=client_context())
        except OSError as error:
            return type(error).__name__

    async with await aio.start_server(answer_in_plain_text, "127.0.0.1", 0) as server:
        errors = await aio.gather(*(fail(server.sockets[0].getsockname()) for _ in range(CROWD)))
    return [errors, await settled(before)]


# -- peers that do not come forward


@everywhere(returns=[TIMED_OUT, b"served\n", NOTHING])
async def test_a_peer_that_never_reads_holds_up_its_own_handler_alone(aio):
    """Its handler waits in drain() until it gives up; another client is served meanwhile."""
    before, outcome = held(), asyncio.get_running_loop().create_future()

    async def write_for_ever(reader, writer):
        async def write():
            while True:
                writer.write(LONG_LINE)
                await writer.drain()

        outcome.set_result(await told(aio.wait_for(write(), 0.2)))
        writer.transport.abort()

    deaf = await aio.start_server(write_for_ever, "127.0.0.1", 0)
    async with EchoServer(aio) as server, deaf, raw(deaf.sockets[0].getsockname()):
        answer = await talk(aio, server.address, b"served\n")
        given_up = await outcome
    return [given_up, answer, await settled(before)]


@contextlib.contextmanager
def full_backlog():
    """The address of a socket that listens and never accepts, whose queue is full: connecting to it takes for ever."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()


needs_full_backlogs = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a full backlog refuses or takes connections"
)


@needs_full_backlogs
@everywhere(returns=[[TIMED_OUT] * CROWD, NOTHING])
async def test_a_connect_that_gets_no_answer_is_given_up_without_a_trace(aio):
    """A timeout ends it, and its socket is closed."""
    before = held()
    with full_backlog() as address:
        outcomes = await aio.gather(*(told(aio.wait_for(aio.open_connection(*address), 0.2)) for _ in range(CROWD)))
    return [outcomes, await settled(before)]


@needs_full_backlogs
def test_a_trio_timeout_around_a_connect_leaves_no_trace():
    """A trio scope ends asyncio's connect in a Task and in a trio task, and its socket is closed."""

    async def give_up(address):
        with trio.move_on_after(0.2) as scope:
            await asyncio.open_connection(*address)
        return scope.cancelled_caught

    async def main():
        async with trioasync.open_loop():
            before = held()
            with full_backlog() as address:
                caught = [await give_up(address), await asyncio.create_task(give_up(address))]
            return [*caught, await settled(before)]

    with time_limit(20):
        assert trio.run(main) == [True, True, NOTHING]


# -- a server that is closed under load


class Busy:
    """A server whose handlers are all at work: each has sent half of its answer, and waits to be told to go on."""

    def __init__(self, aio):
        self._aio = aio
        self.at_work, self.go_on = 0, asyncio.Event()
        self.all_at_work = asyncio.Event()

    async def start(self):
        self.server = await self._aio.start_server(self.serve, "127.0.0.1", 0, backlog=CROWD)
        return self.server.sockets[0].getsockname()

    async def serve(self, reader, writer):
        await reader.readline()
        writer.write(b"first half, ")
        self.at_work += 1
        if self.at_work == CROWD:
            self.all_at_work.set()
        await self.go_on.wait()
        writer.write(b"second half")
        writer.close()


async def ask(aio, address):
    reader, writer = await aio.open_connection(*address)
    writer.write(b"question\n")
    answer = await reader.read()
    writer.close()
    return answer


@everywhere(returns=[["first half, second half"] * CROWD, "ConnectionRefusedError", NOTHING])
async def test_a_server_that_is_closed_under_load_answers_those_who_have_come(aio):
    """Who comes later is refused; `wait_closed` returns when all have gone."""
    before, busy = held(), Busy(aio)
    address = await busy.start()
    asking = [aio.create_task(ask(aio, address)) for _ in range(CROWD)]
    await busy.all_at_work.wait()
    busy.server.close()
    try:
        await aio.open_connection(*address)
    except OSError as error:
        refused = type(error).__name__
    busy.go_on.set()
    answers = [answer.decode() for answer in await aio.gather(*asking)]
    await busy.server.wait_closed()
    return [answers, refused, await settled(before)]


@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
@everywhere(backported=(3, 13), returns=[True, NOTHING])
async def test_a_server_that_closes_its_clients_under_load_is_rid_of_them(aio, method):
    """Each client gets what was sent before or an error, and no handler is left."""
    before, busy = held(), Busy(aio)
    address = await busy.start()
    asking = [aio.create_task(told(ask(aio, address))) for _ in range(CROWD)]
    await busy.all_at_work.wait()
    busy.server.close()
    getattr(busy.server, method)()
    answers = await aio.gather(*asking)
    busy.go_on.set()
    await busy.server.wait_closed()
    return [all(answer in (b"first half, ", RESET) for answer in answers), await settled(before)]


RESET = describe(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))


@parity(clock="real", returns=["CancelledError"] * CROWD)
def test_a_run_that_ends_under_load_cancels_the_handlers(aio):
    """Clients in other threads see the end of the stream, none hangs."""
    seen, clients = [], []

    async def main():
        busy = Busy(aio)

        async def serve(reader, writer):
            try:
                await busy.serve(reader, writer)
            except BaseException as error:
                seen.append(type(error).__name__)  # raised again it would be logged, by Python 3.11 and 3.12
                writer.close()

        server = await aio.start_server(serve, "127.0.0.1", 0, backlog=CROWD)
        clients.extend(BlockingClient(server.sockets[0].getsockname()) for _ in range(CROWD))
        await busy.all_at_work.wait()
        server.close()

    aio.run(main())
    for client in clients:
        assert client.answer() == b"first half, "
    return seen


class BlockingClient(threading.Thread):
    """A client in a thread of its own, which reads until the other end has hung up."""

    def __init__(self, address):
        super().__init__()
        self._address, self._answer = address, b""
        self.start()

    def run(self):
        with socket.create_connection(self._address, timeout=20) as connection:
            connection.sendall(b"question\n")
            while data := connection.recv(100):
                self._answer += data

    def answer(self):
        self.join()
        return self._answer


def test_a_trio_scope_ends_a_server_under_load():
    """Serving ends with its scope: the listener is closed, those who have come are answered, and no client hangs."""
    clients = []

    async def main():
        async with trioasync.open_loop():
            busy = Busy(asyncio)
            address = await busy.start()
            clients.extend(BlockingClient(address) for _ in range(CROWD))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(busy.server.serve_forever)
                await busy.all_at_work.wait()
                nursery.cancel_scope.cancel()
                busy.go_on.set()
            return nursery.cancel_scope.cancelled_caught, busy.server.is_serving()

    with time_limit(20):
        assert trio.run(main) == (True, False)
        assert [client.answer() for client in clients] == [b"first half, second half"] * CROWD
