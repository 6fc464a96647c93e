"""Descriptors that a program watches itself, and one descriptor used by asyncio and by trio."""

import asyncio
import os
import socket

import pytest
import trio
import trio.testing

from tests.network.peers import Told, one_turn, socket_pair
from tests.network.ways import WAYS, everywhere
from tests.support.observation import time_limit
from tests.support.parity import stable


@everywhere(returns=[True, b"x", True, False])
async def test_a_reader_is_called_while_there_is_something_to_read(aio):
    """add_reader with arguments; remove_reader tells whether there was one."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        seen = loop.create_future()
        loop.add_reader(left, lambda *given: seen.done() or seen.set_result(given), 1, "two")
        right.send(b"x")
        called = await seen == (1, "two")
        removed = [loop.remove_reader(left), loop.remove_reader(left)]
        return [called, left.recv(10), *removed]


@everywhere(events=["writable", "writable", "readable"])
async def test_one_descriptor_has_a_reader_and_a_writer(aio, log):
    """Each is called as its side is ready, again and again, and removed by itself."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        over, count = loop.create_future(), 0

        def writable():
            nonlocal count
            count += 1
            log("writable")
            if count == 2:
                loop.remove_writer(left)
                right.send(b"x")

        def readable():
            log("readable")
            loop.remove_reader(left)
            over.set_result(None)

        loop.add_reader(left, readable)
        loop.add_writer(left, writable)
        await over


@everywhere(events=["second reader", "second writer"])
async def test_a_second_reader_takes_the_place_of_the_first(aio, log):
    """So it is with writers; the first is not called any more."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        for add, remove, role in (
            (loop.add_reader, loop.remove_reader, "reader"),
            (loop.add_writer, loop.remove_writer, "writer"),
        ):
            called = asyncio.Event()

            def second(remove=remove, role=role, called=called):
                log(f"second {role}")
                remove(left)
                called.set()

            add(left, log, f"first {role}")
            add(left, second)
            right.send(b"x")
            await called.wait()


@everywhere(returns=[b"x", True])
async def test_a_number_serves_as_well_as_an_object(aio):
    """A descriptor added by its number is removed by the object."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        seen = loop.create_future()
        loop.add_reader(left.fileno(), lambda: seen.done() or seen.set_result(left.recv(1)))
        right.send(b"x")
        return [await seen, loop.remove_reader(left)]


@everywhere(returns=[b"x", True], logged=["ERROR Exception in callback fail() at test_descriptors.py:…"])
async def test_a_reader_that_fails_is_reported(aio):
    """And called again while there is something to read."""
    loop, calls = aio.get_running_loop(), []
    with socket_pair() as (left, right):
        seen = loop.create_future()

        def fail():
            calls.append(None)
            if len(calls) == 1:
                raise ZeroDivisionError("in a reader")
            loop.remove_reader(left)
            seen.set_result(left.recv(1))

        fail.__qualname__ = "fail"
        loop.add_reader(left, fail)
        right.send(b"x")
        return [await seen, len(calls) == 2]


OF_A_TRANSPORT = "is used by transport <_SelectorSocketTransport fd=… read=polling write=<idle, bufsize=0>>"


@pytest.mark.parametrize("method", ["add_reader", "add_writer", "remove_reader", "remove_writer"])
@everywhere(returns=f"File descriptor … {OF_A_TRANSPORT}")
async def test_the_descriptor_of_a_transport_is_the_transports(aio, method):
    """A program that watches it itself gets RuntimeError."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, _):
        transport, protocol = await loop.create_connection(Told, sock=left)
        with pytest.raises(RuntimeError) as raised:
            getattr(loop, method)(left.fileno(), *([print] if method.startswith("add") else []))
        text = str(raised.value).replace(f" {left.fileno()} ", " … ").replace(f"fd={left.fileno()}", "fd=…")
        transport.abort()
        await protocol.lost
        return stable(text)


@everywhere(returns=[b"late", True])
async def test_a_reader_added_from_a_thread_by_call_soon_threadsafe(aio):
    """An idle loop begins to watch at once."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        seen = loop.create_future()
        right.send(b"late")

        def watch():
            loop.add_reader(left, lambda: seen.done() or seen.set_result(left.recv(10)))

        await loop.run_in_executor(None, loop.call_soon_threadsafe, watch)
        return [await seen, loop.remove_reader(left)]


@pytest.mark.skipif("sys.platform != 'linux'", reason="what may be watched is the selector's to say")
@everywhere(returns=["PermissionError", "ValueError", "OSError"])
async def test_what_cannot_be_watched_is_an_error(aio, tmp_path):
    """A regular file, a number that is none, and a descriptor that is closed."""
    loop, errors = aio.get_running_loop(), []
    with (tmp_path / "file").open("wb") as file, socket_pair() as (left, _):
        closed = left.detach()
        os.close(closed)
        for descriptor in (file, -1, closed):
            try:
                loop.add_reader(descriptor, print)
            except (OSError, ValueError) as error:
                errors.append(type(error).__name__)
    return errors


