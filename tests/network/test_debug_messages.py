"""Debug mode in the network: what asyncio's logger says of connections, processes and names, from DEBUG on."""

import asyncio
import contextlib
import logging
import re
import subprocess
import time

import pytest

import trioasync
from tests.network.peers import Told, socket_pair
from tests.network.ways import WAYS
from tests.support.observation import stable, time_limit


class Keeping(logging.Handler):
    """A handler that keeps what is said, less what differs from run to run: numbers, addresses and places in files."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        text = re.sub("[0-9.]+", "#", stable(record.getMessage())).replace("<_UnixSelectorEventLoop ", "<EventLoop ")
        self.texts.append(f"{record.levelname} {text}")


@contextlib.contextmanager
def all_that_is_said():
    """What asyncio's logger says from DEBUG on, to nobody else."""
    logger, handler = logging.getLogger("asyncio"), Keeping()
    before = logger.level, logger.handlers[:], logger.propagate
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    try:
        yield handler.texts
    finally:
        level, logger.handlers[:], logger.propagate = before
        logger.setLevel(level)


def said_of(body, way):
    """Run a body in debug mode on asyncio and in one of our ways, and return what is said, which must be the same."""
    said = {}
    for name, run in (("asyncio", lambda body, debug: asyncio.run(body(asyncio), debug=debug)), (way, WAYS[way])):
        with all_that_is_said() as texts, time_limit(20):
            run(body, True)
        said[name] = sorted(texts)  # the order in which two ends of a connection are told is the kernel's
    assert said[way] == said["asyncio"]
    return "\n".join(said[way])


async def connect(aio):
    """Serve one client, which pauses, goes on, and half-closes."""
    loop = aio.get_running_loop()
    async with await loop.create_server(lambda: Told(echo=True), "127.0.0.1", 0) as server:
        transport, protocol = await loop.create_connection(Told, *server.sockets[0].getsockname())
        transport.write(b"x")
        await protocol.has(1)
        transport.pause_reading()
        transport.resume_reading()
        transport.write_eof()
        await protocol.lost


async def start_processes(aio):
    """Start a program and a shell command, which last until they are killed."""
    for start in (
        lambda: aio.create_subprocess_exec("sleep", "60"),
        lambda: aio.create_subprocess_shell("exec sleep 60", stdin=subprocess.DEVNULL),
    ):
        process = await start()
        process.kill()
        await process.wait()


async def look_up(aio):
    """Look a name up."""
    await aio.get_running_loop().getaddrinfo("127.0.0.1", 80)


async def fail_in_a_protocol(aio):
    """Have a protocol close its transport by an exception that is the peer's doing."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        left.send(b"unread")
        transport, protocol = await loop.create_connection(Told, sock=left)
        right.close()
        await protocol.lost
        transport.close()


SAID = [
    (
        connect,
        ["Using selector", "is serving", "got a new connection", "connected to", "pauses reading", "received EOF"],
    ),
    (start_processes, ["execute program 'sleep'", "run shell command 'exec sleep", "exited with return code -#"]),
    (look_up, ["DEBUG Get address info", "DEBUG Getting address info"]),
    (fail_in_a_protocol, ["connected to None:None", "Fatal read error on socket transport"]),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("body", "fragments"), SAID, ids=[body.__name__ for body, _ in SAID])
def test_everything_that_asyncio_says_is_said(way, body, fragments):
    """The same records, at the same levels, in debug mode."""
    said = said_of(body, way)
    assert [fragment for fragment in fragments if fragment not in said] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_slow_reader_is_logged(way):
    """A callback for a descriptor that takes longer than slow_callback_duration seconds, with its place."""

    async def body(aio):
        loop = aio.get_running_loop()
        loop.slow_callback_duration = 0.05
        with socket_pair() as (left, right):
            over = loop.create_future()

            def read():
                time.sleep(0.06)
                loop.remove_reader(left)
                over.set_result(None)

            loop.add_reader(left, read)
            right.send(b"x")
            await over

    said = said_of(body, way)
    assert re.search(r"WARNING Executing <Handle .*read\(\) at .*> took # seconds", said)


def test_without_debug_mode_nothing_is_said():
    """Not even at DEBUG, but for the name of the selector."""
    with all_that_is_said() as texts:
        trioasync.run(connect(trioasync))
    assert [text.partition(":")[0] for text in texts] == ["DEBUG Using selector"]
