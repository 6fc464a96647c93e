"""hypercorn: worker processes that take nothing but the application's name, and `serve` in a program's own loop."""

import asyncio
import contextlib
import os
import socket
import sys

import pytest

from tests.libraries.asgi import received, respond
from tests.libraries.processes import PROGRAMS, answer, asking, python, two_pids
from tests.libraries.ways import every_way, needs

hypercorn = needs("hypercorn")
serve = needs("hypercorn.asyncio").serve
httpx = needs("httpx")

STARTS = {
    "asyncio": python("-m", "hypercorn", "--workers", "0", "asgi_app:app"),
    "hosted": python("-m", "hypercorn", "--workers", "0", 'trioasync.servers:hosted("asgi_app.app")'),
    "trioasync run": python("-m", "trioasync", "run", "-m", "hypercorn", "--workers", "0", "asgi_app:app"),
}
# There hypercorn's Tasks are a class that a package it imports derives from asyncio.Task: ours, if it is imported after
# `install()`. That is so under `trioasync run`, and never in the processes that hypercorn spawns.
TOO_EARLY = sys.version_info < (3, 11)
RUNNING = r"Running on (http://127.0.0.1:\d+)"


@pytest.mark.parametrize("how", STARTS)
def test_a_process(start, how):
    """It finishes the request that is under way at SIGTERM, has the application clean up, and ends with status 0."""
    if TOO_EARLY and how == "hosted":
        pytest.skip("on this Python hypercorn has its own class of Task: see TOO_EARLY")
    server = start(*STARTS[how], "--bind", "127.0.0.1:0", cwd=PROGRAMS)
    url = server.printed(RUNNING)[1]
    told = answer(url)
    assert told["trio"] == (how != "asyncio")
    assert told["loop"].startswith("asyncio." if how == "asyncio" else "trioasync.")
    with asking(f"{url}/wait?seconds=0.3") as asked:
        server.printed("waiting")
        status = server.stop()
    assert (asked.text, status) == ("waited", 0)
    assert "cleaned up" in server.text()


@pytest.mark.skipif(not TOO_EARLY, reason="newer Pythons have a TaskGroup, which hypercorn uses")
def test_hypercorn_on_an_old_python_says_that_trio_cannot_be_awaited(start):
    """The loop is ours, but a handler that awaits trio fails with trio's own error."""
    server = start(*STARTS["hosted"], "--bind", "127.0.0.1:0", "--error-logfile", "-", cwd=PROGRAMS)
    with asking(server.printed(RUNNING)[1]) as asked:
        server.printed("RuntimeError: must be called from async context")
    assert "500" in asked.text


@pytest.mark.skipif(TOO_EARLY, reason="on this Python hypercorn has its own class of Task: see TOO_EARLY")
def test_several_processes(start):
    """Each of the processes that hypercorn spawns runs on trio, by the name of the application."""
    application = 'trioasync.servers:hosted("asgi_app.app")'
    server = start(*python("-m", "hypercorn", "--workers", "2", "--bind", "127.0.0.1:0"), application, cwd=PROGRAMS)
    answers = two_pids(server.printed(RUNNING)[1])
    assert server.pid not in answers
    assert {told["loop"] for told in answers.values()} == {"trioasync.loop.EventLoop"}
    assert all(told["trio"] for told in answers.values())
    assert server.stop() == 0


@contextlib.asynccontextmanager
async def serving(app, tls):
    """Serve an application over TLS in the running loop while the block runs, and give its URL."""
    config, stop = hypercorn.Config(), asyncio.Event()
    config.bind, config.errorlog = [], None
    config.certfile = config.keyfile = tls.key_and_chain
    config.graceful_timeout = 5
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config.bind = [f"fd://{os.dup(listening.fileno())}"]
        running = asyncio.ensure_future(serve(app, config, shutdown_trigger=stop.wait))
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            await running


def application(way):
    """Return an application that waits before it answers with the version of HTTP and the body it was asked with."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await way.pause()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        body = await received(receive)
        await way.pause()
        await respond(send, scope["http_version"].encode() + b" " + await way.through(body))

    return app


@pytest.mark.skipif(TOO_EARLY, reason="on this Python hypercorn has its own class of Task: see TOO_EARLY")
@pytest.mark.parametrize("version", ["1.1", "2"])
@every_way()
async def test_it_serves_in_the_loop_of_a_program(way, version, certificates):
    """100 requests at once over HTTP/1.1, and over one connection of HTTP/2."""
    async with (
        serving(application(way), certificates) as url,
        httpx.AsyncClient(
            trust_env=False, verify=certificates.client, http1=version == "1.1", http2=version == "2"
        ) as client,
    ):
        answers = await way.together(*[lambda n=n: client.post(url, content=b"%d" % n) for n in range(100)])
    assert [answer.text for answer in answers] == [f"{version} {n}" for n in range(100)]
    assert {answer.http_version for answer in answers} == {f"HTTP/{version}"}
