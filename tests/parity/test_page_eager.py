"""Eager tasks: eager_task_factory(), create_eager_task_factory() and eager_start=."""

import contextvars

from tests.support.parity import CANCELLED, by_python, describe, parity, told

variable = contextvars.ContextVar("variable", default="default")


def make_eager(aio):
    """Let the running loop make eager tasks."""
    aio.get_running_loop().set_task_factory(aio.eager_task_factory)


@parity(since=(3, 12), events=["child", "created", "resumed"], returns=True)
async def test_an_eager_task_starts_at_once(aio, log):
    """With eager_task_factory a coroutine begins to run inside create_task(), up to its first suspension."""
    make_eager(aio)

    async def child():
        log("child")
        await aio.sleep(0)
        log("resumed")

    task = aio.create_task(child())
    log("created")
    pending = not task.done()
    await task
    return pending


@parity(since=(3, 12), returns=[True, "value", True])
async def test_a_coroutine_that_does_not_suspend(aio):
    """A coroutine that returns without suspending never enters the loop: its task is done when it is created."""
    make_eager(aio)

    async def child():
        return "value"

    task = aio.create_task(child())
    return [task.done(), task.result(), task not in aio.all_tasks()]


@parity(since=(3, 12), returns=[True, "builtins.ValueError('x',)"])
async def test_an_exception_at_once(aio):
    """An exception before the first suspension is that of the task, not of create_task()."""
    make_eager(aio)

    async def child():
        raise ValueError("x")

    task = aio.create_task(child())
    return [task.done(), await told(task)]


@parity(since=(3, 12), returns=[True, CANCELLED])
async def test_cancelled_error_at_once(aio):
    """A coroutine that raises CancelledError in its first step makes a cancelled task."""
    make_eager(aio)

    async def child():
        raise aio.CancelledError

    task = aio.create_task(child())
    return [task.cancelled(), await told(task)]


@parity(since=(3, 12), returns=[True, True, True])
async def test_current_task(aio):
    """The current task is the new one during its first step, and the creator again afterwards."""
    make_eager(aio)
    creator = aio.current_task()
    seen = []

    async def child():
        seen.append(aio.current_task())
        await aio.sleep(0)
        seen.append(aio.current_task())

    task = aio.create_task(child())
    answers = [seen == [task], aio.current_task() is creator]
    await task
    return [*answers, seen == [task, task]]


@parity(since=(3, 12), returns=["set by the creator", "default"])
async def test_the_context(aio):
    """An eager step runs in a copy of the creator's context: what it sets there stays in the task."""
    make_eager(aio)

    async def child():
        seen = variable.get()
        variable.set("set by the child")
        await aio.sleep(0)
        return seen

    token = variable.set("set by the creator")
    task = aio.create_task(child())
    variable.reset(token)
    return [await task, variable.get()]


@parity(since=(3, 12), events=["a1", "b1", "a2", "b2"])
async def test_order_of_eager_tasks(aio, log):
    """Eager tasks start in the order of creation and resume in the order of suspension."""
    make_eager(aio)

    async def child(name):
        log(name + "1")
        await aio.sleep(0)
        log(name + "2")

    await aio.gather(child("a"), child("b"))


@parity(since=(3, 12), returns=by_python({(3, 10): (False, [1, 2, 3]), (3, 12): (True, [1, 2, 3])}), seconds=0)
async def test_gather_of_eager_tasks(aio):
    """gather() of coroutines that do not suspend is done at once, where gather() is so for futures that are done."""
    make_eager(aio)

    async def child(value):
        return value

    gathered = aio.gather(child(1), child(2), child(3))
    return gathered.done(), await gathered


@parity(since=(3, 12), events=["inner", "outer", "main"])
async def test_eager_tasks_nest(aio, log):
    """An eager task that creates another one is interrupted by it."""
    make_eager(aio)

    async def inner():
        log("inner")

    async def outer():
        await aio.create_task(inner())
        log("outer")

    await aio.create_task(outer())
    log("main")


@parity(since=(3, 12), events=["cancelled"], returns=[True, CANCELLED])
async def test_cancelling_a_suspended_eager_task(aio, log):
    """An eager task that is suspended is cancelled as any other."""
    make_eager(aio)

    async def child():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("cancelled")
            raise

    task = aio.create_task(child())
    return [task.cancel(), await told(task)]


@parity(since=(3, 12), returns=["Custom", True, True])
async def test_create_eager_task_factory(aio):
    """create_eager_task_factory() makes a factory for a Task class of one's own."""

    class Custom(aio.Task):
        pass

    async def child():
        """Return at once."""

    aio.get_running_loop().set_task_factory(aio.create_eager_task_factory(Custom))
    task = aio.create_task(child())
    return [type(task).__name__, task.done(), isinstance(task, aio.Task)]


@parity(since=(3, 12), returns=by_python({(3, 10): [False, "named"], (3, 14): [True, "named"]}))
async def test_the_name(aio):
    """Since 3.14 the name is known in the first step already; the loops of older Pythons set it after that."""
    make_eager(aio)

    async def child():
        return aio.current_task().get_name()

    task = aio.create_task(child(), name="named")
    return [task.result() == "named", task.get_name()]


@parity(since=(3, 12), events=["created", "started"])
async def test_the_task_factory_can_be_taken_back(aio, log):
    """set_task_factory(None) brings back the tasks that start in a later turn."""
    make_eager(aio)
    aio.get_running_loop().set_task_factory(None)

    async def child():
        log("started")

    task = aio.create_task(child())
    log("created")
    await task


@parity(since=(3, 14), events=["eager", "created", "created", "lazy"])
async def test_eager_start(aio, log):
    """create_task(eager_start=...) says for one task whether it starts at once."""

    async def child(name):
        log(name)

    await aio.create_task(child("eager"), eager_start=True)
    log("created")
    task = aio.create_task(child("lazy"), eager_start=False)
    log("created")
    await task


@parity(since=(3, 14), events=["created", "lazy"])
async def test_eager_start_false_beats_the_factory(aio, log):
    """eager_start=False holds a task back on a loop with the eager factory."""
    make_eager(aio)

    async def child():
        log("lazy")

    task = aio.create_task(child(), eager_start=False)
    log("created")
    await task


@parity(since=(3, 14), returns=[True, "value"])
async def test_eager_start_in_a_task_group(aio):
    """TaskGroup.create_task() takes eager_start, too."""

    async def child():
        return "value"

    async with aio.TaskGroup() as group:
        task = group.create_task(child(), eager_start=True)
        done_at_once = task.done()
    return [done_at_once, task.result()]


@parity(since=(3, 12), returns=describe(TypeError("a coroutine was expected, got 3")))
async def test_what_is_no_coroutine(aio):
    """The factory refuses what is no coroutine, as create_task() does."""
    make_eager(aio)
    try:
        aio.create_task(3)
    except TypeError as error:
        return describe(error)
