"""Context variables: one context in both lanes, copied at spawn as each world does."""

import asyncio
import contextvars

import trio

import trioasync
from tests.mixing.ways import asyncio_program, either_program, real

var = contextvars.ContextVar("var", default="default")


@either_program
async def test_what_an_awaited_function_sets_is_seen_after_it():
    """A variable set inside an awaited function of either world is seen by the one who awaits it."""

    async def sets(wait, value):
        await wait(0)
        var.set(value)
        await wait(0)

    for wait in (asyncio.sleep, trio.sleep):
        await sets(wait, wait.__module__)
        assert var.get() == wait.__module__
        await (trio.sleep if wait is asyncio.sleep else asyncio.sleep)(0)
        assert var.get() == wait.__module__


@either_program
async def test_a_new_task_has_a_copy_of_the_context():
    """A Task, and a child of a nursery, sees what was set where it was started, and keeps what it sets for itself."""
    seen = []

    async def child():
        seen.append(var.get())
        await trio.sleep(0)
        await asyncio.sleep(0)
        var.set("child")

    var.set("parent")
    task = trioasync.create_task(child())
    var.set("later")
    await task
    async with trio.open_nursery() as nursery:
        var.set("in the nursery")
        nursery.start_soon(child)
        var.set("later")
    assert seen[0] == "parent"
    assert len(seen) == 2
    assert var.get() == "later"


@asyncio_program
async def test_a_nursery_child_is_given_the_context_of_the_start():
    """A child of a nursery copies the context at start_soon, whichever Task opened the nursery."""
    seen = []

    async def child():
        seen.append(var.get())

    async def starts(nursery):
        var.set("who starts")
        nursery.start_soon(child)

    async with trio.open_nursery() as nursery:
        var.set("who has opened")
        await trioasync.create_task(starts(nursery))
    assert seen == ["who starts"]


@asyncio_program
async def test_a_task_runs_in_the_context_it_is_given():
    """create_task(context=...) runs the Task's trio steps in that context too."""
    context = contextvars.copy_context()

    async def child():
        await trio.sleep(1)
        var.set("child")
        await asyncio.sleep(1)
        return var.get()

    task = trioasync.create_task(child(), context=context)
    assert await task == "child"
    assert context[var] == "child"
    assert var.get() == "default"
    assert task.get_context() is context


@asyncio_program
async def test_hosts_that_serve_many_tasks_do_not_mix_contexts():
    """Tasks one after the other on the same host each have their own context."""

    async def child(number):
        assert var.get() == "default"
        var.set(number)
        await trio.sleep(0)
        await asyncio.sleep(0)
        assert var.get() == number

    for number in range(3):
        await trioasync.create_task(child(number))
    await asyncio.gather(*(child(number) for number in range(3)))


@asyncio_program(clock=real)
async def test_a_trio_thread_sees_the_context_of_the_task():
    """trio.to_thread.run_sync from a Task runs in a copy of its context, and so does what it calls back."""
    var.set("task")
    assert await trio.to_thread.run_sync(var.get) == "task"
    assert await trio.to_thread.run_sync(trio.from_thread.run_sync, var.get) == "task"


@either_program
async def test_a_callback_runs_in_the_context_of_its_registration():
    """call_soon in a Task or in a plain trio task copies the context."""
    seen = []
    var.set("registered")
    asyncio.get_running_loop().call_soon(lambda: seen.append(var.get()))
    var.set("later")
    await trio.sleep(1)
    assert seen == ["registered"]
