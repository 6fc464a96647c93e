"""Tasks that start at once: eager_start=, the eager task factory, and what a step inside another step means."""

import asyncio
import contextvars

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity

var = contextvars.ContextVar("var", default="default")


@parity(since=(3, 12), events=["before", "child", "after"], returns=(True, 3))
async def test_an_eager_task_runs_until_its_first_wait(aio, log):
    """A task with eager_start=True runs inside its creation; one that never waits is done when create_task returns."""

    async def child():
        log("child")
        return 3

    log("before")
    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    log("after")
    return task.done(), await task


@parity(since=(3, 12), events=["first step", "created", "second step"], returns=7, seconds=1)
async def test_an_eager_task_that_waits_goes_on_like_any_other(aio, log):
    """After its first wait an eager task is an ordinary one."""

    async def child():
        log("first step")
        await aio.sleep(1)
        log("second step")
        return 7

    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    log("created")
    return await task


@parity(since=(3, 12), events=["outer", "inner", "outer goes on", "main"])
async def test_eager_tasks_nest(aio, log):
    """An eager task may create another; each runs inside the other's step."""
    loop = aio.get_running_loop()
    loop.set_task_factory(aio.eager_task_factory)

    async def inner():
        log("inner")

    async def outer():
        log("outer")
        aio.create_task(inner())
        log("outer goes on")

    aio.create_task(outer())
    log("main")


@parity(since=(3, 12), returns=(["outer", "inner", "outer", "main"], "main"))
async def test_current_task_is_the_one_whose_step_runs(aio):
    """current_task() is the eager task during its step, and the creator again afterwards."""
    loop, seen = aio.get_running_loop(), []
    aio.current_task().set_name("main")

    async def inner():
        seen.append(asyncio.current_task().get_name())

    async def outer():
        seen.append(aio.current_task().get_name())
        aio.Task(inner(), loop=loop, name="inner", eager_start=True)
        seen.append(aio.current_task().get_name())

    aio.Task(outer(), loop=loop, name="outer", eager_start=True)
    seen.append(aio.current_task().get_name())
    await aio.sleep(0)
    return seen, aio.current_task().get_name()


@parity(since=(3, 12), returns=[True, False, True, False])
async def test_all_tasks_lists_an_eager_task_while_it_is_not_done(aio):
    """An eager task is in all_tasks() during its first step and while it waits."""
    seen = []

    async def at_once():
        seen.append(aio.current_task() in asyncio.all_tasks())

    finished = aio.Task(at_once(), loop=aio.get_running_loop(), eager_start=True)
    seen.append(finished in asyncio.all_tasks())
    waiting = aio.Task(aio.sleep(1), loop=aio.get_running_loop(), eager_start=True)
    seen.append(waiting in asyncio.all_tasks())
    await waiting
    return [*seen, waiting in asyncio.all_tasks()]


@parity(since=(3, 12), returns=("at creation", "set by the task", "at creation"))
async def test_an_eager_task_runs_in_its_own_context(aio):
    """What an eager task sets is not seen by its creator."""

    async def child():
        seen = var.get()
        var.set("set by the task")
        await aio.sleep(0)
        return seen, var.get()

    var.set("at creation")
    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    seen_by_the_creator = var.get()
    return *await task, seen_by_the_creator


@parity(since=(3, 12), returns=("ValueError", ("at once",)))
async def test_an_eager_task_that_fails_at_once_raises_when_awaited(aio):
    """The exception of an eager first step is the task's, not the creator's."""

    async def child():
        raise ValueError("at once")

    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    return await outcome_of_await(task)


@parity(since=(3, 12), returns=[("why",)])
async def test_an_eager_task_that_waits_can_be_cancelled(aio):
    """cancel(msg) after the eager step arrives like any other."""
    seen = []

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            seen.append(raised.args)
            raise

    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    task.cancel("why")
    await outcome_of_await(task)
    assert task.cancelled()
    return seen


@parity(since=(3, 12), returns=(False, "finished", False))
async def test_an_eager_task_that_finished_at_once_cannot_be_cancelled(aio):
    """cancel() of it answers False."""

    async def child():
        return "finished"

    task = aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    return task.cancel(), await task, task.cancelled()


