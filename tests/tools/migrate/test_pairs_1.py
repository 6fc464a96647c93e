"""Programs before and after the migration observe the same: waits, deadlines, threads, locks, queues, the clock.

Each program has `async def observe(together)`, which returns what it saw; `together` runs async functions at the same
time. It runs as it is on asyncio and on trioasync, and rewritten on trio and, mixed with asyncio's tasks, on trioasync.
"""

import asyncio
import sys
import textwrap

import pytest
import trio

import trioasync
from tests.tools.migrate.cases import rewrite
from trioasync._tools.migrate.config import Options

RULES = ("TAM20", "TAM21", "TAM23", "TAM240", "TAM250")
# Up to 3.10 the error of a timeout is asyncio's own, and stays so in the text.
MAY_STAY = {"asyncio.TimeoutError"}


async def gathered(*functions):
    """Run async functions at the same time, as tasks of asyncio."""
    await asyncio.gather(*(function() for function in functions))


async def nursed(*functions):
    """Run async functions at the same time, as tasks of trio."""
    async with trio.open_nursery() as nursery:
        for function in functions:
            nursery.start_soon(function)


def program(text, name="observe"):
    """Run a program's text and return the function of that name."""
    namespace = {"__name__": "program"}
    exec(compile(text, "<program>", "exec"), namespace)
    return namespace[name]


def on_trioasync(text):
    """Give the same text with trioasync for asyncio."""
    return text.replace("import asyncio\n", "import trioasync as asyncio\n")


def observations(text, **options):
    """Run a program in all four ways and return what it saw in each, by way."""
    before = textwrap.dedent(text)
    outcome = rewrite(before.encode(), Options(safety="B", select=RULES, **options), "program.py")
    assert outcome.after is not None, [finding.message for finding in outcome.findings]
    assert set(outcome.residual) <= MAY_STAY, [finding.message for finding in outcome.findings]
    after = outcome.after.decode()
    seen = {
        "trioasync": trioasync.run(program(on_trioasync(before))(gathered)),
        "trio": trio.run(program(after), nursed),
        "mixed": trioasync.run(program(on_trioasync(after))(gathered)),
    }
    if sys.version_info >= (3, 11) or "asyncio.timeout" not in before:
        seen["asyncio"] = asyncio.run(program(before)(gathered))
    return seen


