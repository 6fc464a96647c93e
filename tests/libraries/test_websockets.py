"""websockets: its server and its client, over plain TCP, TLS and unix sockets."""

import asyncio
import contextlib
import socket

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs

websockets = needs("websockets")
client, server = needs("websockets.asyncio.client", "websockets"), needs("websockets.asyncio.server", "websockets")
ConnectionClosed = websockets.exceptions.ConnectionClosed


def serve(handler, **options):
    """Serve on a port of the system's choice while the block runs."""
    return server.serve(handler, "127.0.0.1", 0, **options)


def connect(serving, scheme="ws", **options):
    """Connect to such a server while the block runs."""
    return client.connect(f"{scheme}://127.0.0.1:{serving.sockets[0].getsockname()[1]}", proxy=None, **options)


def shouting(way):
    """Return a handler that waits, and answers each message in capitals."""

    async def shout(connection):
        async for message in connection:
            await connection.send(await way.through(message.upper()))

    return shout


@every_way()
async def test_messages_are_answered_in_their_order(way):
    """Texts and bytes, small ones and one of a megabyte, in fragments too."""
    large = "x" * (1 << 20)

    async def fragments():
        for text in ("in ", "three ", "pieces"):
            await way.pause()
            yield text

    async with serve(shouting(way), max_size=None) as serving, connect(serving, max_size=None) as connection:
        for message in ("text", b"bytes", large, fragments()):
            await connection.send(message)
        heard = [await connection.recv() for _ in range(4)]
    assert heard == ["TEXT", b"BYTES", large.upper(), "IN THREE PIECES"]


@every_way()
async def test_100_clients_talk_at_once(way):
    """Each is answered in its own words."""

    async def talk(serving, n):
        async with connect(serving) as connection:
            heard = []
            for word in ("a", "b", "c"):
                await way.pause()
                await connection.send(f"{word}{n}")
                heard.append(await connection.recv())
            return heard

    async with serve(shouting(way)) as serving:
        heard = await way.together(*[lambda n=n: talk(serving, n) for n in range(100)])
    assert heard == [[f"A{n}", f"B{n}", f"C{n}"] for n in range(100)]


@every_way()
async def test_a_broadcast_reaches_everybody(way):
    """What the server broadcasts, each of its connections hears once."""
    ready = asyncio.Event()
    there = set()

    async def wait(connection):
        there.add(connection)
        if len(there) == 10:
            ready.set()
        await connection.wait_closed()

    async def listen(serving):
        async with connect(serving) as connection:
            return [await connection.recv() for _ in range(3)]

    async with serve(wait) as serving, way.crew() as start:

        async def tell():
            await ready.wait()
            for n in range(3):
                server.broadcast(there, f"news {n}")
                await way.pause()

        start(tell)
        heard = await way.together(*[lambda: listen(serving)] * 10)
    assert heard == [["news 0", "news 1", "news 2"]] * 10


@every_way()
async def test_pings_are_answered_and_a_close_is_told(way):
    """A ping measures the time to its pong; the code and the reason of a close reach the other side."""
    told = asyncio.get_running_loop().create_future()

    async def handle(connection):
        try:
            await connection.recv()
        except ConnectionClosed as closed:
            await way.pause()
            told.set_result((closed.rcvd.code, closed.rcvd.reason))

    async with serve(handle) as serving:
        async with connect(serving) as connection:
            assert await (await connection.ping()) >= 0
            await way.pause()
            await connection.close(4000, "enough")
        assert await told == (4000, "enough")


@every_way()
async def test_a_peer_that_is_silent_is_given_up(way):
    """Keepalive closes a connection whose other side does not answer its pings."""

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(asyncio.TimeoutError):
        address = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        await client.connect(address, proxy=None, open_timeout=0.05)

    async def stall(connection):
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with (
        serve(stall, close_timeout=0.05) as serving,
        connect(serving, ping_interval=0.05, ping_timeout=0.05, close_timeout=0.05) as connection,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.sent.code == 1011


@every_way()
async def test_a_server_that_closes_says_goodbye(way):
    """Each client hears 1001, and the handlers have ended when the server is closed."""
    ended = []

    async def handle(connection):
        try:
            await connection.recv()
        except ConnectionClosed:
            await way.pause()
            ended.append(connection)

    serving = await serve(handle)
    connections = [await connect(serving) for _ in range(5)]
    serving.close()
    await serving.wait_closed()
    assert len(ended) == 5
    for connection in connections:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd.code == 1001


@every_way()
async def test_a_client_connects_again(way):
    """`async for socket in connect(...)` goes on with a new connection after one was lost."""
    connections = 0

    async def handle(connection):
        nonlocal connections
        connections += 1
        await way.pause()
        if connections < 3:
            connection.transport.abort()
        await connection.send(f"connection {connections}")

    async with serve(handle) as serving, contextlib.aclosing(aiter(connect(serving))) as connecting:
        async for connection in connecting:
            try:
                heard = await connection.recv()
            except ConnectionClosed:
                continue
            break
        await connection.close()
    assert heard == "connection 3"


@every_way()
async def test_a_wait_for_a_message_can_be_given_up(way):
    """By any limit, at any moment; no message is lost."""

    async def count(connection):
        for n in range(500):
            await connection.recv()
            await connection.send(str(n))

    async with serve(count) as serving, connect(serving) as connection:
        async for _ in every_limit(way, connection.recv):
            pass
        received = []

        async def receive(_):
            received.append(await connection.recv())

        asked = 0
        async for _ in interrupted(way, receive):
            await connection.send("next")
            asked += 1
        while len(received) < asked:
            await receive(None)
    assert received == [str(n) for n in range(asked)]


@every_way()
async def test_tls_and_unix_sockets(way, certificates, tmp_path):
    """The same handler serves both."""
    path = str(tmp_path / "socket")
    async with (
        serve(shouting(way), ssl=certificates.server) as serving,
        connect(serving, "wss", ssl=certificates.client) as connection,
    ):
        await connection.send("secret")
        assert await connection.recv() == "SECRET"
    async with server.unix_serve(shouting(way), path), client.unix_connect(path) as connection:
        await connection.send("local")
        assert await connection.recv() == "LOCAL"