# One descriptor, two libraries

OURS = pytest.mark.parametrize("way", WAYS)


def run(way, body):
    """Run an async function on trioasync in one of the ways, within ten seconds."""

    async def main():
        return await asyncio.wait_for(body(), 10)

    with time_limit(15):
        return WAYS[way](lambda aio: main(), None)


@OURS
def test_io_goes_on_after_trio_has_waited_until_all_tasks_are_blocked(way):
    """That wait needs trio itself to wait, and the loop's descriptors wake it."""

    async def body():
        loop, received = asyncio.get_running_loop(), []
        with socket_pair() as (left, right):
            for number in range(5):
                receiving = asyncio.ensure_future(loop.sock_recv(left, 10))
                await trio.testing.wait_all_tasks_blocked()
                loop.call_later(0.001, right.send, b"%d" % number)
                received.append(await receiving)
        return b"".join(received)

    assert run(way, body) == b"01234"


@OURS
@pytest.mark.parametrize("first", ["trio", "asyncio"])
def test_both_may_wait_for_one_descriptor(way, first):
    """Both are told when it is readable, whoever has begun to wait first."""

    async def body():
        loop, told = asyncio.get_running_loop(), []
        with socket_pair() as (left, right):
            seen = asyncio.Event()

            def readable():
                loop.remove_reader(left)
                told.append("asyncio")
                seen.set()

            async def in_trio(task_status=trio.TASK_STATUS_IGNORED):
                task_status.started()
                await trio.lowlevel.wait_readable(left)
                told.append("trio")

            async with trio.open_nursery() as nursery:
                if first == "asyncio":
                    loop.add_reader(left, readable)
                await nursery.start(in_trio)
                if first == "trio":
                    await trio.testing.wait_all_tasks_blocked()
                    loop.add_reader(left, readable)
                right.send(b"x")
                await seen.wait()
        return sorted(told)

    assert run(way, body) == ["asyncio", "trio"]


@OURS
def test_both_may_receive_from_one_socket(way):
    """Each byte goes to one of them, and none is lost."""

    async def body():
        loop, received = asyncio.get_running_loop(), []
        with socket_pair() as (left, right):
            in_trio = trio.socket.from_stdlib_socket(left.dup())

            async def by_trio():
                received.append(await in_trio.recv(1))

            async def by_asyncio():
                received.append(await loop.sock_recv(left, 1))

            with in_trio:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(by_trio)
                    nursery.start_soon(by_asyncio)
                    await trio.testing.wait_all_tasks_blocked()
                    right.send(b"1")
                    while not received:
                        await trio.sleep(0)
                    right.send(b"2")
        return received

    assert run(way, body) == [b"1", b"2"]


@OURS
def test_one_reads_while_the_other_writes(way):
    """asyncio waits for data, trio for room."""

    async def body():
        loop = asyncio.get_running_loop()
        with socket_pair() as (left, right):
            reading = asyncio.ensure_future(loop.sock_recv(left, 10))
            await one_turn()
            await trio.lowlevel.wait_writable(left)
            right.send(b"data")
            return await reading

    assert run(way, body) == b"data"


@OURS
def test_trio_may_wait_for_the_socket_of_a_transport(way):
    """wait_readable on what asyncio reads from is told too."""

    async def body():
        with socket_pair() as (left, right):
            transport, protocol = await asyncio.get_running_loop().create_connection(Told, sock=left)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.lowlevel.wait_readable, left.fileno())
                await trio.testing.wait_all_tasks_blocked()
                right.send(b"data")
            data = await protocol.has(4)
            transport.abort()
            await protocol.lost
            return data

    assert run(way, body) == b"data"


@OURS
def test_two_waits_of_trio_are_an_error_of_trio(way):
    """The second caller gets BusyResourceError, as in any trio program."""

    async def body():
        with socket_pair() as (left, right):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.lowlevel.wait_readable, left)
                await trio.testing.wait_all_tasks_blocked()
                with pytest.raises(trio.BusyResourceError):
                    await trio.lowlevel.wait_readable(left)
                right.send(b"x")
            return "told"

    assert run(way, body) == "told"


@OURS
def test_a_wait_for_what_trio_has_closed_ends_when_it_is_cancelled(way):
    """asyncio is not told of a descriptor that is closed behind its back: its wait is no hang that cannot be ended."""

    async def body():
        left, right = socket.socketpair()
        left.setblocking(False)
        with right:
            in_trio = trio.socket.from_stdlib_socket(left)
            reading = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(left, 10))
            await one_turn()
            in_trio.close()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reading, 0.05)
            return reading.cancelled()

    assert run(way, body)
