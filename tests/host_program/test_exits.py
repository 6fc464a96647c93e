"""KeyboardInterrupt and SystemExit raised anywhere in asyncio code end the program it runs in, after its clean-up."""

import asyncio
import contextlib
import functools
import os
import sys

import pytest
import trio

import trioasync
from tests.mixing.ways import real, run_plain_trio, virtual
from tests.support.observation import time_limit
from tests.support.parity import parity

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

EXITS = [KeyboardInterrupt, SystemExit]
every_exit = pytest.mark.parametrize("error", EXITS)


class Handler:
    """A place of the program that raises; it keeps what must not be collected."""

    def __init__(self, error):
        self.error, self.kept = error, []

    def exits(self, *args):
        raise self.error("why")

    async def exits_in_task(self, *waits):
        for wait in waits:
            await wait(1)
        self.exits()

    def start(self, coro):
        task = trioasync.create_task(coro)
        task.add_done_callback(lambda task: task.cancelled() or task.exception())  # it counts as retrieved
        self.kept.append(task)

    # -- the places

    def call_soon(self, loop):
        loop.call_soon(self.exits)

    def call_later(self, loop):
        loop.call_later(1, self.exits)

    def call_soon_threadsafe(self, loop):
        loop.call_soon_threadsafe(self.exits)

    def done_callback_of_a_future(self, loop):
        future = loop.create_future()
        future.add_done_callback(self.exits)
        loop.call_later(1, future.set_result, None)

    def done_callback_of_a_task(self, loop):
        loop.create_task(trio.sleep(1)).add_done_callback(self.exits)

    def reader(self, loop):
        read, write = os.pipe()

        def exits_once():
            loop.remove_reader(read)
            self.exits()

        loop.add_reader(read, exits_once)
        os.write(write, b"x")

        self.kept += [functools.partial(os.close, read), functools.partial(os.close, write)]

    def exception_handler(self, loop):
        loop.set_exception_handler(self.exits)
        loop.call_soon(lambda: 1 / 0)

    def task_at_once(self, loop):
        self.start(self.exits_in_task())

    def task_after_asyncio(self, loop):
        self.start(self.exits_in_task(asyncio.sleep))

    def task_after_trio(self, loop):
        self.start(self.exits_in_task(trio.sleep))

    def task_between_both(self, loop):
        self.start(self.exits_in_task(trio.sleep, asyncio.sleep, trio.sleep))

    def task_inside_a_shield(self, loop):
        async def shielded():
            with trio.CancelScope(shield=True):
                await self.exits_in_task(trio.sleep)

        self.start(shielded())

    def task_in_its_clean_up_after_cancel(self, loop):
        async def cleans_up():
            try:
                await trio.sleep(100)
            finally:
                await trio.sleep(1)
                self.exits()

        self.start(cleans_up())
        loop.call_later(1, self.kept[-1].cancel)

    def finalizer_of_an_async_generator(self, loop):
        async def numbers():
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                self.exits()

        async def iterates():
            async for _ in numbers():
                break  # collected now, the generator is closed by a Task of the loop's

        self.start(iterates())


PLACES = [name for name in vars(Handler) if name not in ("exits", "exits_in_task", "start") and name[0] != "_"]
every_place = pytest.mark.parametrize("place", PLACES)


async def worker(log):
    """Wait for ever, and clean up with awaits of both worlds."""
    try:
        await asyncio.sleep(1000)
    finally:
        await trio.sleep(0.01)
        await asyncio.sleep(0.01)
        log.append("worker")


async def numbers(log):
    try:
        yield 1
    finally:
        await asyncio.sleep(0.01)
        log.append("generator")


