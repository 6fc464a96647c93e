"""Selectors of every kind, with trio's wait borrowed and without, and programs that fork."""

import asyncio
import contextlib
import os
import selectors
import time

import pytest
import trio

import trioasync

KINDS = [
    getattr(selectors, name) for name in ("SelectSelector", "PollSelector", "EpollSelector") if hasattr(selectors, name)
]


class PlainClock(trio.abc.Clock):
    """Real time that trio does not know to be real: the pump must leave the waiting to trio."""

    def start_clock(self):
        pass

    def current_time(self):
        return time.monotonic()

    def deadline_to_sleep_time(self, deadline):
        return deadline - self.current_time()


async def echo_through_a_server():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await trio.sleep(0.01)
        writer.write(b"hello\n")
        answered = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answered


@pytest.mark.parametrize("clock", [None, PlainClock()], ids=["borrowed", "nap"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_works_with_a_selector_of_each_kind(kind, clock):
    """Streams, timers and trio calls work, whether or not the selector is itself a descriptor."""
    with contextlib.closing(trioasync.EventLoop(kind(), clock=clock)) as loop:
        assert loop.run_until_complete(echo_through_a_server()) == b"hello\n"


@pytest.mark.parametrize("clock", [None, PlainClock()], ids=["borrowed", "nap"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_added_while_the_loop_sleeps_is_watched(kind, clock):
    """A trio task may add a reader to a loop that has nothing to do."""

    async def main():
        loop = asyncio.get_running_loop()
        seen = loop.create_future()
        readable, writable = os.pipe()

        async def add_later():
            await trio.sleep(0.02)
            loop.add_reader(readable, lambda: seen.done() or seen.set_result(os.read(readable, 1)))
            os.write(writable, b"x")

        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(add_later)
                return await asyncio.wait_for(seen, 5)
        finally:
            loop.remove_reader(readable)
            os.close(readable)
            os.close(writable)

    with contextlib.closing(trioasync.EventLoop(kind(), clock=clock)) as loop:
        assert loop.run_until_complete(main()) == b"x"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_runs_a_loop_of_its_own():
    """A process that forks inside a Task can call run() in the child."""

    async def child():
        await trio.sleep(0)
        return 7

    async def main():
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(trioasync.run(child()))
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert trioasync.run(main()) == 7
