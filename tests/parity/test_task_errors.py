"""What a Task does with wrong yields, wrong futures and coroutines that misbehave."""

import contextlib

import pytest

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import parity, stable


class Yielding:
    """An awaitable that hands one object to the task and gives back what comes in return."""

    def __init__(self, thing):
        self.thing = thing

    def __await__(self):
        return (yield self.thing)


async def give(thing):
    """Hand an object to the task, as only futures and None should be."""
    return await Yielding(thing)


async def error_text(awaitable):
    """Await, and return the text of the RuntimeError with the unstable parts taken out."""
    with pytest.raises(RuntimeError) as caught:
        await awaitable
    return stable(str(caught.value))


@pytest.mark.parametrize("thing", [1, "text", (), 0.0, False], ids=repr)
@parity(returns=True)
async def test_a_bad_yield_is_an_error_in_the_task(aio, thing):
    """Anything but a future or None out of a coroutine is thrown back as RuntimeError with its repr."""
    return await outcome_of_await(aio.create_task(give(thing))) == (
        "RuntimeError",
        (f"Task got bad yield: {thing!r}",),
    )


@parity(events=["thrown back", "went on", 1])
async def test_a_coroutine_may_recover_from_its_bad_yield(aio, log):
    """The RuntimeError arrives at the yield, a turn later; the coroutine may catch it."""

    async def child():
        try:
            await Yielding("bad")
        except RuntimeError:
            log("thrown back")
        await aio.sleep(0)
        log("went on")
        return 1

    log(await aio.create_task(child()))


@parity(
    returns="yield was used instead of yield from in task <Task pending name='t' coro=<give() running at "
    "test_task_errors.py:…> cb=[Task.task_wakeup()]> with <Future pending>"
)
async def test_a_yielded_future_must_have_been_awaited(aio):
    """A future yielded without `await` is refused."""
    return await error_text(aio.create_task(give(aio.get_running_loop().create_future()), name="t"))


@parity(
    returns="yield was used instead of yield from for generator in task <Task pending name='t' coro=<give() running "
    "at test_task_errors.py:…> cb=[Task.task_wakeup()]> with <generator object numbers at 0x…>"
)
async def test_a_yielded_generator_is_refused(aio):
    """A generator yielded without `yield from` is refused."""

    def numbers():
        yield 1

    numbers.__qualname__ = "numbers"
    generator = numbers()
    generator.__qualname__ = "numbers"
    return await error_text(aio.create_task(give(generator), name="t"))


@parity(
    returns="Task cannot await on itself: <Task pending name='t' coro=<selfish() running at test_task_errors.py:…> "
    "cb=[Task.task_wakeup()]>"
)
async def test_a_task_cannot_await_itself(aio):
    """`await current_task()` is a RuntimeError."""

    async def selfish():
        await aio.current_task()

    selfish.__qualname__ = "selfish"
    return await error_text(aio.create_task(selfish(), name="t"))


@parity(
    returns="Task <Task pending name='t' coro=<waiter() running at test_task_errors.py:…> cb=[Task.task_wakeup()]> got "
    "Future <Future pending> attached to a different loop"
)
async def test_a_future_of_another_loop_is_refused(aio):
    """Awaiting a future of another loop is a RuntimeError that names task and future."""
    with contextlib.closing(aio.new_event_loop()) as other:
        future = other.create_future()

        async def waiter():
            await future

        waiter.__qualname__ = "waiter"
        return await error_text(aio.create_task(waiter(), name="t"))


@parity(events=["other task", ("RuntimeError", ("Task got bad yield: 1",))])
async def test_the_error_comes_in_a_later_turn(aio, log):
    """A task with a bad yield goes to the end of the queue before it gets its error."""

    async def child():
        log(await outcome_of_await(Yielding(1)))

    task = aio.create_task(child())
    aio.get_running_loop().call_soon(log, "other task")
    await task


@parity(returns=("RuntimeError", ("await wasn't used with future",)))
async def test_a_task_driven_by_hand_out_of_step_is_an_error(aio):
    """A future that is resumed before it is done says that await was not used with it."""
    awaiting = aio.get_running_loop().create_future().__await__()
    next(awaiting)
    return outcome_of(next, awaiting)


@parity(returns=("RuntimeError", ("cannot reuse already awaited coroutine",)))
async def test_a_coroutine_is_awaited_once(aio):
    """A second task of a finished coroutine fails with Python's own error."""
    coroutine = aio.sleep(0)
    await aio.create_task(coroutine)
    return await outcome_of_await(aio.create_task(coroutine))


@parity(returns="done")
async def test_a_coroutine_that_swallows_everything_ends_when_it_ends(aio):
    """A task that catches BaseException at each await is cancelled in vain and finishes by itself."""

    async def stubborn():
        for _ in range(3):
            try:
                await aio.sleep(1)
            except BaseException:
                pass
        return "done"

    task = aio.create_task(stubborn())
    for _ in range(3):
        await aio.sleep(0.1)
        task.cancel()
    return await task
