"""aiohttp: its server and its client, which make Tasks of asyncio's directly and start them eagerly."""

import asyncio
import contextlib
import ssl
import sys

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.processes import PROGRAMS, answer, asking, python
from tests.libraries.ways import every_way, needs

aiohttp = needs("aiohttp")
web = needs("aiohttp.web")


@contextlib.asynccontextmanager
async def serving(*routes, tls=None, **options):
    """Serve routes on a port of the system's choice, and give its URL."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, **options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@every_way(install=True)
async def test_a_handler_waits_in_the_middle_of_its_request(way):
    """What a handler got through its own waits is what the client receives."""

    async def handle(request):
        await way.pause()
        posted = await request.json()
        return web.json_response({"name": request.match_info["name"], "sum": await way.through(sum(posted))})

    async with (
        serving(web.post("/{name}", handle)) as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/adder", json=[1, 2, 3]) as response,
    ):
        assert response.status == 200
        assert await response.json() == {"name": "adder", "sum": 6}


@every_way(install=True)
async def test_200_requests_at_the_same_time(way):
    """All are in their handlers together, and each gets its own answer."""
    inside, all_inside = 0, asyncio.Event()

    async def handle(request):
        nonlocal inside
        inside += 1
        if inside == 200:
            all_inside.set()
        await all_inside.wait()
        await way.pause()
        return web.Response(text=request.query["n"])

    connector = aiohttp.TCPConnector(limit=0)
    async with serving(web.get("/", handle)) as url, aiohttp.ClientSession(connector=connector) as session:

        async def get(n):
            async with session.get(url, params={"n": n}) as response:
                return int(await response.text())

        assert await asyncio.gather(*(get(n) for n in range(200))) == list(range(200))


@every_way(install=True)
async def test_a_body_is_streamed_both_ways(way):
    """The server sends each chunk back in capitals before it has the next; client and server wait between chunks."""

    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await way.pause()
            await response.write(chunk.upper())
        return response

    received = asyncio.Queue()

    async def chunks():
        for letter in "abc":
            yield letter.encode() * 1000
            while True:  # the rest of the chunk may come later
                if (await received.get()).endswith(letter.upper().encode() * 1000):
                    break

    async with (
        serving(web.post("/", handle)) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=chunks()) as response,
    ):
        body = b""
        async for chunk in response.content.iter_any():
            body += chunk
            await way.pause()
            received.put_nowait(body)
    assert body == b"A" * 1000 + b"B" * 1000 + b"C" * 1000


@every_way(install=True)
async def test_a_large_body_is_held_back_until_it_is_read(way):
    """Eight megabytes cross in pieces that a slow reader takes, and arrive whole."""
    size = 8 << 20

    async def handle(request):
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size >> 20):
            await response.write(bytes(1 << 20))
        return response

    async with (
        serving(web.get("/", handle)) as url,
        aiohttp.ClientSession() as session,
        session.get(url) as response,
    ):
        received = 0
        while piece := await response.content.read(1 << 18):
            received += len(piece)
            await way.pause(0)
    assert received == size


@every_way(install=True)
async def test_a_websocket_talks_in_both_directions(way):
    """Texts and bytes are echoed in their order, pings are answered, and the close code arrives."""

    async def handle(request):
        socket = web.WebSocketResponse(heartbeat=5)
        await socket.prepare(request)
        async for message in socket:
            if message.data == "close":
                await socket.close(code=4000, message=b"enough")
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(await way.through(message.data.upper()))
            else:
                await socket.send_bytes(message.data[::-1])
        return socket

    async with (
        serving(web.get("/", handle)) as url,
        aiohttp.ClientSession() as session,
        session.ws_connect(url, heartbeat=5) as socket,
    ):
        await socket.send_str("one")
        await socket.send_bytes(b"two")
        await socket.ping()
        assert [(await socket.receive()).data for _ in range(2)] == ["ONE", b"owt"]
        await way.pause()
        await socket.send_str("close")
        assert (await socket.receive()).data == 4000
    assert socket.close_code == 4000


@every_way(install=True)
async def test_websockets_of_many_clients_meet_in_one_room(way):
    """What one of 20 clients says, all hear, in one order."""
    room = []

    async def handle(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        room.append(socket)
        async for message in socket:
            await way.pause(0)
            for member in room:
                await member.send_str(message.data)
        return socket

    async def talk(url, session, n):
        async with session.ws_connect(url) as socket:
            while len(room) < 20:
                await way.pause()
            await socket.send_str(str(n))
            return [await socket.receive_str() for _ in range(20)]

    async with serving(web.get("/", handle)) as url, aiohttp.ClientSession() as session:
        heard = await asyncio.gather(*(talk(url, session, n) for n in range(20)))
    assert sorted(heard[0], key=int) == [str(n) for n in range(20)]
    assert all(sorted(each) == sorted(heard[0]) for each in heard)


@every_way(install=True)
async def test_a_request_can_be_given_up(way):
    """A deadline around a request ends it, and the session goes on with the next."""

    async def handle(request):
        await way.pause(60 if request.path == "/slow" else 0)
        return web.Response(text="done")

    async with serving(web.get("/{path}", handle), shutdown_timeout=0.01) as url, aiohttp.ClientSession() as session:

        async def get(path):
            async with session.get(url + path) as response:
                return await response.text()

        assert await way.cut_off(0.05, get, "/slow")
        assert await get("/quick") == "done"


@every_way(install=True)
async def test_requests_that_are_given_up_leave_the_session_usable(way):
    """Whatever limit gives one up, and wherever: the connections that the pool allows can be used."""

    async def handle(request):
        await way.pause(60 if request.path == "/slow" else 0.001)
        return web.Response(text=request.path)

    async with (
        serving(web.get("/{path}", handle), shutdown_timeout=0.01) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session,
    ):

        async def get(path):
            async with session.get(f"{url}/{path}") as response:
                return await response.text()

        async for _ in every_limit(way, lambda: get("slow")):
            assert await way.together(*[lambda: get("quick")] * 2) == ["/quick"] * 2
        async for _ in interrupted(way, get):
            pass
        assert await way.together(*[lambda: get("quick")] * 2) == ["/quick"] * 2


@every_way(install=True)
async def test_the_timeouts_of_the_client_are_its_own(way):
    """A `ClientTimeout` raises aiohttp's exception."""

    async def handle(request):
        await way.pause(60)

    timeout = aiohttp.ClientTimeout(total=0.05)
    async with (
        serving(web.get("/", handle), shutdown_timeout=0.01) as url,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        with pytest.raises(asyncio.TimeoutError):
            await session.get(url)


@every_way(install=True)
async def test_a_handler_is_cancelled_when_its_client_goes(way):
    """With `handler_cancellation`, a wait in a handler ends in `CancelledError`."""
    ended = asyncio.get_running_loop().create_future()

    async def handle(request):
        try:
            await way.pause(60)
        except asyncio.CancelledError:
            ended.set_result("cancelled")
            raise

    async with serving(web.get("/", handle), handler_cancellation=True) as url, aiohttp.ClientSession() as session:
        assert await way.cut_off(0.05, session.get, url)
        assert await ended == "cancelled"


@every_way(install=True)
async def test_an_error_in_a_handler_is_a_500(way):
    """The client gets the status, and the server goes on."""

    async def handle(request):
        await way.pause()
        return web.Response(text=str(1 // int(request.query["n"])))

    async with serving(web.get("/", handle)) as url, aiohttp.ClientSession() as session:
        statuses = []
        for n in "101":
            async with session.get(url, params={"n": n}) as response:
                statuses.append(response.status)
    assert statuses == [200, 500, 200]


@every_way(install=True)
async def test_https(way, certificates):
    """TLS on both sides; a client that does not know the authority refuses."""

    async def handle(request):
        await way.pause()
        return web.Response(text=request.scheme)

    async with (
        serving(web.get("/", handle), tls=certificates.server) as url,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(url, ssl=certificates.client) as response:
            assert await response.text() == "https"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=ssl.create_default_context())


@every_way(install=True)
async def test_requests_from_many_tasks_of_the_program_share_a_session(way):
    """Tasks of the way's own kind, trio tasks in a nursery on ours, use one session at the same time."""

    async def handle(request):
        await way.pause()
        return web.Response(text=request.path)

    async with serving(web.get("/{n}", handle)) as url, aiohttp.ClientSession() as session:

        def fetch(n):
            async def get():
                async with session.get(f"{url}/{n}") as response:
                    return await response.text()

            return get

        assert await way.together(*map(fetch, range(30))) == [f"/{n}" for n in range(30)]


# The whole program: aiohttp makes the loop

INSTALLED = """
import runpy, trioasync
trioasync.install()
runpy.run_path("aiohttp_app.py", run_name="__main__")
"""
WITH_A_LOOP = """
import socket, trioasync
from aiohttp import web
from aiohttp_app import app
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
web.run_app(app, sock=listening, print=None, loop=trioasync.new_event_loop())
"""
STARTS = {
    "asyncio": python("aiohttp_app.py"),
    "trioasync run": python("-m", "trioasync", "run", "aiohttp_app.py"),
    "install()": python("-c", INSTALLED),
    "loop=": python("-c", WITH_A_LOOP),
}


@pytest.mark.parametrize("how", STARTS)
def test_run_app(start, how):
    """`web.run_app` serves, finishes the request that is under way at SIGTERM, cleans up, and ends with status 0."""
    if how == "loop=" and (3, 12) <= sys.version_info < (3, 14):
        pytest.skip("for this Python aiohttp makes its Tasks by asyncio.Task: they are ours after install() alone")
    server = start(*STARTS[how], cwd=PROGRAMS)
    url = f"http://127.0.0.1:{server.printed('port ([0-9]+)')[1]}"
    told = answer(url)
    assert told["trio"] == (how != "asyncio")
    assert told["loop"].startswith("asyncio." if how == "asyncio" else "trioasync.")
    with asking(f"{url}/wait?seconds=0.3") as asked:
        server.printed("waiting")
        status = server.stop()
    assert (asked.text, status) == ("waited", 0)
    assert "cleaned up" in server.text()
