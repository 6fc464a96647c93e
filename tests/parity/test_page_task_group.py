"""TaskGroup: waiting for all, and failing together."""

from tests.support.parity import CANCELLED, describe, parity, told


async def fail(aio, delay, text):
    """Raise ValueError(text) after `delay` seconds."""
    await aio.sleep(delay)
    raise ValueError(text)


async def log_cancellation(aio, log, name):
    """Sleep for long; log `name` when cancelled."""
    try:
        await aio.sleep(3600)
    except aio.CancelledError:
        log(name)
        raise


def group_of(*texts, kind="ExceptionGroup"):
    """Return what `describe` says of a group of ValueErrors from a TaskGroup."""
    inner = ", ".join(f"builtins.ValueError({text!r},)" for text in texts)
    return f"{kind}('unhandled errors in a TaskGroup', [{inner}])"


def told_group(text):
    """Return `text` without the module of the group's class, which is a backport below Python 3.11."""
    return text.partition(".")[2]


@parity(since=(3, 11), returns=[1, 2], events=["body ends", "one", "two", "after"], seconds=2)
async def test_all_tasks_are_awaited(aio, log):
    """All tasks of the group are awaited when the context manager exits."""

    async def child(delay, name):
        await aio.sleep(delay)
        log(name)
        return delay

    async with aio.TaskGroup() as group:
        tasks = [group.create_task(child(1, "one")), group.create_task(child(2, "two"))]
        log("body ends")
    log("after")
    return [task.result() for task in tasks]


@parity(since=(3, 11), events=["child", "grandchild"], seconds=2)
async def test_tasks_may_be_added_while_it_waits(aio, log):
    """While the group waits, its tasks may add tasks to it."""

    async def child():
        await aio.sleep(1)
        log("child")
        group.create_task(grandchild())

    async def grandchild():
        await aio.sleep(1)
        log("grandchild")

    async with aio.TaskGroup() as group:
        group.create_task(child())


@parity(since=(3, 11), returns=group_of("first"), events=["other cancelled", "body cancelled"], seconds=1)
async def test_the_first_failure_cancels_the_rest(aio, log):
    """The first time a task fails, the remaining tasks are cancelled, and so is the body, at its await."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(fail(aio, 1, "first"))
            group.create_task(log_cancellation(aio, log, "other cancelled"))
            await log_cancellation(aio, log, "body cancelled")

    return told_group(await told(main()))


@parity(since=(3, 11), returns=(group_of("x"), 0, False), seconds=1)
async def test_the_cancellation_of_the_body_stays_inside(aio):
    """The CancelledError that interrupts the body does not leave the group, and is not counted afterwards."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(fail(aio, 1, "x"))
            await aio.sleep(3600)

    task = aio.create_task(main())
    outcome = told_group(await told(task))
    return outcome, task.cancelling(), task.cancelled()


@parity(since=(3, 11), returns=group_of("one", "two", "body"))
async def test_all_errors_are_combined(aio):
    """Errors of tasks and of the body are combined in one ExceptionGroup, in the order of their occurrence."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(fail(aio, 0, "one"))
            group.create_task(fail(aio, 0, "two"))
            try:
                await aio.sleep(3600)
            finally:
                raise ValueError("body")

    return told_group(await told(main()))


@parity(since=(3, 11), returns=group_of("body"), events=["cancelled"])
async def test_an_error_of_the_body_cancels_the_tasks(aio, log):
    """If the body exits with an exception, the tasks are cancelled; it is in the group as the others are."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(log_cancellation(aio, log, "cancelled"))
            await aio.sleep(0)
            raise ValueError("body")

    return told_group(await told(main()))


@parity(since=(3, 11), returns=group_of("cleaning"))
async def test_an_error_during_clean_up(aio):
    """An error that a cancelled task raises in its clean-up is in the group, too."""

    async def cleaning():
        try:
            await aio.sleep(3600)
        finally:
            raise ValueError("cleaning")

    async def main():
        async with aio.TaskGroup() as group:
            task = group.create_task(cleaning())
            await aio.sleep(1)
            task.cancel()

    return told_group(await told(main()))


@parity(since=(3, 11), returns=[True, "fine"], seconds=2)
async def test_a_cancelled_task_is_no_failure(aio):
    """A task of the group that is cancelled does not count as failed: the others go on."""
    async with aio.TaskGroup() as group:
        cancelled, fine = group.create_task(aio.sleep(9)), group.create_task(aio.sleep(2, "fine"))
        await aio.sleep(1)
        cancelled.cancel()
    return [cancelled.cancelled(), fine.result()]


@parity(since=(3, 11), returns=CANCELLED, events=["child cancelled"], seconds=1)
async def test_cancelling_the_parent(aio, log):
    """Cancelling the task that waits in the group cancels its tasks; CancelledError leaves it."""

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(log_cancellation(aio, log, "child cancelled"))

    task = aio.create_task(main())
    await aio.sleep(1)
    task.cancel()
    return await told(task)


@parity(since=(3, 11), returns=(group_of("instead"), 1), seconds=1)
async def test_a_failure_wins_over_the_cancellation_of_the_parent(aio):
    """If tasks fail while the parent is being cancelled, the ExceptionGroup leaves; the request stays counted."""

    async def failing_clean_up():
        try:
            await aio.sleep(3600)
        finally:
            raise ValueError("instead")

    async def main():
        try:
            async with aio.TaskGroup() as group:
                group.create_task(failing_clean_up())
        finally:
            main.cancelling = aio.current_task().cancelling()

    task = aio.create_task(main())
    await aio.sleep(1)
    task.cancel()
    return told_group(await told(task)), main.cancelling


@parity(since=(3, 11), raises=KeyboardInterrupt("base"), logged=["ERROR Task exception was never retrieved"])
def test_keyboard_interrupt_of_a_task(aio):
    """KeyboardInterrupt and SystemExit are not grouped: they leave as they are."""

    async def interrupted():
        raise KeyboardInterrupt("base")

    async def main():
        async with aio.TaskGroup() as group:
            group.create_task(interrupted())

    aio.run(main())


@parity(since=(3, 11), returns=["outer [inner [x]]"])
async def test_groups_nest(aio):
    """The group of an inner TaskGroup is an error of the outer one."""

    async def inner():
        async with aio.TaskGroup() as group:
            group.create_task(fail(aio, 0, "x"))

    async def outer():
        async with aio.TaskGroup() as group:
            group.create_task(inner())

    try:
        await outer()
    except Exception as error:
        (nested,) = error.exceptions
        (leaf,) = nested.exceptions
        return [f"outer [inner [{leaf.args[0]}]]"]


@parity(since=(3, 11), returns=(group_of("x"), [CANCELLED]), seconds=1)
async def test_a_task_awaited_in_the_body(aio):
    """A body that awaits a task of the group is cancelled when that task fails: it does not see the error itself."""
    caught = []

    async def main():
        async with aio.TaskGroup() as group:
            task = group.create_task(fail(aio, 1, "x"))
            try:
                await task
            except BaseException as error:
                caught.append(describe(error))
                raise

    return told_group(await told(main())), caught
