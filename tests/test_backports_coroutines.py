"""Generator-based coroutines, which CPython dropped in 3.11, on every Python."""

import asyncio
import inspect
import warnings

import pytest

import trioasync
from tests.backports import beside_asyncio, run
from trioasync._backports import coroutines

undecorated = beside_asyncio("coroutine", coroutines.coroutine, since=(3, 10), until=(3, 10))


@pytest.fixture
def coroutine(undecorated):
    """The decorator, without the warning that it gives."""

    def decorate(function):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return undecorated(function)

    return decorate


def is_coroutine_function(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return trioasync.iscoroutinefunction(function)


def test_a_generator_coroutine_can_be_awaited(coroutine):
    """It waits with `yield from` for coroutines, for futures and for its like, and its return is the result."""

    @coroutine
    def inner():
        yield
        return "inner"

    @coroutine
    def outer():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1, future.set_result, "future")
        slept = yield from asyncio.sleep(1, "slept")
        return [slept, (yield from future), (yield from inner())]

    async def main():
        return await outer()

    assert run(main) == ["slept", "future", "inner"]


@pytest.mark.parametrize("start", ["create_task", "ensure_future", "gather", "wait_for"])
def test_a_generator_coroutine_can_be_made_a_task(coroutine, start):
    """Whatever takes a coroutine takes it, asyncio's own functions too."""

    @coroutine
    def old():
        yield from asyncio.sleep(1)
        return "old"

    async def main():
        further = [5] if start == "wait_for" else []
        return [await getattr(module, start)(old(), *further) for module in (trioasync, asyncio)]

    expected = ["old"] if start == "gather" else "old"
    assert run(main) == [expected, expected]


def test_a_generator_coroutine_can_be_the_main_one(coroutine):
    """`run` takes it."""

    @coroutine
    def old():
        yield from asyncio.sleep(1)
        return "old"

    assert run(old) == "old"


def test_a_generator_coroutine_can_be_used_in_a_plain_generator(coroutine):
    """`yield from` works in a generator that is not decorated."""

    @coroutine
    def inner():
        yield from asyncio.sleep(1)
        return "inner"

    def plain():
        return (yield from inner())

    @coroutine
    def outer():
        return (yield from plain())

    async def main():
        return await outer()

    assert run(main) == "inner"


@pytest.mark.parametrize("kind", ["value", "coroutine", "future", "generator"])
def test_another_function_awaits_what_it_returns(coroutine, kind):
    """A decorated function without `yield` may return anything; what can be awaited is."""

    def generate():
        yield
        return "result"

    @coroutine
    def old():
        future = asyncio.get_running_loop().create_future()
        future.set_result("result")
        return {
            "value": lambda: "result",
            "coroutine": lambda: asyncio.sleep(1, "result"),
            "future": lambda: future,
            "generator": generate,
        }[kind]()

    async def main():
        return await old()

    assert run(main) == "result"


def test_exceptions_and_cancellations_reach_the_generator(coroutine):
    """They are raised at its `yield from`, and what it makes of them counts."""

    @coroutine
    def old():
        try:
            yield from asyncio.sleep(9)
        except asyncio.CancelledError as cancelled:
            return cancelled.args

    async def main():
        task = asyncio.create_task(old())
        await asyncio.sleep(1)
        task.cancel("why")
        return await task

    assert run(main) == ("why",)


def test_it_is_a_coroutine_function_and_its_result_a_coroutine(coroutine):
    """asyncio says so, trioasync says so, inspect does not."""

    @coroutine
    def old():
        yield

    started = old()
    assert is_coroutine_function(old)
    assert not inspect.iscoroutinefunction(old)
    assert trioasync.iscoroutine(started)
    assert asyncio.iscoroutine(started)
    assert old.__name__ == started.__name__ == "old"
    started.close()


def test_an_async_function_is_left_as_it_is(coroutine):
    """Decorating what is a coroutine function already gives it back."""

    async def new():
        pass

    assert coroutine(new) is new


def test_the_decorator_warns(undecorated):
    """It gives the DeprecationWarning that asyncio's gives, at the line that decorates."""
    with pytest.warns(DeprecationWarning, match='"@coroutine" decorator is deprecated since Python 3.8') as caught:

        @undecorated
        def old():
            yield

    assert [each.filename for each in caught] == [__file__]


def test_a_task_shows_the_generators_frame(coroutine):
    """The representation and the stack of a task name the generator and its line."""

    @coroutine
    def old():
        yield from asyncio.sleep(9)

    async def main():
        task = asyncio.create_task(old())
        await asyncio.sleep(0)
        shown = repr(task), [frame.f_code.co_name for frame in task.get_stack()]
        task.cancel()
        return shown

    representation, stack = run(main)
    assert "old() running at " in representation
    assert stack == ["old"]


@pytest.mark.filterwarnings("ignore:.*decorator is deprecated:DeprecationWarning")
def test_its_state_can_be_inspected():
    """`inspect.getcoroutinestate` reads it as it reads a coroutine's (asyncio's own were generators)."""

    @coroutines.coroutine
    def old():
        yield

    started = old()
    states = [inspect.getcoroutinestate(started)]
    started.send(None)
    states.append(inspect.getcoroutinestate(started))
    started.close()
    assert [*states, inspect.getcoroutinestate(started)] == [
        inspect.CORO_CREATED,
        inspect.CORO_SUSPENDED,
        inspect.CORO_CLOSED,
    ]
