"""Threads and descriptors that run out: what waits or fails does so as in asyncio, and goes on when there are more."""

import asyncio
import concurrent.futures
import contextlib
import functools
import json
import sys
import threading

import pytest
import trio

import trioasync
from tests.network.ways import WAYS, everywhere
from tests.support import preloaded
from tests.support.observation import time_limit
from tests.support.parity import by_python, parity

# -- a full executor

CALLS = 100  # more than any default executor runs at once


@contextlib.contextmanager
def closed_gate():
    """A function that waits in its thread until the gate is opened: `call(x)` returns x; and what opens the gate."""
    gate = threading.Event()

    def call(number):
        gate.wait()
        return number

    try:
        yield call, gate.set
    finally:
        gate.set()


@pytest.mark.parametrize("size", [None, 2])
@everywhere(returns=["the loop goes on", False, True, True])
async def test_a_full_executor_makes_calls_wait_and_loses_none(aio, size):
    """The default one and one of two threads: names wait with the others for a thread, and the loop for nobody."""
    loop = aio.get_running_loop()
    with contextlib.ExitStack() as stack:
        call, open_gate = stack.enter_context(closed_gate())
        executor = size and stack.enter_context(concurrent.futures.ThreadPoolExecutor(size))
        if executor:
            loop.set_default_executor(executor)
        calls = [loop.run_in_executor(None, call, number) for number in range(CALLS)]
        name = loop.create_task(loop.getaddrinfo("127.0.0.1", 80))
        goes_on = await aio.sleep(0.05, "the loop goes on")
        done_before = name.done() or any(future.done() for future in calls)
        open_gate()
        return [goes_on, done_before, await aio.gather(*calls) == list(range(CALLS)), bool(await name)]


@everywhere(returns=[{"called", "cancelled"}, CALLS])
async def test_a_call_that_is_cancelled_while_the_executor_is_full_is_never_made(aio):
    """Those that wait for a thread give their place up, the others go on."""
    loop, made = aio.get_running_loop(), []
    with closed_gate() as (call, open_gate):
        running = [loop.run_in_executor(None, call, number) for number in range(CALLS)]
        waiting = [loop.run_in_executor(None, made.append, number) for number in range(CALLS)]
        for future in waiting:
            future.cancel()
        await aio.sleep(0)  # the executor is told in the next turn
        outcomes = {"cancelled" if future.cancelled() else "called" for future in [*running, *waiting]}
        open_gate()
        await aio.gather(*running)
        await loop.run_in_executor(None, call, None)
        return [outcomes, len(running) + len(made)]


@parity(clock="real", returns=True)
def test_a_run_that_ends_while_the_executor_is_full_makes_all_calls(aio):
    """Nobody awaits them; `run` waits for the executor, and each call has been made when it returns."""
    made = []

    async def main():
        loop = aio.get_running_loop()
        with closed_gate() as (call, open_gate):
            for number in range(CALLS):
                loop.run_in_executor(None, lambda number=number: made.append(call(number)))
            loop.call_later(0.05, open_gate)
            await aio.sleep(0.1)

    aio.run(main())
    return sorted(made) == list(range(CALLS))


def test_trio_and_asyncio_share_the_threads_that_there_are():
    """With one thread for all, calls of both take turns, and a call that is given up makes room for the next."""

    async def in_asyncio(number):
        return await asyncio.to_thread(lambda: number)

    async def in_trio(number):
        return await trio.to_thread.run_sync(lambda: number)

    async def main():
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        trio.to_thread.current_default_thread_limiter().total_tokens = 1
        with closed_gate() as (call, open_gate):

            def block():
                loop.call_soon_threadsafe(begun.set)
                call(None)

            blocking = asyncio.create_task(asyncio.to_thread(block))
            await begun.wait()
            with trio.move_on_after(0.05) as scope:
                await in_trio(0)
            waiting = [asyncio.create_task(make(number)) for number in range(5) for make in (in_asyncio, in_trio)]
            await asyncio.sleep(0.05)
            done_before = any(task.done() for task in [blocking, *waiting])
            open_gate()
            return [scope.cancelled_caught, done_before, await asyncio.gather(*waiting)]

    with time_limit(20):
        assert trioasync.run(main()) == [True, False, [number for number in range(5) for _ in range(2)]]


