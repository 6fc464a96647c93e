"""tornado: its web server and clients in a program's loop, and its IOLoop, which makes a loop of asyncio's."""

import asyncio
import contextlib
import datetime

import pytest

import trioasync
from tests.libraries.processes import PROGRAMS, answer, asking, python, two_pids
from tests.libraries.ways import every_way, needs, whole_program

needs("tornado")
web, httpserver = needs("tornado.web"), needs("tornado.httpserver")
httpclient, websocket = needs("tornado.httpclient"), needs("tornado.websocket")
gen, ioloop, queues, testing = (needs(f"tornado.{name}") for name in ("gen", "ioloop", "queues", "testing"))
iostream, tcpserver, tcpclient = (needs(f"tornado.{name}") for name in ("iostream", "tcpserver", "tcpclient"))


@contextlib.asynccontextmanager
async def serving(*routes, tls=None):
    """Serve routes on a port of the system's choice, and give its URL."""
    server = httpserver.HTTPServer(web.Application(routes), ssl_options=tls)
    listening, port = testing.bind_unused_port()
    server.add_socket(listening)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def fetch():
    """A function that fetches a URL, with a client of this test's own loop."""

    async def fetch(url, **options):
        client = httpclient.AsyncHTTPClient(force_instance=True)
        try:
            return await client.fetch(url, **options)
        finally:
            client.close()

    return fetch


@every_way()
async def test_a_handler_waits_in_prepare_and_in_its_method(way, fetch):
    """Async ones and decorated generators both."""

    class Add(web.RequestHandler):
        async def prepare(self):
            await way.pause()

        async def get(self, a, b):
            self.write({"sum": await way.through(int(a) + int(b))})

        @gen.coroutine
        def post(self, a, b):
            yield gen.sleep(0.001)
            product = yield way.through(int(a) * int(b))
            self.write({"product": product})

    async with serving((r"/(\d+)/(\d+)", Add)) as url:
        assert (await fetch(f"{url}/2/3")).body == b'{"sum": 5}'
        assert (await fetch(f"{url}/2/3", method="POST", body="")).body == b'{"product": 6}'


@every_way()
async def test_100_requests_at_the_same_time(way, fetch):
    """All are in their handlers together."""
    inside, all_inside = 0, asyncio.Event()

    class Wait(web.RequestHandler):
        async def get(self, n):
            nonlocal inside
            inside += 1
            if inside == 100:
                all_inside.set()
            await all_inside.wait()
            await way.pause()
            self.write(n)

    async with serving((r"/(\d+)", Wait)) as url:
        client = httpclient.AsyncHTTPClient(force_instance=True, max_clients=100)
        answers = await way.together(*[lambda n=n: client.fetch(f"{url}/{n}") for n in range(100)])
        client.close()
    assert [int(each.body) for each in answers] == list(range(100))


@every_way()
async def test_a_response_is_streamed(way, fetch):
    """Each flush arrives as a piece, with waits in between."""
    pieces = []

    class Stream(web.RequestHandler):
        async def get(self):
            for letter in "abc":
                self.write(letter * 1000)
                await self.flush()
                await way.pause()

    async with serving((r"/", Stream)) as url:
        await fetch(url, streaming_callback=pieces.append)
    assert b"".join(pieces) == b"a" * 1000 + b"b" * 1000 + b"c" * 1000


@every_way()
async def test_a_websocket_talks_in_both_directions(way):
    """Messages are answered in their order, and the close code arrives."""
    closed = asyncio.get_running_loop().create_future()

    class Shout(websocket.WebSocketHandler):
        async def on_message(self, message):
            await self.write_message(await way.through(message.upper()))

        def on_close(self):
            closed.set_result((self.close_code, self.close_reason))

    async with serving((r"/", Shout)) as url:
        connection = await websocket.websocket_connect(url.replace("http", "ws"))
        for word in ("one", "two"):
            await connection.write_message(word)
        assert [await connection.read_message() for _ in range(2)] == ["ONE", "TWO"]
        connection.close(4000, "enough")
        assert await closed == (4000, "enough")


@every_way()
async def test_https(way, fetch, certificates):
    """TLS on both sides; a certificate of an unknown authority is refused."""

    class Say(web.RequestHandler):
        async def get(self):
            await way.pause()
            self.write(self.request.protocol)

    async with serving((r"/", Say), tls=certificates.server) as url:
        assert (await fetch(url, ssl_options=certificates.client)).body == b"https"
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await fetch(url)


