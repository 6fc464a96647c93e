"""What a Task is made of: name, context, coroutine, result, and how asyncio knows of it."""

import asyncio
import collections.abc
import contextvars
import itertools
import re

import pytest

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity, stable

var = contextvars.ContextVar("var", default="default")


async def three():
    """Return 3."""
    return 3


async def fail():
    """Fail."""
    raise ValueError("failed")


@parity(returns=3, events=["not yet", "now"])
async def test_a_task_starts_in_the_next_turn(aio, log):
    """create_task runs nothing itself; the coroutine begins in the next turn."""

    async def child():
        log("now")
        return 3

    task = aio.create_task(child())
    log("not yet")
    return await task


@parity(returns=[(False, False), ("InvalidStateError", ("Result is not set.",)), (True, False), 3, None])
async def test_a_task_goes_from_pending_to_finished(aio):
    """done(), cancelled(), result() and exception() of a task before and after it ran."""
    task = aio.create_task(three())
    seen = [(task.done(), task.cancelled()), outcome_of(task.result)]
    await task
    return [*seen, (task.done(), task.cancelled()), task.result(), task.exception()]


@parity(returns=[("ValueError", ("failed",)), "ValueError('failed')", False])
async def test_a_failed_task_raises_and_tells(aio):
    """The exception of the coroutine is raised by result() and returned by exception()."""
    task = aio.create_task(fail())
    await aio.sleep(0)
    return [outcome_of(task.result), repr(task.exception()), task.cancelled()]


@parity(
    returns=[
        ("RuntimeError", ("Task does not support set_result operation",)),
        ("RuntimeError", ("Task does not support set_exception operation",)),
        3,
    ]
)
async def test_a_result_cannot_be_set_from_outside(aio):
    """set_result and set_exception of a Task raise RuntimeError."""
    task = aio.create_task(three())
    return [outcome_of(task.set_result, 1), outcome_of(task.set_exception, ValueError()), await task]


@pytest.mark.parametrize("thing", [42, None, "text", three], ids=["int", "None", "str", "function"])
@parity(returns=True)
async def test_what_is_no_coroutine_is_refused(aio, thing):
    """A Task of something else raises TypeError with the thing in the message."""
    loop = aio.get_running_loop()
    refusals = {outcome_of(aio.create_task, thing), outcome_of(loop.create_task, thing)}
    refusals.add(outcome_of(aio.Task, thing, loop=loop))
    return refusals == {("TypeError", (f"a coroutine was expected, got {thing!r}",))}


@parity(returns=["mine", "7", "renamed", "None"])
async def test_a_task_has_the_name_that_it_is_given(aio):
    """name= and set_name() take any object and keep its str()."""
    first, second, third = (aio.create_task(three(), name=name) for name in ("mine", 7, "x"))
    third.set_name("renamed")
    names = [task.get_name() for task in (first, second, third)]
    third.set_name(None)
    for task in (first, second, third):
        await task
    return [*names, third.get_name()]


@parity(returns=[1, 2])
async def test_default_names_count_up(aio):
    """A task without a name is `Task-N`, and N grows by one with each task."""
    tasks = [aio.create_task(three()) for _ in range(3)]
    numbers = [int(re.fullmatch(r"Task-(\d+)", task.get_name())[1]) for task in tasks]
    for task in tasks:
        await task
    return [number - numbers[0] for number in numbers[1:]]


@parity(returns=("TypeError", True))
async def test_the_name_is_keyword_only(aio):
    """create_task(coro, name) is a TypeError, and the coroutine is left to its owner."""
    coroutine = three()
    kind, _ = outcome_of(aio.create_task, coroutine, "name")
    closed = coroutine.close() is None
    return kind, closed


@parity(returns=("at creation", "set by the task", "default"))
async def test_a_task_copies_the_context_of_its_creation(aio):
    """A task sees the variables as they were at its creation, and changes a copy."""

    async def child():
        seen = var.get()
        var.set("set by the task")
        await aio.sleep(0)
        return seen, var.get()

    token = var.set("at creation")
    task = aio.create_task(child())
    var.reset(token)
    return *await task, var.get()


@parity(since=(3, 11), returns=("given", "set by the task", "default"))
async def test_a_task_runs_in_a_given_context(aio):
    """context= makes the task run in that very context."""
    context = contextvars.copy_context()
    context.run(var.set, "given")

    async def child():
        seen = var.get()
        await aio.sleep(0)
        var.set("set by the task")
        return seen

    return await aio.create_task(child(), context=context), context[var], var.get()


@parity(since=(3, 11), events=["a: default", "b: a", "a again: b", "b again: a"])
async def test_two_tasks_share_one_context(aio, log):
    """A Context given to two tasks is entered by each for its steps only."""
    context = contextvars.copy_context()

    async def child(name):
        log(f"{name}: {var.get()}")
        var.set(name)
        await aio.sleep(0)
        log(f"{name} again: {var.get()}")
        var.set(name)

    tasks = [aio.create_task(child(name), context=context) for name in "ab"]
    for task in tasks:
        await task


@parity(since=(3, 12), returns=(True, True))
async def test_get_context_gives_the_context_of_the_task(aio):
    """get_context() is the context that was given, or the copy that was made."""
    context = contextvars.copy_context()
    given = aio.create_task(three(), context=context)
    var.set("at creation")
    copied = aio.create_task(three())
    await given
    await copied
    return given.get_context() is context, copied.get_context()[var] == "at creation"


