"""httpx: its connection pool, streams and timeouts, between Tasks and trio tasks."""

import asyncio
import random
import ssl

import pytest
import trio

import trioasync
from tests.libraries.asgi import received, respond
from tests.libraries.limits import every_limit
from tests.libraries.serving import serving
from tests.libraries.ways import InTrio, every_way, needs, tasks_shown_after

httpx = needs("httpx")
anyio = needs("anyio")


def answering(way, answer):
    """Return an ASGI application that waits and then answers each request with `await answer(path, body)`."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        body = await received(receive)
        await way.pause()
        await respond(send, await answer(scope["path"], body))

    return app


async def echo(path, body):
    return path.encode() + b" " + body


def served(way, answer=echo, **options):
    """Serve such an application; uvicorn need not look for a beginning and an end of it."""
    return serving(answering(way, answer), lifespan="off", **options)


@every_way()
async def test_a_request_is_answered(way):
    """The body arrives there, the answer here."""
    async with served(way) as url, httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(f"{url}/path", content=b"body")
        assert (response.status_code, response.text) == (200, "/path body")


@every_way()
async def test_100_requests_share_ten_connections(way):
    """Each gets its own answer, whatever it has waited for."""
    limits = httpx.Limits(max_connections=10)
    async with served(way) as url, httpx.AsyncClient(trust_env=False, limits=limits) as client:

        def get(n):
            return lambda: client.get(f"{url}/{n}")

        responses = await way.together(*map(get, range(100)))
    assert [response.text for response in responses] == [f"/{n} " for n in range(100)]


@every_way()
async def test_bodies_are_streamed_both_ways(way):
    """Pieces that are made with waits between them arrive as they were made."""

    async def pieces():
        for letter in "abc":
            await way.pause()
            yield letter.encode() * 10_000

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await way.pause()
            await send({"type": "http.response.body", "body": message["body"].upper(), "more_body": more})

    async with (
        serving(app, lifespan="off") as url,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", url, content=pieces()) as response,
    ):
        body = b"".join([piece async for piece in response.aiter_bytes()])
    assert body == b"A" * 10_000 + b"B" * 10_000 + b"C" * 10_000


@every_way()
async def test_its_timeouts_are_its_own(way):
    """A read that takes too long is a `ReadTimeout`, a pool that is full a `PoolTimeout`."""

    came = asyncio.Event()

    async def slow(path, body):
        came.set()
        await way.pause(60)

    options = {"limits": httpx.Limits(max_connections=1), "trust_env": False}
    async with served(way, slow, timeout_graceful_shutdown=0) as url:
        async with httpx.AsyncClient(timeout=httpx.Timeout(60, read=0.05), **options) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(url)
            await came.wait()
        async with httpx.AsyncClient(timeout=httpx.Timeout(60, pool=0.05), **options) as client:
            came.clear()
            first = asyncio.ensure_future(client.get(url))
            await came.wait()
            with pytest.raises(httpx.PoolTimeout):
                await client.get(url)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first


@every_way()
async def test_a_request_that_is_given_up_leaves_the_client_usable(way):
    """Whatever limit gives it up, the one connection that the pool allows is free again."""

    async def answer(path, body):
        await way.pause(60 if path == "/slow" else 0)
        return b"done"

    limits = httpx.Limits(max_connections=1)
    async with (
        served(way, answer, timeout_graceful_shutdown=0) as url,
        httpx.AsyncClient(trust_env=False, timeout=None, limits=limits) as client,
    ):
        async for _ in every_limit(way, lambda: client.get(f"{url}/slow")):
            assert (await client.get(f"{url}/quick")).text == "done"


@every_way()
async def test_requests_that_are_interrupted_anywhere_lose_no_connection(way):
    """After 60 of them, given up within some milliseconds, all connections of the pool can be used at once.

    They are given up by anyio's scopes, against which httpx shields its cleaning up. It has nothing against
    `Task.cancel()` there, on any loop.
    """
    chance, limits = random.Random(1), httpx.Limits(max_connections=3)
    async with served(way) as url, httpx.AsyncClient(trust_env=False, timeout=20, limits=limits) as client:
        for n in range(60):
            with anyio.move_on_after(chance.uniform(0, 0.004)):
                await client.get(f"{url}/{n}")
        responses = await way.together(*[lambda: client.get(f"{url}/after")] * 3)
    assert [response.text for response in responses] == ["/after "] * 3


@every_way()
async def test_https(way, certificates):
    """TLS to a server on the same loop; a client that does not know the authority refuses."""
    async with served(way, tls=certificates) as url:
        async with httpx.AsyncClient(trust_env=False, verify=certificates.client) as client:
            assert (await client.get(url)).text == "/ "
        async with httpx.AsyncClient(trust_env=False, verify=ssl.create_default_context()) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)


@every_way()
async def test_an_application_is_called_without_a_server(way):
    """`ASGITransport` runs the application in the calling task."""
    transport = httpx.ASGITransport(app=answering(way, echo))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        response = await client.post("/path", content=b"body")
    assert response.text == "/path body"


def test_tasks_and_trio_tasks_share_a_client():
    """Connections that one kind of task has opened serve the other, at the same time, from one pool."""

    async def main():
        limits = httpx.Limits(max_connections=2)
        answers = []
        async with (
            trioasync.open_loop(),
            served(InTrio()) as url,
            httpx.AsyncClient(trust_env=False, limits=limits) as client,
        ):

            async def get(n):
                answers.append((await client.get(f"{url}/{n}")).text)

            async with trioasync.TaskGroup() as group, trio.open_nursery() as nursery:
                for n in range(0, 40, 2):
                    nursery.start_soon(get, n)
                    group.create_task(get(n + 1))
        return answers

    with tasks_shown_after(20):
        answers = trio.run(main)
    assert sorted(answers) == sorted(f"/{n} " for n in range(40))