async def prepare(handler, place, log):
    """Have something to clean up in each phase of closing, and have the place raise, if one is given."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    generator = numbers(log)
    await generator.__anext__()
    handler.kept += [trioasync.create_task(worker(log)), generator]
    await asyncio.sleep(0)
    if place is not None:
        getattr(handler, place)(loop)


def tidy(handler):
    for each in handler.kept:
        if callable(each):
            each()


@every_exit
@every_place
def test_it_ends_an_open_loop(place, error):
    """The body is cancelled, the loop goes through its phases, and the exception comes out as it was raised."""
    handler, log = Handler(error), []

    async def main():
        async with trioasync.open_loop():
            try:
                await trioasync.create_task(prepare(handler, place, log))
                await trio.sleep(100)
            except trio.Cancelled:
                log.append("body")
                raise

    with pytest.raises(error, match="why"):
        run_plain_trio(main, real if place in ("reader", "call_soon_threadsafe") else virtual)
    tidy(handler)
    assert log == ["body", "worker", "generator"]


@every_exit
@every_place
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
def test_it_ends_run(place, error, wait):
    """The main task is cancelled in asyncio and in trio, the loop goes through its phases, and run() raises it."""
    handler, log = Handler(error), []

    async def main():
        await prepare(handler, place, log)
        try:
            await wait(100)
        except asyncio.CancelledError:
            log.append("main")
            raise

    clock = real() if place in ("reader", "call_soon_threadsafe") else virtual()
    with time_limit(10), pytest.raises(error, match="why"):
        trioasync.run(main(), clock=clock)
    tidy(handler)
    assert log == ["main", "worker", "generator"]


@every_exit
@every_place
def test_it_ends_run_forever(place, error):
    """A loop that is run by hand raises it, cleans nothing up, and can be run again."""
    handler, log = Handler(error), []
    clock = real() if place in ("reader", "call_soon_threadsafe") else virtual()
    with time_limit(10), contextlib.closing(trioasync.EventLoop(clock=clock)) as loop:
        loop.create_task(prepare(handler, place, log))
        with pytest.raises(error, match="why"):
            loop.run_forever()
        assert log == []
        tidy(handler)
        assert loop.run_until_complete(asyncio.sleep(0.01, "again")) == "again"
        handler.kept[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(handler.kept[0])
        loop.run_until_complete(loop.shutdown_asyncgens())
    assert log == ["worker", "generator"]


@every_exit
def test_a_callback_that_raises_it_in_each_turn(error):
    """A descriptor that stays ready has its callback called again and again; the program ends all the same."""
    handler, log = Handler(error), []
    read, write = os.pipe()

    async def main():
        async with trioasync.open_loop() as loop:
            try:
                await trioasync.create_task(prepare(handler, None, log))
                loop.add_reader(read, handler.exits)
                os.write(write, b"x")
                await trio.sleep(100)
            except trio.Cancelled:
                await trio.lowlevel.cancel_shielded_checkpoint()
                raise

    with pytest.raises(error, match="why"):
        run_plain_trio(main, real)
    os.close(read)
    os.close(write)
    assert log == (["worker", "generator"] if error is SystemExit else [])


# -- while the loop closes


def in_clean_up_of_a_task(handler, log):
    async def cleans_up():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.005)  # by now the worker cleans up, too
            log.append("task")
            handler.exits()

    handler.start(cleans_up())


def in_clean_up_of_a_task_in_trio(handler, log):
    async def cleans_up():
        try:
            await trio.sleep(1000)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.005)
            log.append("task")
            handler.exits()

    handler.start(cleans_up())


def in_clean_up_of_an_async_generator(handler, log):
    async def exits_at_its_end():
        try:
            yield 1
        finally:
            await asyncio.sleep(0.1)  # the other generator has ended
            log.append("task")
            handler.exits()

    async def iterates():
        handler.kept.append(exits_at_its_end())
        await handler.kept[-1].__anext__()

    handler.start(iterates())


PHASES = [in_clean_up_of_a_task, in_clean_up_of_a_task_in_trio, in_clean_up_of_an_async_generator]
every_phase = pytest.mark.parametrize("begin", PHASES)


@every_exit
@every_phase
def test_it_is_raised_while_an_open_loop_closes(begin, error):
    """The phases go on, and it comes out in the end. KeyboardInterrupt means Ctrl-C: it cancels other Tasks again."""
    handler, log = Handler(error), []
    clean_up_goes_on = error is SystemExit or begin is in_clean_up_of_an_async_generator

    async def main():
        async with trioasync.open_loop():
            await trioasync.create_task(prepare(handler, None, log))
            begin(handler, log)
            await trio.sleep(1)
        log.append("not reached")

    with pytest.raises(error, match="why"):
        run_plain_trio(main)
    assert sorted(log) == (["generator", "task", "worker"] if clean_up_goes_on else ["generator", "task"])


# -- trio tasks


@every_exit
@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
def test_out_of_an_adopted_task(error, wait):
    """A child of a nursery beside the loop raises it in the nursery's group, as in trio; the Tasks are told why."""
    log = []

    async def exits():
        await wait(1)
        raise error

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exits_soon, nursery)
            async with trioasync.open_loop():
                nursery.start_soon(exits)
                task = trioasync.create_task(worker(log))
                task.add_done_callback(lambda task: log.append("cancelled" if task.cancelled() else "not cancelled"))
                await trio.sleep_forever()

    async def exits_soon(nursery):
        await trio.sleep_forever()

    with pytest.RaisesGroup(error):
        run_plain_trio(main)
    assert log == ["worker", "cancelled"]


@every_exit
def test_out_of_a_trio_child_of_a_task(error):
    """Uncaught it is the Task's exception, in its nursery's group; the program goes on, since the group is no exit."""
    log = []

    async def exits():
        await trio.sleep(1)
        raise error

    async def in_task():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exits)
            nursery.start_soon(asyncio.sleep, 100)

    async def main():
        async with trioasync.open_loop():
            task = trioasync.create_task(in_task())
            await asyncio.wait([task])
            assert isinstance(task.exception(), BaseExceptionGroup)
            assert task.exception().split(error)[1] is None
            await asyncio.sleep(1)
            log.append("goes on")

    run_plain_trio(main)
    assert log == ["goes on"]


@every_exit
def test_out_of_a_function_in_a_thread(error):
    """It is raised where the thread is awaited, and ends the program from there."""

    def exits():
        raise error("why")

    async def main():
        async with trioasync.open_loop():
            await trioasync.create_task(trio.to_thread.run_sync(exits))

    with pytest.raises(error, match="why"):
        run_plain_trio(main, real)


# -- the parts that are asyncio's own, beside asyncio


@every_exit
@parity(
    events=["first", "second", "left run"],
    logged=["ERROR Task exception was never retrieved"],
)
def test_it_is_raised_in_the_clean_up_of_run(aio, log, error):
    """One Task raises it while run() cancels what is left: run() raises it."""

    async def child():
        try:
            await aio.sleep(100)
        finally:
            log("second")
            raise error("why")

    async def main():
        main.child = aio.create_task(child())
        await aio.sleep(0)
        log("first")

    with pytest.raises(error, match="why"):
        aio.run(main())
    log("left run")
    del main.child
