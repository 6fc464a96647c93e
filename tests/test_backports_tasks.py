"""as_completed of 3.13 and eager task factories of 3.14, on every Python."""

import asyncio
import contextlib
import inspect

import pytest

import trioasync
from tests.backports import beside_asyncio, run
from trioasync._backports import tasks

as_completed = beside_asyncio("as_completed", tasks.as_completed, since=(3, 14))
create_factory = beside_asyncio("create_eager_task_factory", tasks.create_eager_task_factory, since=(3, 14))


async def give(delay, result=None):
    await asyncio.sleep(delay)
    return delay if result is None else result


async def fail(delay):
    await asyncio.sleep(delay)
    raise ValueError(delay)


# -- as_completed


def test_plain_iteration_gives_coroutines_in_the_order_of_completion(as_completed):
    """Each coroutine waits for the next result; there are as many as awaitables."""

    async def main():
        iterator = as_completed([give(3), give(1), give(2)])
        coroutines = list(iterator)
        assert all(map(inspect.iscoroutine, coroutines))
        return [await each for each in coroutines]

    assert run(main) == [1, 2, 3]


def test_async_iteration_gives_the_tasks_themselves(as_completed):
    """A task or future that was passed comes back, done; a coroutine comes as the task that ran it."""

    async def main():
        slow, quick = asyncio.create_task(give(2)), asyncio.create_task(give(1))
        given = [each async for each in as_completed([slow, quick, give(3)])]
        return given[0] is quick, given[1] is slow, [each.result() for each in given]

    assert run(main) == (True, True, [1, 2, 3])


def test_both_iterations_share_what_is_left(as_completed):
    """One object can be iterated in both ways in turn."""

    async def main():
        iterator = as_completed([give(1), give(2), give(3)])
        got = [await next(iterator), (await iterator.__anext__()).result(), await next(iterator)]
        with pytest.raises(StopIteration):
            next(iterator)
        with pytest.raises(StopAsyncIteration):
            await iterator.__anext__()
        return got

    assert run(main) == [1, 2, 3]


def test_an_exception_comes_where_the_result_would(as_completed):
    """Plain iteration raises it from the coroutine; a task of async iteration holds it."""

    async def main():
        told = []
        for coroutine in as_completed([fail(1), give(2)]):
            with contextlib.suppress(ValueError):
                told.append(await coroutine)
        async for task in as_completed([fail(1), give(2)]):
            told += [repr(task.exception())]
        return told

    assert run(main) == [2, "ValueError(1)", "None"]


def test_what_is_late_raises_timeout_error_and_goes_on(as_completed):
    """Each awaitable that is not done in time gives one TimeoutError; none is cancelled."""

    async def main():
        late = asyncio.create_task(give(5))
        told = []
        for coroutine in as_completed([give(1), late, give(9)], timeout=2):
            try:
                told.append(await coroutine)
            except asyncio.TimeoutError:
                told.append("late")
        with pytest.raises(TimeoutError):
            async for task in as_completed([give(1), late], timeout=2):
                told += [task.result()]
        return told, await late

    assert run(main) == ([1, "late", "late", 1], 5)


def test_a_cancelled_wait_can_be_repeated(as_completed):
    """A cancelled wait for the next one takes nothing."""

    async def main():
        iterator = as_completed([give(5)])
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(iterator.__anext__(), 1)
        return (await iterator.__anext__()).result()

    assert run(main) == 5


def test_duplicates_are_waited_for_once(as_completed):
    """The same awaitable twice is one."""

    async def main():
        task = asyncio.create_task(give(1))
        return [await each for each in as_completed([task, task])]

    assert run(main) == [1]


def test_nothing_is_completed_at_once(as_completed):
    """An empty iterable gives an iterator at its end, with a timeout or without."""

    async def main():
        return list(as_completed([])), [each async for each in as_completed(iter([]), timeout=1)]

    assert run(main) == ([], [])


def test_an_awaitable_in_place_of_an_iterable_is_refused(as_completed):
    """The mistake of passing one awaitable is a TypeError that names its type."""

    async def main():
        task = asyncio.create_task(give(0))
        with pytest.raises(TypeError, match=r"iterable of .*, not Task$"):
            next(as_completed(task))
        await task

    run(main)


# -- eager task factories


def test_an_eager_factory_makes_tasks_that_run_at_once(create_factory):
    """The first step is made by create_task, unless `eager_start` is false; the other keywords are the Task's."""

    async def main():
        async def note(word):
            noted.append(word)

        noted = []
        loop = asyncio.get_running_loop()
        loop.set_task_factory(create_factory(trioasync.Task))
        at_once = loop.create_task(note("at once"), name="first")
        done = at_once.done()
        later = trioasync.create_task(note("later"), name="second", eager_start=False)
        noted.append("created")
        await later
        return done, type(at_once) is trioasync.Task, at_once.get_name(), later.get_name(), noted

    assert run(main) == (True, True, "first", "second", ["at once", "created", "later"])


def test_the_factory_takes_any_constructor(create_factory):
    """It gets the coroutine, and loop, eager_start and the rest by keyword."""

    def construct(*args, **kwargs):
        return args, kwargs

    factory = create_factory(construct)
    assert factory("loop", "coro", name="n") == (("coro",), {"loop": "loop", "eager_start": True, "name": "n"})
    assert factory("loop", "coro", eager_start=False) == (("coro",), {"loop": "loop", "eager_start": False})


def test_the_ready_factory_makes_our_tasks():
    """`trioasync.eager_task_factory` starts a trioasync.Task eagerly."""

    async def main():
        asyncio.get_running_loop().set_task_factory(trioasync.eager_task_factory)
        task = trioasync.create_task(give_at_once())
        return type(task) is trioasync.Task, task.done(), task.result()

    async def give_at_once():
        return "result"

    assert run(main) == (True, True, "result")