# -- no descriptors


def exhausted(program, way):
    """Return what a program of tests.network.exhausted has seen, each time in a process of its own."""
    return seen_in_all_ways(program)[way]


@functools.cache
def seen_in_all_ways(program):
    """Run a program in all ways at once, since it waits most of the time, and return what each has seen."""
    ways = ONE_WAY.get(program, ("asyncio", *WAYS))
    modules = (*preloaded.MODULES, "tests.network.exhausted")
    with contextlib.ExitStack() as stack:
        calls = {way: f"from tests.network import exhausted\nexhausted.tell({program!r}, {way!r})" for way in ways}
        started = {way: stack.enter_context(preloaded.started(call, modules=modules)) for way, call in calls.items()}
        done = {way: process.ended(60) for way, process in started.items()}
    assert {way: each.stderr for way, each in done.items() if each.returncode != 0} == {}
    return {way: json.loads(each.stdout) for way, each in done.items()}


ONE_WAY = {"runs": ["asyncio", "run"], "accept_in_trio": ["task"]}
TOO_MANY = "builtins.OSError(24, 'Too many open files')"
ANSWERS = [f"client {number}\n" for number in range(6)]


@pytest.mark.parametrize("way", WAYS)
def test_a_server_without_descriptors_accepts_its_clients_later(way):
    """It reports what asyncio reports, as often; as soon as others have hung up those that wait are answered."""
    seen = exhausted("accept", way)
    assert seen["answers"] == ANSWERS
    assert {tuple(report) for report in seen["reported"]} == {("socket.accept() out of system resource", TOO_MANY)}
    assert seen == exhausted("accept", "asyncio")


@pytest.mark.parametrize("way", WAYS)
def test_a_client_without_descriptors_fails_and_connects_later(way):
    """asyncio's error, and nothing stays open."""
    seen = exhausted("connect", way)
    assert seen == exhausted("connect", "asyncio") == {"failed": TOO_MANY, "grown": 0, "answer": "hello\n"}


@pytest.mark.parametrize("way", WAYS)
def test_a_process_that_cannot_be_started_without_descriptors_is_started_later(way):
    """With none, one, two or three left the error is asyncio's, and what stays open too."""
    seen = exhausted("start", way)
    grown = by_python({(3, 10): 4, (3, 11): 0})  # asyncio's own of 3.10 forgets pipes
    expected = {"failed": [TOO_MANY] * 4, "grown": grown.entry(sys.version_info[:2]), "answer": "hello\n"}
    assert seen == exhausted("start", "asyncio") == expected


@pytest.mark.parametrize("way", WAYS)
def test_a_thread_needs_no_descriptor(way):
    """to_thread works when nothing can be opened."""
    assert exhausted("thread", way) == exhausted("thread", "asyncio") == "called"


def test_a_run_without_descriptors_fails_and_leaves_none_open():
    """With a few more the next run works; a trio run takes some more than asyncio's loop alone."""
    seen = exhausted("runs", "run")
    failed = seen["outcomes"].index("ran")
    assert seen["outcomes"] == [TOO_MANY] * failed + ["ran"] * (12 - failed)
    assert seen["grown"] == exhausted("runs", "asyncio")["grown"] == 0
    assert seen["logged"] == exhausted("runs", "asyncio")["logged"] == []


def test_servers_of_trio_and_asyncio_recover_side_by_side():
    """Both are without descriptors in one process, and both answer all of their clients in the end."""
    assert exhausted("accept_in_trio", "task") == [ANSWERS, ANSWERS]