@parity(returns=True)
async def test_get_coro_gives_the_coroutine(aio):
    """get_coro() is the very object that the task was made of, before it starts and after it ends."""
    coroutine = three()
    task = aio.create_task(coroutine)
    before = task.get_coro() is coroutine
    await task
    return before and task.get_coro() is coroutine


@parity(returns=[True, True, True, True])
async def test_a_task_is_an_asyncio_task(aio):
    """Tasks are instances of the stock `asyncio.Task` and `asyncio.Future`, and futures to isfuture."""
    task = aio.create_task(three())
    await task
    return [
        isinstance(task, asyncio.Task),
        isinstance(task, asyncio.Future),
        asyncio.isfuture(task),
        isinstance(task, aio.Task),
    ]


@parity(returns=["child", True, True, None])
async def test_stock_current_task_knows_the_task(aio):
    """`asyncio.current_task()` is the task whose step runs, and None in a callback."""
    loop, seen = aio.get_running_loop(), []

    async def child():
        current = asyncio.current_task()
        await aio.sleep(0)
        return current.get_name(), asyncio.current_task() is current, aio.current_task(loop) is current

    task = aio.create_task(child(), name="child")
    loop.call_soon(lambda: seen.append(asyncio.current_task()))
    name, *same = await task
    return [name, *same, *seen]


@parity(returns=(["child", "main"], ["main"], ["child", "main"]))
async def test_stock_all_tasks_knows_the_task(aio):
    """`asyncio.all_tasks()` lists the tasks that are not done."""
    aio.current_task().set_name("main")
    task = aio.create_task(three(), name="child")
    before = sorted(each.get_name() for each in asyncio.all_tasks())
    of_trioasync = sorted(each.get_name() for each in aio.all_tasks(aio.get_running_loop()))
    await task
    return before, sorted(each.get_name() for each in asyncio.all_tasks()), of_trioasync


@parity(returns=(3, True, "direct"))
async def test_a_task_constructed_directly_works(aio):
    """`asyncio.Task(coro, loop=loop)`, the stock class, runs on the loop like any other."""
    loop = aio.get_running_loop()

    async def child():
        await aio.sleep(1)
        await aio.create_task(three(), name="child")
        return await three()

    task = asyncio.Task(child(), loop=loop, name="direct")
    known = task in asyncio.all_tasks()
    return await task, known, task.get_name()


@parity(returns=by_python({(3, 10): ("CancelledError", ()), (3, 11): ("CancelledError", ("why",))}))
async def test_a_task_constructed_directly_can_be_cancelled(aio):
    """cancel(msg) reaches a stock Task on the loop."""
    task = asyncio.Task(aio.sleep(100), loop=aio.get_running_loop())
    await aio.sleep(1)
    task.cancel("why")
    return await outcome_of_await(task)


@parity(returns=(3, "Sub", True))
async def test_a_subclass_of_task_works(aio):
    """A subclass of Task can be constructed, named, awaited."""

    class Sub(aio.Task):
        pass

    task = Sub(three(), loop=aio.get_running_loop(), name="sub")
    return await task, type(task).__name__, isinstance(task, asyncio.Task)


@parity(events=["a", "b", "c"])
async def test_a_custom_awaitable_drives_a_task(aio, log):
    """A coroutine that yields None by hand gives up one turn for each yield."""

    class Yielding:
        def __await__(self):
            log("a")
            yield
            log("c")

    async def child():
        await Yielding()

    task = aio.create_task(child())
    await aio.sleep(0)
    log("b")
    await task


@parity(returns=[None, "sent", ("ValueError", ("thrown",))])
async def test_a_collections_abc_coroutine_makes_a_task(aio):
    """Any object with send, throw, close and __await__ is a coroutine to Task."""

    class ByHand(collections.abc.Coroutine):
        def __init__(self, failing):
            self.turns, self.failing = 0, failing

        def send(self, value):
            self.turns += 1
            if self.turns <= 2:
                return
            if self.failing:
                raise ValueError("thrown")
            raise StopIteration("sent")

        def throw(self, *exc_info):
            raise exc_info[0]

        def close(self):
            pass

        def __await__(self):
            return iter(())

    task, failing = aio.create_task(ByHand(False)), aio.create_task(ByHand(True))
    return [await aio.sleep(0), await task, await outcome_of_await(failing)]


@parity(returns=2)
async def test_a_result_that_is_an_exception_object_is_just_a_result(aio):
    """Returning an exception, or StopIteration itself, does not raise it."""

    async def child(result):
        return result

    results = [await aio.create_task(child(each)) for each in (ValueError("x"), StopIteration(1))]
    return len([each for each in results if isinstance(each, Exception)])


@parity(returns=("RuntimeError", ("coroutine raised StopIteration",)))
async def test_stop_iteration_out_of_a_coroutine_becomes_a_runtime_error(aio):
    """`raise StopIteration` in a task fails it with Python's RuntimeError."""

    async def child():
        raise StopIteration(1)

    return await outcome_of_await(aio.create_task(child()))


@parity(returns=[0, 1, 2])
async def test_awaiting_a_done_task_again_gives_the_result_again(aio):
    """A task can be awaited before, at and after its end, by several tasks."""

    async def child():
        await aio.sleep(1)
        return itertools.count()

    task = aio.create_task(child())

    async def waiter():
        return next(await task)

    return [await aio.create_task(waiter()) for _ in range(3)]


@parity(returns="<coroutine object three at 0x…>")
async def test_the_coroutine_keeps_its_face(aio):
    """What get_coro() gives prints as the user's coroutine."""
    task = aio.create_task(three())
    text = stable(repr(task.get_coro()))
    await task
    return text
