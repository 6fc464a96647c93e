"""TaskGroup: its create_task(), its states, and the errors of its use."""

import contextvars

from tests.support.parity import parity

variable = contextvars.ContextVar("variable", default="default")


@parity(since=(3, 11), returns=["named", "given"])
async def test_name_and_context(aio):
    """create_task() of the group takes name and context as the function does."""

    async def child():
        return variable.get()

    context = contextvars.copy_context()
    context.run(variable.set, "given")
    async with aio.TaskGroup() as group:
        task = group.create_task(child(), name="named", context=context)
    return [task.get_name(), task.result()]


@parity(
    since=(3, 13),  # before, asyncio left the refused coroutine to its fate
    raises=RuntimeError("TaskGroup <TaskGroup> has not been entered"),
)
async def test_not_entered(aio):
    """A group that was not entered takes no tasks; since 3.13 it closes the coroutine."""
    aio.TaskGroup().create_task(aio.sleep(0))


@parity(
    since=(3, 13),
    raises=RuntimeError("TaskGroup <TaskGroup entered> is finished"),
)
async def test_finished(aio):
    """A group that is finished takes no tasks."""
    async with aio.TaskGroup() as group:
        pass
    group.create_task(aio.sleep(0))


@parity(since=(3, 11), returns="is shutting down", events=["refused"])
async def test_shutting_down(aio, log):
    """A group that is shutting down takes no tasks."""

    async def late():
        coro = aio.sleep(0)
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            group.create_task(coro)
        finally:
            log("refused")
            coro.close()

    async def failing():
        raise ValueError("x")

    try:
        async with aio.TaskGroup() as group:
            group.create_task(late())
            await aio.sleep(0)
            group.create_task(failing())
    except Exception as error:
        (refusal,) = (inner for inner in error.exceptions if isinstance(inner, RuntimeError))
        return refusal.args[0][-len("is shutting down") :]


@parity(since=(3, 11), raises=RuntimeError("TaskGroup <TaskGroup entered> has already been entered"))
async def test_entered_twice(aio):
    """A group can be entered once."""
    group = aio.TaskGroup()
    async with group:
        pass
    async with group:
        pass


@parity(since=(3, 11), returns=["<TaskGroup>", "<TaskGroup tasks=1 entered>", "<TaskGroup entered>"])
async def test_repr(aio):
    """repr() shows the state and how many tasks there are."""
    group = aio.TaskGroup()
    texts = [repr(group)]
    async with group:
        group.create_task(aio.sleep(0))
        texts.append(repr(group))
    return [*texts, repr(group)]
