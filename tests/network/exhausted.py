"""Programs that run out of descriptors. Each is run in a process of its own, whose limit it lowers, by `tell`."""

import asyncio
import contextlib
import functools
import gc
import json
import logging
import os
import resource
import socket

import trio

import trioasync
from tests.network.remains import open_descriptors
from tests.network.ways import WAYS
from tests.support.observation import describe, logged_records, told

CLIENTS = 6


@contextlib.contextmanager
def descriptors_left(number):
    """Let this process open so many descriptors and no more."""
    descriptors = [os.open(os.devnull, os.O_RDONLY) for _ in range(number + 1)]  # those that would be opened next
    limit = descriptors[-1]
    for descriptor in descriptors:
        os.close(descriptor)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Clients:
    """Sockets made beforehand, which connect to a server all at once and then ask, one after the other."""

    def __init__(self):
        self._sockets = [socket.socket() for _ in range(CLIENTS)]

    def connect(self, address):
        for each in self._sockets:
            each.connect(address)
            each.setblocking(False)

    async def ask(self):
        """Return the answers. Each client hangs up before the next one asks, which frees two descriptors."""
        loop, answers = asyncio.get_running_loop(), []
        for number, each in enumerate(self._sockets):
            with each:
                await loop.sock_sendall(each, b"client %d\n" % number)
                answers.append((await loop.sock_recv(each, 100)).decode())
        return answers


class Echo:
    """Serves a number of clients, and knows when all have gone."""

    def __init__(self, clients):
        self._remaining, self.all_gone = clients, asyncio.Event()

    async def __call__(self, reader, writer):
        writer.write(await reader.readline())
        await reader.read()
        writer.close()
        await writer.wait_closed()
        self._remaining -= 1
        if not self._remaining:
            self.all_gone.set()


async def accept(aio):
    """Fail to accept half of the clients, say so, and accept them later."""
    loop, reported = aio.get_running_loop(), []

    def report(loop, context):
        reported.append([context["message"], describe(context["exception"])])

    loop.set_exception_handler(report)
    clients, echo = Clients(), Echo(CLIENTS)
    async with await aio.start_server(echo, "127.0.0.1", 0, backlog=CLIENTS) as server:
        with descriptors_left(CLIENTS // 2):
            clients.connect(server.sockets[0].getsockname())
            answers = await clients.ask()
        await echo.all_gone.wait()
    return {"answers": answers, "reported": reported}


async def connect(aio):
    """Fail to connect, and connect when there are descriptors again."""
    echo = Echo(1)
    async with await aio.start_server(echo, "127.0.0.1", 0) as server:
        address, before = server.sockets[0].getsockname(), open_descriptors()
        with descriptors_left(0):
            failed = await told(aio.open_connection(*address))
        after = open_descriptors()
        reader, writer = await aio.open_connection(*address)
        writer.write(b"hello\n")
        answer = await reader.readline()
        writer.close()
        await echo.all_gone.wait()
        return {"failed": failed, "grown": after - before, "answer": answer.decode()}


async def start(aio):
    """Fail to start a process, and start it when there are descriptors again."""
    options = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    begin = functools.partial(aio.create_subprocess_exec, "echo", "hello", **options)
    process = await begin()  # from now on there is what is needed to watch children
    await process.communicate()
    failed, before = [], open_descriptors()
    for left in range(4):
        with descriptors_left(left):
            failed.append(await told(begin()))
            gc.collect()
    after = open_descriptors()
    process = await begin()
    out, _ = await process.communicate()
    return {"failed": failed, "grown": after - before, "answer": out.decode()}


async def thread(aio):
    """Call a function in a thread, which takes no descriptor."""
    with descriptors_left(0):
        return await aio.to_thread(str, "called")


async def accept_in_trio():
    """Have trio and asyncio fail to accept at the same time, and accept later."""
    clients, for_trio = Clients(), Clients()

    async def trio_echo(stream):
        async for data in stream:
            await stream.send_all(data)

    async with trioasync.open_loop() as loop, trio.open_nursery() as nursery:
        loop.set_exception_handler(lambda loop, context: None)
        echo = Echo(CLIENTS)
        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=CLIENTS)
        [listener] = await nursery.start(functools.partial(trio.serve_tcp, trio_echo, 0, host="127.0.0.1"))
        with descriptors_left(CLIENTS):
            clients.connect(server.sockets[0].getsockname())
            for_trio.connect(listener.socket.getsockname())
            answers = await asyncio.gather(clients.ask(), for_trio.ask())
        await echo.all_gone.wait()
        server.close()
        nursery.cancel_scope.cancel()
    return answers


def runs(run):
    """Run a program with fewer descriptors than it takes, then with more and more, and tell what came of each run."""

    async def nothing():
        return "ran"

    outcomes, logged, before = [], [], open_descriptors()
    for left in range(12):
        with logged_records(logged):
            with descriptors_left(left):
                coro = nothing()
                try:
                    outcomes.append(run(coro))
                except OSError as error:
                    outcomes.append(describe(error))
                    coro.close()
            gc.collect()
    return {"outcomes": outcomes, "logged": logged, "grown": open_descriptors() - before}


def tell(program, way):
    """Run a program, and print what it has seen as JSON; the way is "asyncio" or one of tests.network.ways."""
    logging.getLogger("trio").addHandler(logging.NullHandler())
    print(json.dumps(_seen_by(program, way)))


def _seen_by(program, way):
    if program == "runs":
        return runs(asyncio.run if way == "asyncio" else trioasync.run)
    if program == "accept_in_trio":
        return trio.run(accept_in_trio)
    body = globals()[program]
    return asyncio.run(body(asyncio)) if way == "asyncio" else WAYS[way](body, None)
