"""FastAPI, served by uvicorn: dependencies that wait on either side of their yield, models, and threads."""

import asyncio
import contextlib
import threading

from tests.libraries.serving import serving
from tests.libraries.ways import every_way, needs

httpx = needs("httpx")
fastapi = needs("fastapi")
pydantic = needs("pydantic")


class Order(pydantic.BaseModel):
    name: str
    count: int


def browse(url):
    """Return a client for a server at `url`."""
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)


@every_way()
async def test_dependencies_wait_before_and_after_the_endpoint(way):
    """Opened one in another, closed in the reverse order, also around an endpoint that raises."""
    app, events, closed = fastapi.FastAPI(), [], asyncio.Event()

    async def outer():
        await way.pause()
        events.append("open outer")
        try:
            yield "outer"
        finally:
            await way.pause()
            events.append("close outer")
            closed.set()

    async def inner(name: str = fastapi.Depends(outer)):
        events.append("open inner")
        yield f"inner of {await way.through(name)}"
        events.append("close inner")

    @app.get("/{code}")
    async def endpoint(code: int, name: str = fastapi.Depends(inner)):
        if code != 200:
            raise fastapi.HTTPException(code, name)
        return name

    async with serving(app) as url, browse(url) as client:
        answers = [await client.get("/200")]
        await closed.wait()  # the answer does not wait for it
        answers.append(await client.get("/418"))
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, "inner of outer"),
        (418, {"detail": "inner of outer"}),
    ]
    assert events[:4] == ["open outer", "open inner", "close inner", "close outer"]
    assert (events[4:6], events[-1]) == (["open outer", "open inner"], "close outer")


@every_way()
async def test_models_and_threads(way):
    """Bodies are checked, plain functions run in threads with dependencies of either kind; 50 requests at once."""
    app = fastapi.FastAPI()

    async def factor():
        return await way.through(2)

    def thread():
        return threading.get_ident()

    @app.post("/orders")
    def place(order: Order, times: int = fastapi.Depends(factor), where: int = fastapi.Depends(thread)):
        assert where != loop_thread != threading.get_ident()
        return {"name": order.name, "count": order.count * times}

    loop_thread = threading.get_ident()
    async with serving(app) as url, browse(url) as client:
        orders = [{"name": f"n{n}", "count": n} for n in range(50)]
        answers = await asyncio.gather(*(client.post("/orders", json=order) for order in orders))
        refused = await client.post("/orders", json={"name": "no count"})
    assert [answer.json() for answer in answers] == [{"name": f"n{n}", "count": 2 * n} for n in range(50)]
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "count"])


@every_way()
async def test_the_lifespan_and_background_tasks(way):
    """State that the lifespan made is there for endpoints, and background tasks end before it does."""
    events = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        await way.pause()
        yield {"greeting": "hello"}
        await way.pause()
        events.append("closed")

    async def later(name):
        await way.pause(0.01)
        events.append(name)

    app = fastapi.FastAPI(lifespan=lifespan)

    @app.get("/{name}")
    async def greet(name: str, request: fastapi.Request, tasks: fastapi.BackgroundTasks):
        tasks.add_task(later, name)
        return f"{request.state.greeting} {name}"

    async with serving(app) as url, browse(url) as client:
        assert (await client.get("/you")).json() == "hello you"
    assert events == ["you", "closed"]