@parity(since=(3, 12), events=["first", "second", "third", "a turn"])
async def test_awaiting_finished_eager_tasks_takes_no_turn(aio, log):
    """A task that finished inside its creation is awaited without a wait."""
    aio.get_running_loop().set_task_factory(aio.eager_task_factory)

    async def child(value):
        return value

    tasks = [aio.create_task(child(value)) for value in ("first", "second", "third")]
    aio.get_running_loop().call_soon(log, "a turn")
    for task in tasks:
        log(await task)
    await aio.sleep(0)


@parity(since=(3, 12), returns=[True, True, False, False])
async def test_the_eager_factory_is_what_get_task_factory_says(aio):
    """set_task_factory(eager_task_factory) makes each task eager until it is taken back."""
    loop, seen = aio.get_running_loop(), []

    async def child():
        return 1

    loop.set_task_factory(aio.eager_task_factory)
    seen += [loop.get_task_factory() is aio.eager_task_factory, aio.create_task(child()).done()]
    loop.set_task_factory(None)
    task = aio.create_task(child())
    seen += [task.done(), loop.get_task_factory() is not None]
    await task
    return seen


@parity(since=(3, 12), returns=["Mine", True])
async def test_a_factory_may_make_eager_tasks_of_another_class(aio):
    """create_eager_task_factory takes the class of the tasks."""

    class Mine(aio.Task):
        pass

    loop = aio.get_running_loop()
    loop.set_task_factory(aio.create_eager_task_factory(Mine))

    async def child():
        return 1

    task = aio.create_task(child(), name="mine")
    return [type(task).__name__, task.done()]


@parity(since=(3, 12), returns=[False, 3])
def test_an_eager_task_of_a_loop_that_does_not_run_starts_with_the_loop(aio):
    """eager_start=True without a running loop is an ordinary start."""

    async def child():
        return 3

    loop = aio.new_event_loop()
    try:
        task = aio.Task(child(), loop=loop, eager_start=True)
        return [task.done(), loop.run_until_complete(task)]
    finally:
        loop.close()


@parity(since=(3, 14), returns=(True, False))
async def test_create_task_takes_eager_start(aio):
    """create_task(eager_start=) decides for one task, whatever the factory does."""
    aio.get_running_loop().set_task_factory(aio.eager_task_factory)

    async def child():
        return 1

    eager, lazy = aio.create_task(child(), eager_start=True), aio.create_task(child(), eager_start=False)
    answers = eager.done(), lazy.done()
    await lazy
    return answers


@parity(since=(3, 12), returns="a result of the creator")
async def test_an_eager_task_may_resolve_what_its_creator_awaits(aio):
    """A future set in an eager first step is done for the creator at once."""
    future = aio.get_running_loop().create_future()

    async def child():
        future.set_result("a result of the creator")

    aio.Task(child(), loop=aio.get_running_loop(), eager_start=True)
    return outcome_of(future.result)


@parity(since=(3, 12), events=["eager", ("ready", "first"), ("ready", "lazy"), ("ready", "last")])
async def test_an_eager_task_takes_its_place_when_it_first_waits(aio, log):
    """The second step of an eager task is queued where its first wait put it."""
    loop = aio.get_running_loop()

    async def eager():
        log("eager")
        await aio.sleep(0)
        log("ready", "lazy")

    loop.call_soon(log, "ready", "first")
    task = aio.Task(eager(), loop=loop, eager_start=True)
    loop.call_soon(log, "ready", "last")
    await task
    await aio.sleep(0)


@parity(since=(3, 12), returns=by_python({(3, 10): (True, []), (3, 12): (False, [])}))
async def test_an_eager_task_that_finished_at_once_has_let_its_coroutine_go(aio):
    """From 3.12 on the repr of a task that finished inside its creation names no coroutine; it has no stack."""

    async def child():
        return 3

    task = aio.Task(child(), loop=aio.get_running_loop(), name="t", eager_start=True)
    return "coro=" in repr(task), task.get_stack()
