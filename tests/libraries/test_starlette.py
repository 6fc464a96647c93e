"""starlette, served by uvicorn: routes, streams, websockets and middleware, in Tasks that may await trio."""

import asyncio
import contextlib
import threading

from tests.libraries.serving import serving
from tests.libraries.ways import every_way, needs

httpx = needs("httpx")
websockets = needs("websockets.asyncio.client", "websockets")
needs("starlette")
applications, routing = needs("starlette.applications"), needs("starlette.routing")
responses, background = needs("starlette.responses"), needs("starlette.background")
base, middleware = needs("starlette.middleware.base"), needs("starlette.middleware")
Route = routing.Route


def browse(url):
    """Return a client for a server at `url`."""
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)


@every_way()
async def test_endpoints_are_async_functions_or_run_in_threads(way):
    """An async one waits in the loop's thread, a plain one is called in another."""

    async def in_the_loop(request):
        return responses.JSONResponse([await way.through(request.path_params["n"]), threading.get_ident()])

    def in_a_thread(request):
        return responses.JSONResponse([request.path_params["n"], threading.get_ident()])

    app = applications.Starlette(routes=[Route("/loop/{n:int}", in_the_loop), Route("/thread/{n:int}", in_a_thread)])
    async with serving(app) as url, browse(url) as client:
        assert (await client.get("/loop/1")).json() == [1, threading.get_ident()]
        answers = await asyncio.gather(*(client.get(f"/thread/{n}") for n in range(20)))
    assert [answer.json()[0] for answer in answers] == list(range(20))
    assert threading.get_ident() not in [answer.json()[1] for answer in answers]


@every_way()
async def test_what_is_opened_in_the_lifespan_serves_the_requests(way):
    """A crew, on trio a nursery, that the lifespan opens does work that requests hand it; it ends with the server."""
    done = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with way.crew() as start:
            yield {"start": start}
        done.append("closed")

    async def work(n):
        await way.pause(0.01)
        done.append(n)

    async def hand_on(request):
        request.state.start(work, request.path_params["n"])
        return responses.PlainTextResponse("handed on")

    app = applications.Starlette(routes=[Route("/{n:int}", hand_on)], lifespan=lifespan)
    async with serving(app) as url, browse(url) as client:
        await asyncio.gather(*(client.get(f"/{n}") for n in range(10)))
    assert (sorted(done[:-1]), done[-1]) == (list(range(10)), "closed")


@every_way()
async def test_a_streaming_response_waits_between_its_pieces(way):
    """Server-sent pieces arrive one by one; when the client goes, the generator is ended."""
    ended = asyncio.Event()

    async def pieces():
        try:
            for n in range(10_000):
                yield f"{n} "
                await way.pause()
        finally:
            ended.set()

    async def stream(request):
        return responses.StreamingResponse(pieces())

    async with serving(applications.Starlette(routes=[Route("/", stream)])) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        text = await reader.readuntil(b" \r\n2\r\n9 \r\n")
        assert text.count(b"\r\n2\r\n") == 10
        writer.close()
        await writer.wait_closed()
        await ended.wait()


@every_way()
async def test_middleware_wraps_what_waits(way):
    """`BaseHTTPMiddleware`, which runs the endpoint in a task group of anyio's, around endpoints, good and failing."""

    class Marked(base.BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            await way.pause()
            response = await call_next(request)
            response.headers["marked"] = await way.through("yes")
            return response

    async def endpoint(request):
        await way.pause()
        if request.url.path == "/fail":
            raise ValueError("failed")
        return responses.PlainTextResponse("fine")

    def tell(request, error):
        return responses.PlainTextResponse(str(error), status_code=500)

    app = applications.Starlette(
        routes=[Route("/{path}", endpoint)],
        middleware=[middleware.Middleware(Marked)],
        exception_handlers={ValueError: tell},
    )
    async with serving(app) as url, browse(url) as client:
        answers = [await client.get(path) for path in ("/fine", "/fail", "/fine")]
    told = [(answer.status_code, answer.text, answer.headers["marked"]) for answer in answers]
    assert told == [(200, "fine", "yes"), (500, "failed", "yes"), (200, "fine", "yes")]


@every_way()
async def test_background_tasks_run_after_the_response(way):
    """The client has the answer while the task still waits."""
    go_on, done = asyncio.Event(), asyncio.Event()

    async def later():
        await way.pause()
        await go_on.wait()
        done.set()

    async def endpoint(request):
        return responses.PlainTextResponse("first", background=background.BackgroundTask(later))

    async with serving(applications.Starlette(routes=[Route("/", endpoint)])) as url, browse(url) as client:
        assert (await client.get("/")).text == "first"
        assert not done.is_set()
        go_on.set()
        await done.wait()


@every_way()
async def test_websockets_talk_to_twenty_clients(way):
    """Each hears its own words in capitals, and the server hears each close."""
    closed = []

    async def talk(socket):
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(await way.through(text.upper()))
        closed.append(socket)

    async def say(url, n):
        async with websockets.connect(f"{url}/talk", proxy=None) as socket:
            heard = []
            for word in ("one", f"two {n}", "three"):
                await socket.send(word)
                heard.append(await socket.recv())
            return heard

    app = applications.Starlette(routes=[routing.WebSocketRoute("/talk", talk)])
    async with serving(app) as url:
        url = url.replace("http", "ws")
        heard = await asyncio.gather(*(say(url, n) for n in range(20)))
        while len(closed) < 20:
            await way.pause()
    assert heard == [["ONE", f"TWO {n}", "THREE"] for n in range(20)]


@every_way()
async def test_an_endpoint_that_fails_is_a_500(way):
    """What it raised is logged; the server and the connection go on."""

    async def endpoint(request):
        await way.pause()
        return responses.PlainTextResponse(str(1 // request.path_params["n"]))

    app = applications.Starlette(routes=[Route("/{n:int}", endpoint)])
    async with serving(app) as url, browse(url) as client:
        assert [(await client.get(f"/{n}")).status_code for n in (1, 0, 1)] == [200, 500, 200]


@every_way()
async def test_a_limit_in_an_endpoint_ends_its_wait(way):
    """The way's own limit, around a wait of asyncio's."""

    async def endpoint(request):
        return responses.JSONResponse(await way.cut_off(0.05, asyncio.sleep, 60))

    async with serving(applications.Starlette(routes=[Route("/", endpoint)])) as url, browse(url) as client:
        assert (await client.get("/")).json() is True
