"""Runs one server at full load on one implementation in this process, with a task that ticks beside it.

It prints the outcome as one line of JSON. The server has one processor, the client, a process of its own, another one.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from implementations import IMPLEMENTATIONS, Unavailable, start
from report import OURS

CLIENT = Path(__file__).resolve().parent / "load_client.py"
BACKLOG = 2048
PERIOD = 0.01  # seconds between two ticks


# -- the servers, in plain asyncio


@asynccontextmanager
async def echo_server(aio: ModuleType) -> AsyncIterator[int]:
    """Serve what most asyncio servers are made of: streams, and a task for each connection."""

    async def serve(reader: Any, writer: Any) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await aio.start_server(serve, "127.0.0.1", 0, backlog=BACKLOG)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def aiohttp_server(aio: ModuleType) -> AsyncIterator[int]:
    """Serve a small JSON document with aiohttp, unmodified."""
    try:
        from aiohttp import web
    except ImportError as missing:
        raise Unavailable("aiohttp is not installed") from missing

    async def document(request: Any) -> Any:
        return web.json_response({"path": request.path, "answer": 42})

    app = web.Application()
    app.router.add_get("/", document)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=BACKLOG)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@dataclass(frozen=True)
class Scenario:
    """A server, the kind of requests it understands, and how many connections the load comes over."""

    title: str
    server: Callable[[ModuleType], AbstractAsyncContextManager[int]]
    requests: str
    connections: int


SCENARIOS = {
    "echo": Scenario("TCP echo over streams, 1,000 connections", echo_server, "echo", 1000),
    "aiohttp": Scenario("aiohttp, 64 connections", aiohttp_server, "http", 64),
}


# -- the task beside it


class Ticks:
    """Sleeps 10 ms again and again, and notes how late it woke each time, and the processor time used until then."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float, float]] = []

    async def run(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        while True:
            due = time.monotonic() + PERIOD
            await sleep(PERIOD)
            self.seen.append((due, time.monotonic() - due, time.process_time()))

    def between(self, begin: float, end: float) -> dict[str, float]:
        """Return the delays, in ms, and the share of a processor that was used, between two times."""
        seen = [each for each in self.seen if begin <= each[0] < end]
        delays = sorted(late * 1000 for _, late, _ in seen)
        (first, _, cpu_before), (last, _, cpu_after) = seen[0], seen[-1]
        return {
            "tick p50": delays[len(delays) // 2],
            "tick p99": delays[math.ceil(len(delays) * 0.99) - 1],
            "tick worst": delays[-1],
            "server cpu": (cpu_after - cpu_before) / (last - first),
        }


@asynccontextmanager
async def ticking(aio: ModuleType, ticks: Ticks, kind: str) -> AsyncIterator[None]:
    """Run the ticks in a task: a trio task in a trio nursery, or a Task."""
    if kind == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ticks.run, trio.sleep)
            yield
            nursery.cancel_scope.cancel()
    else:
        task = aio.create_task(ticks.run(aio.sleep))
        yield
        task.cancel()


# -- the measurement


class Complaints(logging.Handler):
    """What asyncio and the libraries have logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def pin(process: int, number: int) -> None:
    """Give a process (0: this one) a processor of its own, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0) if process == 0 else range(os.cpu_count() or 1))
        os.sched_setaffinity(process, {available[number % len(available)]})


def ask_client(scenario: Scenario, port: int, seconds: float, connections: int) -> dict[str, Any]:
    """Run the client to its end, and return its answer."""
    arguments = [scenario.requests, str(port), str(connections), str(seconds)]
    with subprocess.Popen([sys.executable, str(CLIENT), *arguments], stdout=subprocess.PIPE, text=True) as client:
        pin(client.pid, 1)
        out, _ = client.communicate()
    answer: dict[str, Any] = json.loads(out)
    return answer


async def measure(aio: ModuleType, scenario: Scenario, kind: str, seconds: float, connections: int) -> dict[str, Any]:
    """Return the requests per second, the delays of the ticks in ms, and what went wrong."""
    ticks = Ticks()
    loop = aio.get_running_loop()
    async with scenario.server(aio) as port, ticking(aio, ticks, kind):
        client = await loop.run_in_executor(None, ask_client, scenario, port, seconds, connections)
    seen = ticks.between(client["begin"], client["end"])
    return {
        "rate": client["rate"],
        "cpu": seen["server cpu"] / client["rate"] * 1e6,
        "request p99": client["p99"] * 1000,
        **seen,
        "client cpu": client["cpu"],
        "errors": client["errors"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("implementation", choices=list(IMPLEMENTATIONS))
    parser.add_argument("scenario", choices=list(SCENARIOS))
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, default=0, help="0: as many as the scenario says")
    parser.add_argument("--ticks", choices=["task", "trio"], default="task", help="what ticks: a Task or a trio task")
    arguments = parser.parse_args()
    scenario = SCENARIOS[arguments.scenario]
    connections = arguments.connections or scenario.connections
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    answers: list[dict[str, Any]] = []

    async def answer(aio: ModuleType) -> None:
        answers.append(await measure(aio, scenario, arguments.ticks, arguments.seconds, connections))

    pin(0, 0)
    try:
        with installed() if arguments.implementation == OURS else nullcontext():
            start(arguments.implementation, answer)
    except Unavailable as reason:
        print(json.dumps({"note": str(reason)}))
        return
    answers[0]["errors"] += complaints.texts
    print(json.dumps(answers[0]))


def installed() -> Any:
    """Install trioasync, so that a library that makes asyncio's tasks by itself gets those that can await trio."""
    import trioasync

    return trioasync.install()


if __name__ == "__main__":
    main()
