"""Coroutines, awaitables and generator-based coroutines."""

import collections.abc
import inspect
import types

from tests.support.parity import by_python, describe, parity

DECORATED = 'DeprecationWarning: "@coroutine" decorator is deprecated since Python 3.8, use "async def" instead'
ISCOROUTINEFUNCTION = (
    "DeprecationWarning: 'asyncio.iscoroutinefunction' is deprecated and slated for removal in Python 3.16;"
    " use inspect.iscoroutinefunction() instead"
)


@parity(events=["before", "child", "after", "turn", 42])
async def test_awaiting_a_coroutine_runs_it_at_once(aio, log):
    """Awaiting a coroutine runs it in the awaiting task, without a turn of the loop in between."""

    async def child():
        log("child")
        return 42

    aio.get_running_loop().call_soon(log, "turn")
    log("before")
    result = await child()
    log("after")
    await aio.sleep(0)
    log(result)


@parity(events=["main", "child", "resumed"])
async def test_a_task_is_scheduled_to_run_soon(aio, log):
    """Wrapping a coroutine into a Task schedules it; it runs once the creator suspends."""

    async def child():
        log("child")

    task = aio.create_task(child())
    log("main")
    await task
    log("resumed")


@parity(returns=["resolved elsewhere"] * 2)
async def test_awaiting_a_future_waits_until_it_is_resolved(aio):
    """A Future awaited by several coroutines gives each its result."""
    future = aio.get_running_loop().create_future()

    async def waiting():
        return await future

    tasks = [aio.create_task(waiting()) for _ in range(2)]
    aio.get_running_loop().call_later(1, future.set_result, "resolved elsewhere")
    return [await task for task in tasks]


@parity(returns="custom")
async def test_any_object_with_await_is_awaitable(aio):
    """An object whose __await__ delegates to a coroutine can be awaited, gathered and wrapped."""

    class Custom:
        def __await__(self):
            return aio.sleep(1, "custom").__await__()

    first, second = await aio.gather(Custom(), aio.ensure_future(Custom()))
    assert first == second == await aio.wait_for(Custom(), 2)
    return await Custom()


@parity(raises=RuntimeError("cannot reuse already awaited coroutine"))
async def test_a_coroutine_is_awaited_once(aio):
    """Awaiting the same coroutine object twice is an error."""
    coro = aio.sleep(0)
    await coro
    await coro


@types.coroutine
def yielding(value):
    """Yield `value` to the task, as no coroutine should."""
    return (yield value)


@parity(raises=RuntimeError("Task got bad yield: 'bad'"))
async def test_yielding_something_else(aio):
    """A coroutine that yields neither a Future nor None fails with "Task got bad yield"."""
    await yielding("bad")


@parity(returns="yield was used instead of yield from in task <Task pending name='bad' coro=…> with <Future pending>")
async def test_yielding_a_future_instead_of_awaiting_it(aio):
    """`yield future` in a coroutine is told from `yield from future`."""
    loop = aio.get_running_loop()

    async def bad():
        await yielding(loop.create_future())

    task = loop.create_task(bad(), name="bad")
    await aio.wait([task])
    before, _, after = task.exception().args[0].partition("coro=")
    return f"{before}coro=…> with {after.partition(' with ')[2]}"


@parity(raises=RuntimeError("Task cannot await on itself: <itself>"))
async def test_a_task_cannot_await_itself(aio):
    """A task that awaits itself gets a RuntimeError."""

    async def own():
        await aio.current_task()

    task = aio.create_task(own())
    try:
        await task
    except RuntimeError as error:
        raise RuntimeError(error.args[0].partition(": ")[0] + ": <itself>") from None


@parity(until=(3, 10), returns=("slept", 3), warned=[DECORATED], seconds=1)
async def test_old_style_coroutine(aio):
    """@coroutine makes a generator that uses `yield from` compatible with async/await code."""

    @aio.coroutine
    def old_style_coroutine():
        result = yield from aio.sleep(1, "slept")
        return result, 3

    return await old_style_coroutine()


@parity(until=(3, 10), returns=["task", "gathered", "waited"], warned=[DECORATED], seconds=2)
async def test_old_style_coroutines_are_coroutines_to_the_api(aio):
    """A generator-based coroutine can be made a task, gathered, and waited for."""

    @aio.coroutine
    def old(delay, value):
        yield from aio.sleep(delay)
        return value

    task = aio.create_task(old(2, "task"))
    return [await task, *await aio.gather(old(0, "gathered")), await aio.wait_for(old(0, "waited"), 1)]


