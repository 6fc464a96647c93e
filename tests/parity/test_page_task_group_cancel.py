"""TaskGroup.cancel(), of Python 3.15."""

from tests.support.parity import CANCELLED, parity, told


@parity(since=(3, 15), events=["child cancelled", "after"], returns=0, seconds=1)
async def test_cancel_in_the_body(aio, log):
    """cancel() cancels the tasks and the body; the group exits without CancelledError."""

    async def child():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("child cancelled")
            raise

    async with aio.TaskGroup() as group:
        group.create_task(child())
        await aio.sleep(1)
        group.cancel()
        await aio.sleep(3600)
        log("never")
    log("after")
    return aio.current_task().cancelling()


@parity(since=(3, 15), returns=["task one", None], seconds=1)
async def test_the_first_result_ends_the_group(aio):
    """A task of the group may end it: the usual "first one wins"."""
    results = []

    async def racer(delay, name):
        await aio.sleep(delay)
        results.append(name)
        group.cancel()

    async with aio.TaskGroup() as group:
        group.create_task(racer(2, "task two"))
        group.create_task(racer(1, "task one"))
    return [*results, None]


@parity(since=(3, 15), events=["entered", "after"], seconds=0)
async def test_cancel_before_entering(aio, log):
    """A group that was cancelled before it is entered is cancelled upon entry, at the first await of its body."""
    group = aio.TaskGroup()
    group.cancel()
    async with group:
        log("entered")
        await aio.sleep(3600)
        log("never")
    log("after")


@parity(since=(3, 15), returns=0, seconds=0)
async def test_cancel_is_idempotent(aio):
    """cancel() may be called again, and after the group has exited."""
    async with aio.TaskGroup() as group:
        group.create_task(aio.sleep(3600))
        group.cancel()
        group.cancel()
    group.cancel()
    await aio.sleep(0)
    return aio.current_task().cancelling()


@parity(since=(3, 15), returns=("unhandled errors in a TaskGroup", ["x"]), seconds=0)
async def test_errors_still_leave_a_cancelled_group(aio):
    """An error that a task raises while the group is cancelled leaves it in an ExceptionGroup."""

    async def failing():
        try:
            await aio.sleep(3600)
        finally:
            raise ValueError("x")

    try:
        async with aio.TaskGroup() as group:
            group.create_task(failing())
            await aio.sleep(0)
            group.cancel()
    except Exception as error:
        return error.message, [inner.args[0] for inner in error.exceptions]


@parity(since=(3, 15), returns=["no new task", 0])
async def test_no_tasks_after_cancel(aio):
    """A cancelled group takes no more tasks, and closes the coroutine."""
    answers = []
    async with aio.TaskGroup() as group:
        group.create_task(aio.sleep(3600))
        group.cancel()
        try:
            group.create_task(aio.sleep(0))
        except RuntimeError as error:
            answers.append("no new task" if str(error).endswith("is shutting down") else str(error))
    return [*answers, aio.current_task().cancelling()]


@parity(since=(3, 15), returns=CANCELLED, seconds=1)
async def test_a_cancellation_from_outside_goes_on(aio):
    """A cancellation of the parent by somebody else is not swallowed together with the group's own."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(aio.sleep(3600))
            try:
                await aio.sleep(3600)
            finally:
                group.cancel()

    task = aio.create_task(main())
    await aio.sleep(1)
    task.cancel()
    return await told(task)
