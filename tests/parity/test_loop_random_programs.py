"""Random programs of tasks, callbacks, futures, timers and cancellations give the same log on both sides."""

import asyncio
import dataclasses
import random

import pytest

from tests.support.observation import observe
from tests.support.outcomes import outcome_of_await
from tests.support.sides import STOCK, TRIO, prepare

SEEDS = range(60)
LIMIT = 20  # seconds of real time


class Program:
    """A program drawn from a seed: what each task does next depends on nothing but the seed and the order of steps."""

    def __init__(self, seed, aio, log):
        self.random, self.aio, self.log = random.Random(seed), aio, log
        self.tasks, self.futures, self.locks, self.queue = [], [], [], None

    async def main(self):
        self.loop = self.aio.get_running_loop()
        self.locks, self.queue = [self.aio.Lock() for _ in range(2)], self.aio.Queue(2)
        for _ in range(4):
            self.spawn()
        for _ in range(15):
            await self.act("main")
        while any(not task.done() for task in self.tasks):
            for task in self.tasks:
                task.cancel("by the end")
            await self.aio.sleep(0)
        for task in self.tasks:
            self.log("end", task.get_name(), await outcome_of_await(task), task.cancelled())

    def spawn(self):
        name = f"t{len(self.tasks)}"
        task = self.aio.create_task(self.body(name), name=name)
        task.add_done_callback(lambda done: self.log("done", name))
        self.tasks.append(task)

    async def body(self, name):
        for _ in range(self.random.randrange(1, 8)):
            try:
                await self.act(name)
            except asyncio.CancelledError as raised:
                self.log("cancelled", name, raised.args)
                if self.random.random() < 0.5:
                    raise
        if self.random.random() < 0.2:
            raise ValueError(name)
        return name

    async def act(self, name):
        action = self.random.choice(self.ACTIONS)
        self.log(name, action.__name__)
        await action(self, name)
        self.log(name, "went on")

    async def give_way(self, name):
        await self.aio.sleep(0)

    async def sleep(self, name):
        # With a random fraction no two deadlines are equal: asyncio leaves the order of equal ones open.
        await self.aio.sleep(self.random.randrange(4) + self.random.random())

    async def call(self, name):
        self.loop.call_soon(self.log, "called", name)

    async def set_timer(self, name):
        delay = self.random.randrange(-1, 3) + self.random.random()
        handle = self.loop.call_later(delay, self.log, "timer", name)
        if self.random.random() < 0.3:
            self.loop.call_soon(handle.cancel)

    async def begin_a_task(self, name):
        if len(self.tasks) < 12:
            self.spawn()

    async def wait_for_a_future(self, name):
        if name != "main":  # which nobody would set free
            future = self.loop.create_future()
            self.futures.append(future)
            await future

    async def resolve_a_future(self, name):
        if self.futures:
            future = self.futures.pop(self.random.randrange(len(self.futures)))
            if not future.done():
                future.set_result(name)

    async def cancel_a_task(self, name):
        task = self.random.choice(self.tasks)
        self.log("cancel", task.get_name(), task.cancel(f"by {name}"))

    async def wait_for_a_task(self, name):
        task = self.random.choice(self.tasks)
        if task is not self.aio.current_task():
            done, pending = await self.aio.wait([task], timeout=1 + self.random.random())
            self.log(name, "waited", len(done), len(pending))

    async def wait_in_vain(self, name):
        timeout = 1 + self.random.random()
        self.log(name, await outcome_of_await_unless_cancelled(self.aio.wait_for(self.aio.Event().wait(), timeout)))

    async def hold_a_lock(self, name):
        async with self.random.choice(self.locks):
            self.log(name, "holds a lock")
            await self.aio.sleep(0)

    async def put(self, name):
        self.queue.put_nowait(name) if not self.queue.full() else await self.aio.sleep(0)

    async def get(self, name):
        if not self.queue.empty():
            self.log(name, "got", await self.queue.get())

    async def gather(self, name):
        results = await self.aio.gather(self.aio.sleep(0, 1), self.give_way(name), return_exceptions=True)
        self.log(name, results)

    async def shield(self, name):
        await self.aio.shield(self.aio.sleep(self.random.random()))

    ACTIONS = (
        give_way,
        give_way,
        sleep,
        call,
        set_timer,
        begin_a_task,
        wait_for_a_future,
        resolve_a_future,
        resolve_a_future,
        cancel_a_task,
        wait_for_a_task,
        wait_in_vain,
        hold_a_lock,
        put,
        get,
        gather,
        shield,
    )


async def outcome_of_await_unless_cancelled(awaitable):
    """Await and return the outcome; a cancellation goes on."""
    try:
        return await awaitable
    except asyncio.CancelledError:
        raise
    except Exception as raised:
        return type(raised).__name__, raised.args


def run_program(side, seed):
    """Run the program of a seed on one side, and return its Observation as a dictionary."""
    clock, namespace = prepare(side, "virtual")

    def start(log):
        return namespace.run(Program(seed, side.module, log).main())

    seen = dataclasses.asdict(observe(start, clock, limit=LIMIT))
    return seen | {"traceback": "", "logged": sorted(seen["logged"]), "seconds": round(seen["seconds"], 3)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_program_gives_the_same_log_on_both_sides(seed):
    """A random program of tasks, timers, futures and cancellations does the same things in the same order."""
    stock, hosted = run_program(STOCK, seed), run_program(TRIO, seed)
    assert len(stock["events"]) > 20
    assert hosted == stock
