"""Executors of other kinds than threads, and the threads of the default one beside trio."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import sys
import threading
import warnings

import pytest
import trio

import trioasync
from tests.network.ways import everywhere
from tests.support.elsewhere import double, fail, leave
from tests.support.outcomes import outcome_of_await
from tests.support.parity import parity


def pool_of_one_process(context):
    """A ProcessPoolExecutor whose process is started in one way."""
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=context)


@contextlib.contextmanager
def ignoring_that_threads_do_not_survive_a_fork():
    """The warning of Python 3.12 and later about a process with threads: here they are idle."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows only spawns")
@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
@parity(clock="real", returns=[42, ("ValueError", ("in the executor",)), True], limit=60)
async def test_processes_started_in_each_way(aio, method):
    """A pool of processes gives results and exceptions, and its processes are others."""
    loop = aio.get_running_loop()
    context = multiprocessing.get_context(method)
    with ignoring_that_threads_do_not_survive_a_fork(), pool_of_one_process(context) as pool:
        return [
            await loop.run_in_executor(pool, double, 21),
            await outcome_of_await(loop.run_in_executor(pool, fail)),
            await loop.run_in_executor(pool, os.getpid) != os.getpid(),
        ]


@everywhere(returns=["BrokenProcessPool", 4], limit=60, ways=["run", "adopted"])
async def test_a_process_that_dies_is_an_error_at_the_await(aio):
    """The pool is broken, and another one works."""
    loop = aio.get_running_loop()
    context = multiprocessing.get_context("spawn")
    with pool_of_one_process(context) as pool:
        try:
            await loop.run_in_executor(pool, leave)
        except concurrent.futures.BrokenExecutor as error:
            died = type(error).__name__
    with pool_of_one_process(context) as pool:
        return [died, await loop.run_in_executor(pool, double, 2)]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="interpreters have an executor since Python 3.14")
@everywhere(returns=[42, "builtins.ValueError", True], limit=60)
async def test_interpreters(aio):
    """A pool of interpreters gives results and exceptions of functions run in them."""
    loop = aio.get_running_loop()
    with concurrent.futures.InterpreterPoolExecutor(1) as pool:
        doubled = await loop.run_in_executor(pool, double, 21)
        try:
            await loop.run_in_executor(pool, fail)
        except Exception as error:
            failed = f"{type(error).__module__}.{type(error).__name__}"
        same_process = await loop.run_in_executor(pool, os.getpid) == os.getpid()
        return [doubled, failed, same_process]


# Trio's threads


def test_the_default_executor_runs_in_threads_of_trios():
    """Its functions may call trio back."""

    async def main():
        loop = trioasync.get_running_loop()
        return await loop.run_in_executor(None, trio.from_thread.run, trio.sleep, 0)

    assert trioasync.run(main()) is None


def test_the_default_executor_keeps_to_the_limit_of_trio():
    """Further functions wait until a thread is free, and none is lost."""

    async def main():
        loop, at_once, most = trioasync.get_running_loop(), 0, 0
        counted, let_go = threading.Lock(), threading.Semaphore(0)
        trio.to_thread.current_default_thread_limiter().total_tokens = 3

        def work(number):
            nonlocal at_once, most
            with counted:
                at_once += 1
                most = max(most, at_once)
            let_go.acquire(timeout=10)
            with counted:
                at_once -= 1
            return number

        futures = [loop.run_in_executor(None, work, number) for number in range(9)]
        while at_once < 3:
            await trio.sleep(0.001)
        for _ in futures:
            let_go.release()
        return [await future for future in futures], most

    assert trioasync.run(main()) == ([*range(9)], 3)
