"""Everything of trio's may be awaited in an asyncio Task, with no adapter around it."""

import asyncio
import signal
import socket
import sys

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import asyncio_program, either_program, now, real

# -- synchronisation: two Tasks meet


@asyncio_program
async def test_a_trio_semaphore_lets_so_many_tasks_in():
    """A trio.Semaphore(2) has at most two Tasks inside, and lets the next in when one leaves."""
    semaphore, inside, most = trio.Semaphore(2), [], []

    async def worker(name):
        async with semaphore:
            inside.append(name)
            most.append(len(inside))
            await asyncio.sleep(1)
            inside.remove(name)

    await asyncio.gather(*(worker(name) for name in range(5)))
    assert max(most) == 2
    assert (now(), semaphore.value) == (3, 2)


@asyncio_program
async def test_a_trio_condition_wakes_the_tasks_that_wait():
    """notify_all() of a trio.Condition wakes all Tasks that wait, each with the lock."""
    condition, log = trio.Condition(), []

    async def waiter(name):
        async with condition:
            await condition.wait()
            log.append((name, condition.statistics().lock_statistics.owner is trio.lowlevel.current_task()))

    tasks = [trioasync.create_task(waiter(name)) for name in "ab"]
    await asyncio.sleep(1)
    async with condition:
        condition.notify_all()
    await asyncio.gather(*tasks)
    assert sorted(log) == [("a", True), ("b", True)]


@asyncio_program
async def test_a_capacity_limiter_counts_tasks_as_borrowers():
    """A Task that borrows from a CapacityLimiter is the borrower, and its token comes back."""
    limiter = trio.CapacityLimiter(1)

    async def worker():
        async with limiter:
            assert limiter.statistics().borrowers == [trio.lowlevel.current_task()]
            await asyncio.sleep(1)

    await asyncio.gather(worker(), worker())
    assert (now(), limiter.borrowed_tokens) == (2, 0)


@asyncio_program
async def test_a_parking_lot_wakes_parked_tasks_in_their_order():
    """ParkingLot.unpark(count=2) wakes the two Tasks that have parked first."""
    lot, log = trio.lowlevel.ParkingLot(), []

    async def parker(name):
        await lot.park()
        log.append(name)

    tasks = []
    for name in "abc":
        tasks.append(trioasync.create_task(parker(name)))
        await asyncio.sleep(1)
    lot.unpark(count=2)
    await asyncio.sleep(1)
    assert sorted(log) == ["a", "b"]
    lot.unpark()
    await asyncio.gather(*tasks)
    assert log[-1] == "c"


@either_program
async def test_a_memory_channel_joins_the_two_worlds():
    """A plain trio task sends through a memory channel of no buffer to a Task."""
    send, receive = trio.open_memory_channel(0)

    async def consumer():
        return [item async for item in receive]

    task = trioasync.create_task(consumer())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send.send, 1)
        await send.send(2)
    send.close()
    assert sorted(await task) == [1, 2]


# -- the world outside


@asyncio_program
async def test_streams_of_trio_carry_bytes_between_tasks():
    """Both ends of a trio stream may be in Tasks."""
    left, right = trio.testing.memory_stream_pair()

    async def echo():
        await right.send_all((await right.receive_some(100)).upper())

    _, answer = await asyncio.gather(echo(), ask(left))
    assert answer == b"HELLO"


async def ask(stream):
    await stream.send_all(b"hello")
    return await stream.receive_some(100)


@asyncio_program(clock=real)
async def test_a_trio_server_and_its_client_in_tasks():
    """serve_tcp runs as a Task, and another Task connects with open_tcp_stream; cancelling ends the server."""

    async def handle(stream):
        await stream.send_all((await stream.receive_some(100)).upper())

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    server = trioasync.create_task(trio.serve_listeners(handle, [listener]))
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        assert await ask(stream) == b"HELLO"
    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server


@asyncio_program(clock=real)
async def test_trio_sockets_in_tasks():
    """trio.socket's sockets listen, connect and carry datagrams between Tasks."""
    with trio.socket.socket() as listener, trio.socket.socket() as client:
        await listener.bind(("127.0.0.1", 0))
        listener.listen()
        (accepted, _), _ = await asyncio.gather(listener.accept(), client.connect(listener.getsockname()))
        with accepted:
            await client.send(b"hello")
            assert await accepted.recv(10) == b"hello"
    with trio.socket.socket(type=socket.SOCK_DGRAM) as left, trio.socket.socket(type=socket.SOCK_DGRAM) as right:
        await left.bind(("127.0.0.1", 0))
        (data, _), _ = await asyncio.gather(left.recvfrom(10), right.sendto(b"datagram", left.getsockname()))
        assert data == b"datagram"


@asyncio_program(clock=real)
async def test_one_descriptor_is_used_by_trio_and_then_by_asyncio():
    """A socket that trio has waited for can be given to the loop's sock_recv, and back."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        loop = asyncio.get_running_loop()
        for byte in (b"1", b"2"):
            loop.call_later(0.01, right.send, byte)
            await trio.lowlevel.wait_readable(left)
            assert left.recv(1) == byte
            loop.call_later(0.01, right.send, byte)
            assert await loop.sock_recv(left, 1) == byte


@asyncio_program(clock=real)
async def test_a_trio_thread_calls_back_into_the_task():
    """A function in to_thread.run_sync, called from a Task, may run async functions of both worlds by from_thread."""

    async def back(number):
        await asyncio.sleep(0)
        await trio.sleep(0)
        return number + 1

    def work(number):
        return trio.from_thread.run(back, number)

    assert await trio.to_thread.run_sync(work, 41) == 42


@asyncio_program(clock=real)
async def test_trio_runs_processes_in_a_task():
    """trio.run_process in a Task gives what the process printed, and its code."""
    done = await trio.run_process(
        [sys.executable, "-c", "import sys; print(sys.stdin.read()[::-1], end=''); sys.exit(3)"],
        stdin=b"abc", capture_stdout=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == (b"cba", 3)


@asyncio_program(clock=real)
async def test_a_task_receives_signals_as_trio_does():
    """open_signal_receiver in a Task gives the signals that arrive."""
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        asyncio.get_running_loop().call_later(0.01, signal.raise_signal, signal.SIGUSR1)
        async for number in signals:
            assert number == signal.SIGUSR1
            break


@asyncio_program(clock=real)
async def test_trio_paths_are_read_and_written_in_a_task(tmp_path):
    """trio.Path does its I/O in threads from a Task as well."""
    path = trio.Path(tmp_path) / "file"
    await path.write_text("text")
    async with await path.open() as file:
        assert [line async for line in file] == ["text"]