@parity(until=(3, 10), returns="future", warned=[DECORATED])
async def test_yield_from_a_future(aio):
    """`yield from` waits for a Future, too."""
    future = aio.get_running_loop().create_future()

    @aio.coroutine
    def old():
        return (yield from future)

    aio.get_running_loop().call_soon(future.set_result, "future")
    return await old()


@parity(until=(3, 10), returns=["plain", "awaitable"], warned=[DECORATED] * 2)
async def test_coroutine_decorator_on_a_function_without_yield(aio):
    """A decorated plain function gives its value when awaited, and awaits what it returns if that is awaitable."""

    @aio.coroutine
    def plain():
        return "plain"

    @aio.coroutine
    def returning_awaitable():
        return aio.sleep(0, "awaitable")

    return [await plain(), await returning_awaitable()]


@parity(until=(3, 10), events=["sleeping", "cleaned up"], raises=ValueError("old"), warned=[DECORATED])
async def test_exceptions_pass_through_an_old_style_coroutine(aio, log):
    """An old-style coroutine is cancelled as an `async def` one is."""

    @aio.coroutine
    def old():
        log("sleeping")
        try:
            yield from aio.sleep(3600)
        except aio.CancelledError:
            log("cleaned up")
            raise ValueError("old") from None

    task = aio.create_task(old())
    await aio.sleep(1)
    task.cancel()
    await task


@parity(
    until=(3, 10),
    returns=(True, True),
    warned=by_python({(3, 10): [DECORATED], (3, 14): [DECORATED, ISCOROUTINEFUNCTION]}),
)
async def test_coroutine_decorator_leaves_async_def_alone(aio):
    """An `async def` function comes back unchanged from the decorator."""

    async def new():
        """Docstring."""

    decorated = aio.coroutine(new)
    return decorated is new, aio.iscoroutinefunction(decorated)


@parity(returns=[True, True, False, False, False, False])
async def test_iscoroutine(aio):
    """Coroutine objects and objects of the ABC are coroutines; functions, futures and numbers are not."""

    class Registered(collections.abc.Coroutine):
        def __await__(self):
            yield

        def send(self, value):
            return None

        def throw(self, *args):
            return None

        def close(self):
            return None

    coro = aio.sleep(0)
    future = aio.get_running_loop().create_future()
    answers = [aio.iscoroutine(each) for each in (coro, Registered(), aio.sleep, future, 3, None)]
    await coro
    return answers


@parity(returns=by_python({(3, 10): [True, False, True], (3, 12): [False, False, False]}))
async def test_iscoroutine_differs_from_inspect(aio):
    """It is true for generator-based coroutines, for which inspect's is false, up to Python 3.11."""

    @types.coroutine
    def old():
        yield

    def generator():
        yield

    return [aio.iscoroutine(old()), inspect.iscoroutine(old()), aio.iscoroutine(generator())]


@parity(returns=[True, False, False, False], warned=by_python({(3, 10): [], (3, 14): [ISCOROUTINEFUNCTION] * 4}))
async def test_iscoroutinefunction(aio):
    """`async def` functions are coroutine functions; their results, lambdas and classes are not."""

    async def new():
        return 42

    coro = new()
    answers = [aio.iscoroutinefunction(each) for each in (new, coro, lambda: new(), aio.Future)]
    await coro
    return answers


@parity(
    until=(3, 10),
    returns=[True, False],
    warned=by_python({(3, 10): [DECORATED], (3, 14): [DECORATED, ISCOROUTINEFUNCTION]}),
)
async def test_iscoroutinefunction_differs_from_inspect(aio):
    """It is true for functions decorated with @coroutine, for which inspect's is false."""

    @aio.coroutine
    def old():
        yield

    return [aio.iscoroutinefunction(old), inspect.iscoroutinefunction(old)]


@parity(
    returns=by_python(
        {
            (3, 10): "resolved",
            (3, 12): "builtins.TypeError('a coroutine was expected, got <generator object old at 0x…>',)",
        }
    )
)
async def test_the_decorator_is_not_enforced(aio):
    """Up to Python 3.11 an undecorated generator is a coroutine to the API, and can await Futures."""
    future = aio.get_running_loop().create_future()
    future.get_loop().call_later(1, future.set_result, "resolved")

    def old():
        return (yield from future)

    old.__qualname__ = "old"
    try:
        return await aio.create_task(old())
    except TypeError as error:
        return describe(error)