@every_way()
async def test_streams_of_tcp(way):
    """A TCPServer and clients talk in lines, with waits on either side."""

    class Shout(tcpserver.TCPServer):
        async def handle_stream(self, stream, address):
            with contextlib.suppress(iostream.StreamClosedError):
                while True:
                    line = await stream.read_until(b"\n")
                    await stream.write((await way.through(line)).upper())

    async def talk(port, n):
        stream = await tcpclient.TCPClient().connect("127.0.0.1", port)
        await way.pause()
        await stream.write(b"client %d\n" % n)
        try:
            return await stream.read_until(b"\n")
        finally:
            stream.close()

    server = Shout()
    listening, port = testing.bind_unused_port()
    server.add_socket(listening)
    lines = await way.together(*[lambda n=n: talk(port, n) for n in range(20)])
    server.stop()
    assert lines == [b"CLIENT %d\n" % n for n in range(20)]


@every_way()
async def test_its_queues_timers_and_threads(way):
    """What goes through a queue comes out in its order; a callback is called again and again; threads return."""
    queue, ticks = queues.Queue(maxsize=2), []
    periodic = ioloop.PeriodicCallback(lambda: ticks.append(1), 2)
    periodic.start()

    async def produce():
        for n in range(20):
            await queue.put(n)
            await way.pause(0)

    async with way.crew() as start:
        start(produce)
        received = [await queue.get() for _ in range(20)]
    loop = ioloop.IOLoop.current()
    while len(ticks) < 3:
        await way.pause()
    periodic.stop()
    assert received == list(range(20))
    assert await loop.run_in_executor(None, lambda: 5) == 5
    with pytest.raises(gen.TimeoutError):
        await gen.with_timeout(datetime.timedelta(milliseconds=5), asyncio.get_running_loop().create_future())


@every_way()
async def test_a_request_can_be_given_up(way, fetch):
    """A deadline ends it, tornado's own or the way's; the server goes on."""

    class Wait(web.RequestHandler):
        async def get(self, seconds):
            await way.pause(float(seconds))
            self.write("done")

    async with serving((r"/(.*)", Wait)) as url:
        assert await way.cut_off(0.05, fetch, f"{url}/60")
        with pytest.raises(httpclient.HTTPError, match="Timeout during request"):
            await fetch(f"{url}/60", request_timeout=0.05)
        assert (await fetch(f"{url}/0")).body == b"done"


# The whole program: tornado makes the loop


@whole_program
def test_an_ioloop_of_its_own_is_on_trio_when_installed(way):
    """`IOLoop.run_sync`, and `start` until `stop`, on a loop that asyncio is asked for."""
    seen = []

    async def main():
        await way.pause()
        seen.append(type(ioloop.IOLoop.current().asyncio_loop) is trioasync.EventLoop)

    loop = ioloop.IOLoop(make_current=False)
    loop.run_sync(main)
    loop.run_sync(main)

    async def stop_later():
        await main()
        loop.stop()

    loop.add_callback(stop_later)
    loop.start()
    loop.close()
    assert seen == [way.hosted] * 3


@pytest.mark.parametrize("how", ["asyncio", "trioasync run"])
def test_a_program(start, how):
    """A server that runs until it is told to stop, on asyncio and under `trioasync run`."""
    run = ["-m", "trioasync", "run"] if how == "trioasync run" else []
    server = start(*python(*run, "tornado_app.py"), cwd=PROGRAMS)
    url = f"http://127.0.0.1:{server.printed('port ([0-9]+)')[1]}"
    assert answer(url)["trio"] == (how == "trioasync run")
    with asking(f"{url}/wait?seconds=0.3") as asked:
        server.printed("waiting")
        status = server.stop()
    assert (asked.text, status) == ("waited", 0)
    assert "cleaned up" in server.text()


def test_several_processes(start):
    """`fork_processes` before the loop is made: each child has a trio run of its own."""
    server = start(*python("-m", "trioasync", "run", "tornado_app.py", "--processes=2"), cwd=PROGRAMS)
    answers = two_pids(f"http://127.0.0.1:{server.printed('port ([0-9]+)')[1]}")
    assert server.pid not in answers
    assert all(told["trio"] for told in answers.values())
    assert {told["loop"] for told in answers.values()} == {"trioasync.loop.EventLoop"}