PROGRAMS = {
    "a_call_that_ends_in_time_gives_its_result": (
        """
        import asyncio

        async def double(n):
            await asyncio.sleep(0)
            return 2 * n

        async def returned():
            return await asyncio.wait_for(double(3), 30)

        async def observe(together):
            one = await asyncio.wait_for(double(1), 30)
            two: int = await asyncio.wait_for(double(2), timeout=None)
            one += await asyncio.wait_for(fut=double(4), timeout=30)
            return one, two, await returned()
        """,
        (10, 4, 6),
    ),
    "a_call_that_is_late_is_cancelled_and_its_caller_gets_a_timeout_error": (
        """
        import asyncio

        async def observe(together):
            log = []

            async def stuck():
                try:
                    await asyncio.sleep(30)
                except BaseException as error:
                    log.append(isinstance(error, Exception))
                    raise
                finally:
                    log.append("cleaned up")

            async def returned():
                return await asyncio.wait_for(stuck(), 0.01)

            for attempt in (stuck, returned):
                try:
                    value = await asyncio.wait_for(attempt(), 0.02)
                    log.append(value)
                except asyncio.TimeoutError as error:
                    log.append((type(error).__name__, error.args))
            return log
        """,
        [False, "cleaned up", ("TimeoutError", ()), False, "cleaned up", ("TimeoutError", ())],
    ),
    "errors_of_the_call_pass_and_so_does_its_own_timeout_error": (
        """
        import asyncio

        async def observe(together):
            log = []

            async def fail(error):
                raise error

            for error in (ValueError(1), asyncio.TimeoutError("own")):
                try:
                    await asyncio.wait_for(fail(error), 30)
                except (ValueError, asyncio.TimeoutError) as caught:
                    log.append(caught is error)
            return log
        """,
        [True, True],
    ),
    "the_outer_and_the_inner_of_two_timeouts_know_each_other": (
        """
        import asyncio

        async def observe(together):
            log = []

            async def stuck():
                await asyncio.sleep(30)

            async def inner(seconds):
                try:
                    await asyncio.wait_for(stuck(), seconds)
                except asyncio.TimeoutError:
                    log.append("inner")
                    raise KeyError from None

            for seconds, limit in ((30, 0.01), (0.01, 30)):
                try:
                    await asyncio.wait_for(inner(seconds), limit)
                except asyncio.TimeoutError:
                    log.append("outer")
                except KeyError:
                    log.append("passed on")
            return log
        """,
        ["outer", "inner", "passed on"],
    ),
    "a_loop_tries_again_and_an_async_generator_gives_up": (
        """
        import asyncio

        async def answers(delays):
            for delay in delays:
                try:
                    value = await asyncio.wait_for(asyncio.sleep(delay), 0.02)
                except asyncio.TimeoutError:
                    yield "late"
                    continue
                yield value

        async def observe(together):
            log = []
            async for answer in answers([30, 0.001]):
                log.append(answer)
            tries = 0
            while True:
                tries += 1
                try:
                    await asyncio.wait_for(asyncio.sleep(30 if tries < 3 else 0.001), 0.02)
                    break
                except asyncio.TimeoutError:
                    continue
            return log, tries
        """,
        (["late", None], 3),
    ),
    "a_timeout_may_be_none_or_below_zero": (
        """
        import asyncio

        async def observe(together):
            log = []

            async def value():
                await asyncio.sleep(0)
                return 1

            async def wait(seconds):
                return await asyncio.wait_for(value(), seconds)

            for seconds in (None, 30, 1e9, -1):
                try:
                    log.append(await wait(seconds))
                except asyncio.TimeoutError:
                    log.append("late")
            return log
        """,
        [1, 1, 1, "late"],
    ),
    "a_block_under_a_deadline_ends_at_it": (
        """
        import asyncio

        async def returned(seconds):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(0.02)
                return "returned"

        async def observe(together):
            log = []
            for seconds in (None, 30, 0.001):
                try:
                    async with asyncio.timeout(seconds):
                        await asyncio.sleep(0.02)
                        log.append("in time")
                    log.append("behind")
                    log.append(await returned(seconds))
                except asyncio.TimeoutError as error:
                    log.append((type(error).__name__, error.args))
            try:
                log.append(await returned(0.001))
            except asyncio.TimeoutError:
                log.append("late")
            return log
        """,
        ["in time", "behind", "returned"] * 2 + [("TimeoutError", ()), "late"],
    ),
    "nested_deadlines_are_told_apart": (
        """
        import asyncio

        async def observe(together):
            log = []
            for outer, inner in ((0.01, 30), (30, 0.01), (30, 30)):
                try:
                    async with asyncio.timeout(outer):
                        try:
                            async with asyncio.timeout(inner):
                                await asyncio.sleep(0.05)
                        except asyncio.TimeoutError:
                            log.append("inner")
                        await asyncio.sleep(0)
                        log.append("in between")
                except asyncio.TimeoutError:
                    log.append("outer")
            return log
        """,
        ["outer", "inner", "in between", "in between"],
    ),
    "an_inner_block_that_ends_in_time_does_not_hide_the_outer_deadline": (
        """
        import asyncio

        async def observe(together):
            try:
                async with asyncio.timeout(0.02):
                    async with asyncio.timeout(30):
                        await asyncio.sleep(0)
                    await asyncio.wait_for(asyncio.sleep(0), 30)
                    await asyncio.sleep(30)
            except asyncio.TimeoutError:
                return "outer"
        """,
        "outer",
    ),
    "a_deadline_can_be_moved_and_asked_for": (
        """
        import asyncio

        async def observe(together):
            loop = asyncio.get_running_loop()
            log = []
            async with asyncio.timeout(0.01) as later:
                later.reschedule(loop.time() + 30)
                await asyncio.sleep(0.02)
            log.append(later.expired())
            try:
                async with asyncio.timeout(30) as sooner:
                    sooner.reschedule(loop.time() + 0.01)
                    await asyncio.sleep(30)
            except asyncio.TimeoutError:
                log.append(sooner.expired())
            async with asyncio.timeout(0.01) as never:
                never.reschedule(None)
                await asyncio.sleep(0.02)
            log.append(never.expired())
            return log
        """,
        [False, True, False],
    ),
    "a_deadline_is_a_time_of_the_clock": (
        """
        import asyncio

        async def observe(together):
            loop = asyncio.get_running_loop()
            start = loop.time()
            log = []
            deadline = loop.time() + 0.02
            for _ in range(2):
                try:
                    async with asyncio.timeout_at(deadline):
                        await asyncio.sleep(30)
                except asyncio.TimeoutError:
                    log.append("late")
            while loop.time() < start + 0.03:
                await asyncio.sleep(0.005)
            elapsed = loop.time() - start
            return log, 0.02 <= elapsed < 5
        """,
        (["late", "late"], True),
    ),
    "a_thread_gets_arguments_and_context_and_gives_values_and_errors": (
        """
        import asyncio
        import contextvars
        import threading

        name = contextvars.ContextVar("name")

        def work(a, b=0, *, c=0):
            if a is None:
                raise LookupError("no a")
            return a + b + c, threading.current_thread() is threading.main_thread(), name.get()

        async def observe(together):
            name.set("observer")
            log = [await asyncio.to_thread(work, 1), await asyncio.to_thread(work, 1, 2, c=3)]
            try:
                await asyncio.to_thread(work, None)
            except LookupError as error:
                log.append(error.args)
            loop = asyncio.get_running_loop()
            log.append(await loop.run_in_executor(None, sum, [1, 2, 3]))
            return log
        """,
        [(1, False, "observer"), (6, False, "observer"), ("no a",), 6],
    ),
    "a_thread_that_is_late_is_left_alone": (
        """
        import asyncio
        import threading

        async def observe(together):
            log = []
            release, ended = threading.Event(), threading.Event()

            def work():
                release.wait(20)
                log.append("the thread ends")
                ended.set()

            try:
                await asyncio.wait_for(asyncio.to_thread(work), 0.02)
            except asyncio.TimeoutError:
                log.append("late")
            release.set()
            await asyncio.to_thread(ended.wait, 20)
            return log
        """,
        ["late", "the thread ends"],
    ),
    "an_event_wakes_all_who_wait": (
        """
        import asyncio

        class Door:
            def __init__(self):
                self._open = asyncio.Event()
                self.passed = 0

            async def go_through(self):
                await self._open.wait()
                self.passed += 1

            async def unlock(self):
                before = self._open.is_set(), self.passed
                self._open.set()
                self._open.set()
                self.before = before

        async def observe(together):
            door = Door()
            await together(door.go_through, door.go_through, door.unlock)
            await door.go_through()
            return door.before, door.passed
        """,
        ((False, 0), 3),
    ),
    "a_lock_lets_one_in_at_a_time": (
        """
        import asyncio

        class Store:
            def __init__(self):
                self._lock = asyncio.Lock()
                self.inside = self.most = 0

            async def enter(self):
                self.inside += 1
                self.most = max(self.most, self.inside)
                await asyncio.sleep(0)
                self.inside -= 1

            async def change(self):
                async with self._lock:
                    await self.enter()

            async def change_by_hand(self):
                await self._lock.acquire()
                try:
                    await self.enter()
                finally:
                    self._lock.release()

            async def fail(self):
                try:
                    async with self._lock:
                        raise ValueError
                except ValueError:
                    pass

            def is_free(self):
                return not self._lock.locked()

        async def observe(together):
            store = Store()
            await together(store.change, store.change_by_hand, store.fail, store.change)
            return store.most, store.is_free()
        """,
        (1, True),
    ),
    "a_semaphore_lets_so_many_in_and_a_bounded_one_counts": (
        """
        import asyncio

        async def observe(together):
            limit = asyncio.Semaphore(2)
            one = asyncio.Semaphore()
            inside = most = 0
            log = []

            async def enter():
                nonlocal inside, most
                async with limit:
                    inside += 1
                    most = max(most, inside)
                    await asyncio.sleep(0.005)
                    inside -= 1

            await together(enter, enter, enter, enter)
            await one.acquire()
            log.append(one.locked())
            one.release()
            one.release()
            log.append(not one.locked())
            bounded = asyncio.BoundedSemaphore(value=1)
            async with bounded:
                log.append(bounded.locked())
            try:
                bounded.release()
            except ValueError:
                log.append("too often")
            return most, log
        """,
        (2, [True, True, True, "too often"]),
    ),
    "a_condition_wakes_who_waits_for_its_predicate": (
        """
        import asyncio

        class Basket:
            def __init__(self):
                self._changed = asyncio.Condition()
                self._items = []
                self.taken = []

            async def put(self):
                for item in range(3):
                    async with self._changed:
                        self._items.append(item)
                        self._changed.notify()
                async with self._changed:
                    await self._changed.wait_for(lambda: not self._items)
                    self.taken.append("empty")

            async def take(self):
                async with self._changed:
                    await self._changed.wait_for(lambda: len(self._items) > 0 and True)
                    self.taken.append(self._items.pop(0))
                    self._changed.notify_all()

            async def take_two(self):
                for _ in range(2):
                    async with self._changed:
                        while not self._items:
                            await self._changed.wait()
                        self.taken.append(self._items.pop(0))
                        self._changed.notify_all()

        async def observe(together):
            basket = Basket()
            await together(basket.take, basket.take_two, basket.put)
            return basket.taken
        """,
        [0, 1, 2, "empty"],
    ),
    "a_queue_keeps_the_order_and_its_limit": (
        """
        import asyncio

        async def produce(queue: asyncio.Queue[int], log):
            for n in range(5):
                await queue.put(n)
                log.append(queue.qsize() <= 2)

        class Consumer:
            def __init__(self, queue):
                self._queue = queue
                self.got = []

            async def consume(self):
                for _ in range(5):
                    self.got.append(await self._queue.get())

        async def observe(together):
            log = []
            queue = asyncio.Queue(2)
            consumer = Consumer(queue)

            async def producer():
                await produce(queue, log)

            await together(producer, consumer.consume)
            return log, consumer.got, queue.empty()
        """,
        ([True] * 5, [0, 1, 2, 3, 4], True),
    ),
    "an_item_is_not_lost_to_a_wait_that_ends": (
        """
        import asyncio

        async def observe(together):
            queue = asyncio.Queue()
            got = []

            async def consume():
                while len(got) < 3:
                    try:
                        got.append(await asyncio.wait_for(take(), 0.01))
                    except asyncio.TimeoutError:
                        pass

            async def take():
                return await queue.get()

            async def produce():
                for item in range(3):
                    await asyncio.sleep(0.01)
                    queue.put_nowait(item)

            await together(consume, produce)
            return got, queue.qsize()
        """,
        ([0, 1, 2], 0),
    ),
    "a_full_and_an_empty_queue_say_so": (
        """
        import asyncio

        async def observe(together):
            log = []
            small = asyncio.Queue(maxsize=1)
            endless = asyncio.Queue()
            size = 0
            also_endless = asyncio.Queue(size)
            for n in range(3):
                try:
                    small.put_nowait(n)
                except asyncio.QueueFull:
                    log.append("full")
            for n in range(1000):
                endless.put_nowait(n)
                await also_endless.put(n)
            log.append((endless.qsize(), also_endless.qsize()))
            while True:
                try:
                    log.append(small.get_nowait())
                except asyncio.QueueEmpty:
                    log.append("empty")
                    break
            while not endless.empty():
                last = await endless.get()
            return log, last
        """,
        (["full", "full", (1000, 1000), 0, "empty"], 999),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sees_the_same_before_and_after(name):
    """On asyncio, on trioasync, rewritten on trio, and rewritten among asyncio's tasks."""
    text, expected = PROGRAMS[name]
    seen = observations(text)
    assert seen == dict.fromkeys(seen, expected)


NATIVE = {
    "a_handler_in_the_same_function_knows_both_errors": (
        """
        import asyncio

        async def observe(together):
            log = []
            try:
                await asyncio.wait_for(asyncio.sleep(30), 0.01)
            except asyncio.TimeoutError:
                log.append("late")
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(30)
            except (ValueError, asyncio.TimeoutError) as error:
                log.append(isinstance(error, ValueError))
            try:
                await asyncio.wait_for(fail(), 30)
            except asyncio.TimeoutError as error:
                log.append(error.args)
            return log

        async def fail():
            raise asyncio.TimeoutError("own")
        """,
        ["late", False, ("own",)],
    ),
    "an_error_that_leaves_the_function_is_a_timeout_error": (
        """
        import asyncio

        async def late():
            await asyncio.wait_for(asyncio.sleep(30), 0.01)

        async def raised_again():
            try:
                await asyncio.wait_for(asyncio.sleep(30), 0.01)
            except asyncio.TimeoutError:
                raise

        async def observe(together):
            log = []
            for attempt in (late, raised_again):
                try:
                    await attempt()
                except asyncio.TimeoutError:
                    log.append(attempt.__name__)
            return log
        """,
        ["late", "raised_again"],
    ),
}


@pytest.mark.parametrize("name", NATIVE)
def test_the_native_style_changes_nothing_outside_of_a_function(name):
    """`trio.TooSlowError` is seen only where the same function handles it."""
    text, expected = NATIVE[name]
    seen = observations(text, timeout_style="native")
    assert seen == dict.fromkeys(seen, expected)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.TimeoutError is a class of its own")
def test_without_3_10_the_error_has_its_own_name_only():
    """A program for 3.11 and later needs nothing of asyncio's to handle timeouts."""
    text = """
        import asyncio
        from contextlib import suppress

        async def observe(together):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.sleep(30), 0.01)
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(30)
            except asyncio.TimeoutError as error:
                return isinstance(error, asyncio.TimeoutError)
        """
    seen = observations(text, python=(3, 11))
    assert seen == dict.fromkeys(seen, True)
    after = rewrite(textwrap.dedent(text).encode(), Options(safety="B", select=RULES, python=(3, 11))).after
    assert b"asyncio" not in after


CRAWLER = """
import asyncio

async def fetch(limit: asyncio.Semaphore, url: str) -> str:
    async with limit:
        await asyncio.sleep(0.001)
        return f"page {url}"

async def produce(queue: asyncio.Queue[str], urls, done: asyncio.Event):
    for url in urls:
        await queue.put(url)
    done.set()

async def consume(queue, limit, results, lock):
    while True:
        try:
            url = await asyncio.wait_for(queue.get(), timeout=0.05)
        except asyncio.TimeoutError:
            return
        page = await fetch(limit, url)
        async with lock:
            results.append(page)

async def main():
    queue = asyncio.Queue(3)
    limit = asyncio.Semaphore(2)
    results = []
    lock = asyncio.Lock()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as tg:
        tg.create_task(produce(queue, [str(n) for n in range(10)], done))
        for _ in range(3):
            tg.create_task(consume(queue, limit, results, lock))
    await done.wait()
    return sorted(results), loop.time() - start < 5

if __name__ == "__main__":
    print(asyncio.run(main()))
"""


@pytest.mark.parametrize("python", [(3, 10), (3, 11)], ids=["for 3.10", "for 3.11"])
def test_a_program_of_producers_and_consumers_leaves_asyncio_without_a_hand_edit(python):
    """Queue, event, lock and semaphore are followed through the functions that they are handed to."""
    outcome = rewrite(CRAWLER.encode(), Options(safety="B", python=python), "crawler.py")
    after = outcome.after.decode()
    assert "asyncio" not in after
    assert not outcome.findings
    expected = [f"page {n}" for n in range(10)], True
    assert trio.run(program(after, "main")) == expected
    assert trioasync.run(program(on_trioasync(CRAWLER), "main")()) == expected
