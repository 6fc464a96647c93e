"""The programs that are timed: plain asyncio code, which gets the asyncio module it runs on as ``aio``.

A program does ``count`` units of work and times nothing but that work: ``with stopwatch:`` opens when everything it
needs stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from types import ModuleType

Stopwatch = AbstractContextManager[object]
Body = Callable[[ModuleType, int, Stopwatch], Awaitable[None]]

LONG = 3600.0  # seconds; a timeout that never expires here
MESSAGE = b"x" * 64


@dataclass(frozen=True)
class Program:
    """One row of the table: `operations` of what `unit` names are done per unit of count."""

    name: str
    title: str
    body: Body
    operations: int = 1
    needs: str | None = None


async def nothing() -> None:
    """Return at the first step."""


async def spawn_and_join(aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            await aio.create_task(nothing())


async def gather(size, aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            await aio.gather(*[nothing() for _ in range(size)])


async def sleep_zero(tasks, aio, count, stopwatch):
    async def keep_yielding():
        for _ in range(count):
            await aio.sleep(0)

    with stopwatch:
        if tasks == 1:
            await keep_yielding()
        else:
            await aio.gather(*[keep_yielding() for _ in range(tasks)])


async def future_set_by_callback(aio, count, stopwatch):
    loop = aio.get_running_loop()
    with stopwatch:
        for _ in range(count):
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future


async def future_set_by_task(aio, count, stopwatch):
    loop = aio.get_running_loop()
    ball = [loop.create_future(), loop.create_future()]

    async def volley(mine, theirs):
        for _ in range(count):
            await ball[mine]
            ball[mine] = loop.create_future()
            ball[theirs].set_result(None)

    with stopwatch:
        ball[0].set_result(None)
        await aio.gather(volley(0, 1), volley(1, 0))


async def call_soon_chain(aio, count, stopwatch):
    loop = aio.get_running_loop()
    finished = loop.create_future()

    def link(remaining):
        if remaining:
            loop.call_soon(link, remaining - 1)
        else:
            finished.set_result(None)

    with stopwatch:
        link(count)
        await finished


async def queue_ping_pong(aio, count, stopwatch):
    there, back = aio.Queue(1), aio.Queue(1)

    async def answer():
        for _ in range(count):
            await back.put(await there.get())

    partner = aio.create_task(answer())
    with stopwatch:
        for number in range(count):
            await there.put(number)
            await back.get()
    await partner


async def lock_hand_over(tasks, aio, count, stopwatch):
    lock = aio.Lock()

    async def contend():
        for _ in range(count):
            async with lock:
                pass

    # Everybody queues up behind this holder; from then on each release hands the lock over, because it is fair.
    await lock.acquire()
    contenders = [aio.create_task(contend()) for _ in range(tasks)]
    await aio.sleep(0)
    with stopwatch:
        lock.release()
        await aio.gather(*contenders)


async def wait_for(aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            await aio.wait_for(aio.sleep(0), LONG)


async def timeout(aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            async with aio.timeout(LONG):
                await aio.sleep(0)


async def task_group(tasks, aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            async with aio.TaskGroup() as group:
                for _ in range(tasks):
                    group.create_task(nothing())


async def cancel_and_await(aio, count, stopwatch):
    loop = aio.get_running_loop()

    async def wait_for_ever():
        await loop.create_future()

    with stopwatch:
        for _ in range(count):
            task = aio.create_task(wait_for_ever())
            await aio.sleep(0)
            task.cancel()
            try:
                await task
            except aio.CancelledError:
                pass


async def timers(sleepers, aio, count, stopwatch):
    # Below a millisecond and in no order: the heap has work to do, and the processor is never left waiting for long.
    delays = [index * 7919 % sleepers * 1e-6 for index in range(sleepers)]
    with stopwatch:
        for _ in range(count):
            await aio.gather(*[aio.sleep(delay) for delay in delays])


async def echo(clients, aio, count, stopwatch):
    servants = []

    async def serve(reader, writer):
        servants.append(aio.current_task())
        while message := await reader.read(len(MESSAGE)):
            writer.write(message)
            await writer.drain()
        writer.close()

    async def talk(reader, writer):
        for _ in range(count):
            writer.write(MESSAGE)
            await reader.readexactly(len(MESSAGE))

    server = await aio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    connections = [await aio.open_connection(*address[:2]) for _ in range(clients)]
    with stopwatch:
        await aio.gather(*[talk(reader, writer) for reader, writer in connections])
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    await aio.gather(*servants)


async def to_thread(aio, count, stopwatch):
    with stopwatch:
        for _ in range(count):
            await aio.to_thread(int)


async def wake_waiting(tasks, aio, count, stopwatch):
    """Create `tasks` tasks that wait, each on a future of its own, then wake and join all of them."""
    loop = aio.get_running_loop()

    async def wait(future):
        await future

    with stopwatch:
        for _ in range(count):
            futures = [loop.create_future() for _ in range(tasks)]
            waiting = [aio.create_task(wait(future)) for future in futures]
            await aio.sleep(0)
            for future in futures:
                future.set_result(None)
            for task in waiting:
                await task


SPEED = [
    Program("spawn", "spawn + join", spawn_and_join),
    Program("gather_100", "gather of 100, per child", partial(gather, 100), operations=100),
    Program("sleep0_1", "sleep(0), 1 task", partial(sleep_zero, 1)),
    Program("sleep0_100", "sleep(0), 100 tasks", partial(sleep_zero, 100), operations=100),
    Program("future_callback", "future set by a callback", future_set_by_callback),
    Program("future_task", "future set by another task", future_set_by_task, operations=2),
    Program("call_soon", "call_soon chain", call_soon_chain),
    Program("queue", "Queue(1) ping-pong, per round trip", queue_ping_pong),
    Program("lock", "Lock hand-over among 10 tasks", partial(lock_hand_over, 10), operations=10),
    Program("wait_for", "wait_for of sleep(0)", wait_for),
    Program("timeout", "timeout around sleep(0)", timeout, needs="timeout"),
    Program("task_group", "TaskGroup of 10, per child", partial(task_group, 10), operations=10, needs="TaskGroup"),
    Program("cancel", "spawn, cancel, await", cancel_and_await),
    Program("timers", "1,000 short sleeps, per sleep", partial(timers, 1000), operations=1000),
    Program("echo_1", "TCP echo, 1 client", partial(echo, 1)),
    Program("echo_100", "TCP echo, 100 clients", partial(echo, 100), operations=100),
    Program("to_thread", "to_thread", to_thread),
]

GROWTH = [
    Program(f"waiting_{size}", f"{size:,} waiting tasks", partial(wake_waiting, size), operations=size)
    for size in (100, 1_000, 10_000, 100_000)
]

PROGRAMS = {program.name: program for program in SPEED + GROWTH}
