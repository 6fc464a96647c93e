"""Processes that a hosted program makes of itself: by os.fork, and by multiprocessing."""

import asyncio
import contextlib
import multiprocessing
import os
import pathlib
import subprocess
import sys
import textwrap
import warnings

import pytest
import trio

import trioasync
from tests.network.peers import socket_pair
from tests.network.ways import WAYS
from tests.support.observation import time_limit

ROOT = pathlib.Path(trioasync.__file__).parent.parent

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")


def run(way, body):
    """Run an async function on trioasync in one of the ways, within 30 seconds."""
    with time_limit(30):
        return WAYS[way](lambda aio: body(), None)


def fork(child):
    """Call a function in a forked child, whose exit code is what it returns; return the child's number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        number = os.fork()
    if number == 0:
        code = 99
        try:
            code = child()
        finally:
            os._exit(code)
    return number


async def exit_code(number):
    """Wait for a child in a thread, while the loop and trio go on."""
    _, status = await trio.to_thread.run_sync(os.waitpid, number, 0)
    return os.waitstatus_to_exitcode(status)


async def talk():
    """Use asyncio and trio a little, and return 7."""
    with socket_pair() as (left, right):
        receiving = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(left, 10))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 0.001)
        right.send(b"seven")
        return 7 if await receiving == b"seven" else 1


def talk_in_a_trio_program():
    """The same in a trio program that opens a loop."""

    async def main():
        async with trioasync.open_loop():
            return await talk()

    return trio.run(main)


CHILDREN = {
    "run": lambda: trioasync.run(talk()),
    "trio": talk_in_a_trio_program,
    "asyncio": lambda: asyncio.run(_talk_on_asyncio()),
    "two runs": lambda: trioasync.run(talk()) and trioasync.run(talk()),
}


async def _talk_on_asyncio():
    await asyncio.sleep(0.001)
    return 7


@needs_fork
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("child", CHILDREN)
def test_a_forked_child_runs_a_loop_of_its_own_and_the_parent_goes_on(way, child):
    """os.fork() in a Task or trio task; the child knows nothing of the parent's run."""

    async def body():
        code = await exit_code(fork(CHILDREN[child]))
        return code, await talk()

    assert run(way, body) == (7, 7)


@needs_fork
def test_many_children_at_once():
    """Each has a run of its own, and the parent waits for all."""

    async def body():
        children = [fork(CHILDREN["run"]) for _ in range(5)]
        codes = await asyncio.gather(*(asyncio.ensure_future(exit_code(each)) for each in children))
        return codes, await talk()

    assert run("run", body) == ([7] * 5, 7)


@needs_fork
def test_a_child_of_a_callback_runs_a_loop():
    """The same in a callback of the loop, where no Task runs."""

    async def body():
        loop = asyncio.get_running_loop()
        child = loop.create_future()
        loop.call_soon(lambda: child.set_result(fork(CHILDREN["run"])))
        return await exit_code(await child)

    assert run("run", body) == 7


@needs_fork
def test_a_child_of_a_thread_runs_a_loop():
    """The same in a thread of the default executor."""

    async def body():
        loop = asyncio.get_running_loop()
        return await exit_code(await loop.run_in_executor(None, fork, CHILDREN["run"]))

    assert run("run", body) == 7


# multiprocessing


def answer(connection):
    """Be a child of multiprocessing: run a loop, and send what came of it."""
    connection.send(trioasync.run(talk()))
    connection.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_of_multiprocessing_runs_a_loop(way, method):
    """Started from inside a run in each of its ways, read from and joined by the loop."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform does not {method}")

    async def body():
        context = multiprocessing.get_context(method)
        ours, theirs = context.Pipe()
        with contextlib.closing(ours):
            process = context.Process(target=answer, args=(theirs,))
            process.start()
            theirs.close()
            loop, readable = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(ours.fileno(), readable.set)
            await readable.wait()
            loop.remove_reader(ours.fileno())
            answered = ours.recv()
            await loop.run_in_executor(None, process.join)
            with contextlib.closing(process):
                return answered, process.exitcode

    assert run(way, body) == (7, 0)


def test_a_spawned_child_of_an_installed_parent_has_plain_asyncio(tmp_path):
    """install() is of the process that called it."""
    code = """
        import asyncio, multiprocessing, sys, trioasync

        async def kind():
            return type(asyncio.get_running_loop()).__module__

        def child(queue):
            queue.put(asyncio.run(kind()))

        if __name__ == "__main__":
            with trioasync.install():
                context = multiprocessing.get_context("spawn")
                queue = context.SimpleQueue()
                process = context.Process(target=child, args=(queue,))
                process.start()
                print(queue.get(), asyncio.run(kind()))
                process.join()
        """
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(code))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert done.stdout == "asyncio.unix_events trioasync.loop\n"
