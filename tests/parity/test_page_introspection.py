"""current_task() and all_tasks()."""

import asyncio

from tests.support.parity import parity


@parity(returns=[True, True, True])
async def test_current_task(aio):
    """current_task() is the running Task, with the loop given or not."""

    async def child():
        return aio.current_task()

    task = aio.create_task(child())
    loop = aio.get_running_loop()
    return [await task is task, aio.current_task() is aio.current_task(loop), aio.current_task() is not task]


@parity(events=[None])
async def test_no_task_in_a_callback(aio, log):
    """In a callback no task is running: current_task() is None."""
    aio.get_running_loop().call_soon(lambda: log(aio.current_task()))
    await aio.sleep(0)


@parity(returns=[True, True])
async def test_the_task_of_a_coroutine(aio):
    """A coroutine that is awaited runs in the task that awaits it, before and after a suspension."""

    async def child():
        before = aio.current_task()
        await aio.sleep(1)
        return before, aio.current_task()

    before, after = await child()
    return [before is aio.current_task(), after is before]


@parity(raises=RuntimeError("no running event loop"))
def test_current_task_without_a_loop(aio):
    """Without a running loop current_task() is an error."""
    aio.current_task()


@parity(returns=None)
def test_current_task_of_a_loop_that_does_not_run(aio):
    """A loop that does not run has no current task."""
    loop = aio.new_event_loop()
    try:
        return aio.current_task(loop)
    finally:
        loop.close()


@parity(returns=[{"main", "pending"}, {"main"}])
async def test_all_tasks(aio):
    """all_tasks() is the set of the tasks that are not finished, the running one among them."""
    aio.current_task().set_name("main")
    task = aio.create_task(aio.sleep(1), name="pending")
    during = aio.all_tasks()
    assert type(during) is set
    await task
    return [{each.get_name() for each in during}, {each.get_name() for each in aio.all_tasks()}]


@parity(returns=[1, 2, True])
async def test_all_tasks_of_a_loop(aio):
    """all_tasks(loop) are the tasks of that loop alone."""
    other = aio.new_event_loop()
    tasks = [other.create_task(aio.sleep(0)) for _ in range(2)]
    answers = [
        len(aio.all_tasks(aio.get_running_loop())),
        len(aio.all_tasks(other)),
        aio.all_tasks(other) == set(tasks),
    ]
    for task in tasks:
        task.cancel()
        task.get_coro().close()
        task._log_destroy_pending = False
    other.close()
    return answers


@parity(raises=RuntimeError("no running event loop"))
def test_all_tasks_without_a_loop(aio):
    """Without a running loop all_tasks() is an error."""
    aio.all_tasks()


@parity(returns=[True, True])
async def test_the_stock_functions_see_the_tasks(aio):
    """asyncio.current_task() and asyncio.all_tasks(), which libraries call, give the same."""
    task = aio.create_task(aio.sleep(0))
    answers = [asyncio.current_task() is aio.current_task(), asyncio.all_tasks() == aio.all_tasks()]
    await task
    return answers


@parity(returns=[True, True, True, True])
async def test_the_classes_are_asyncios(aio):
    """A task is an asyncio.Task and a future an asyncio.Future, for whoever checks it."""
    task, future = aio.create_task(aio.sleep(0)), aio.get_running_loop().create_future()
    await task
    return [
        isinstance(task, asyncio.Task),
        isinstance(future, asyncio.Future),
        aio.isfuture(task),
        aio.isfuture(future),
    ]


@parity(returns=[True, True])
async def test_get_running_loop(aio):
    """get_running_loop() is the loop that the task runs in; asyncio's own function says so as well."""
    loop = aio.current_task().get_loop()
    return [aio.get_running_loop() is loop, asyncio.get_running_loop() is loop]
