"""The task group of 3.15, on every Python."""

import asyncio
import gc
import sys
import weakref

import pytest

from tests.backports import beside_asyncio, run
from trioasync._backports import taskgroups

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup, ExceptionGroup

task_group = beside_asyncio("TaskGroup", taskgroups.TaskGroup, since=(3, 15))


async def fail(delay=0):
    await asyncio.sleep(delay)
    raise ValueError(delay)


def test_the_group_is_left_when_all_its_tasks_are_done(task_group):
    """Leaving waits for tasks that tasks started, too; their results are kept."""

    async def main():
        async def grow(levels):
            await asyncio.sleep(1)
            return [levels, *([] if not levels else [tasks.append(group.create_task(grow(levels - 1)))])]

        async with task_group() as group:
            tasks = [group.create_task(grow(2), name="grown")]
        return [task.result()[0] for task in tasks], tasks[0].get_name(), asyncio.get_running_loop().time()

    assert run(main) == ([2, 1, 0], "grown", pytest.approx(3))


def test_a_failing_task_cancels_the_others_and_the_body(task_group):
    """The failures leave as one ExceptionGroup, without the cancellations, and the count of the parent is zero."""

    async def main():
        async with task_group() as group:
            victim = group.create_task(asyncio.sleep(9))
            group.create_task(fail(1))
            await asyncio.sleep(9)
        return victim

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    assert caught.value.message == "unhandled errors in a TaskGroup"
    assert [repr(each) for each in caught.value.exceptions] == ["ValueError(1)"]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_failures_while_shutting_down_are_gathered(task_group):
    """Tasks that fail in their cancellation add to the group; the body's own failure comes last."""

    async def main():
        async def fail_on_cancel():
            try:
                await asyncio.sleep(9)
            finally:
                raise KeyError("cleaning up")

        async with task_group() as group:
            group.create_task(fail_on_cancel())
            await asyncio.sleep(0)
            raise OSError("body")

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    assert [type(each) for each in caught.value.exceptions] == [KeyError, OSError]


def test_the_cancellation_of_the_parent_goes_through(task_group):
    """A parent cancelled while it waits for its tasks cancels them and ends cancelled, with the message."""

    async def main():
        async def parent():
            async with task_group() as group:
                children.append(group.create_task(asyncio.sleep(9)))

        children = []
        task = asyncio.create_task(parent())
        await asyncio.sleep(1)
        task.cancel("why")
        await asyncio.wait([task])
        return task.cancelled(), task.cancelling(), children[0].cancelled()

    assert run(main) == (True, 1, True)


def test_failures_hide_the_cancellation_of_the_parent_until_its_next_wait(task_group):
    """When the group fails and the parent was cancelled too, the cancellation comes back at the next await."""

    async def main():
        async def parent():
            try:
                async with task_group() as group:
                    group.create_task(resist())
            except ExceptionGroup:
                log.append(asyncio.current_task().cancelling())
                await asyncio.sleep(0)
                log.append("not reached")

        async def resist():
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                raise ValueError from None

        log = []
        task = asyncio.create_task(parent())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return log, task.cancelled()

    assert run(main) == ([1], True)


def test_a_second_cancellation_is_not_lost_behind_the_groups_own(task_group):
    """A parent cancelled from outside while the group cancels it for cancel() ends cancelled."""

    async def main():
        async def parent():
            async with task_group() as group:
                group.create_task(linger())
                await asyncio.sleep(1)
                group.cancel()

        async def linger():
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                await asyncio.sleep(5)

        task = asyncio.create_task(parent())
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), task.cancelling()

    assert run(main) == (True, 1)


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
def test_a_fatal_exception_of_the_body_leaves_as_it_is(task_group, fatal):
    """KeyboardInterrupt and SystemExit are put in no group; the tasks are cancelled first."""

    async def main():
        async with task_group() as group:
            cancelled.append(group.create_task(asyncio.sleep(9)))
            await asyncio.sleep(0)
            raise fatal

    cancelled = []
    with pytest.raises(fatal):
        run(main)
    assert cancelled[0].cancelled()


def test_a_generator_that_is_closed_in_a_group_ends_quietly(task_group):
    """GeneratorExit alone leaves as it is, so that `aclose` works."""

    async def main():
        async def numbers():
            async with task_group() as group:
                group.create_task(asyncio.sleep(9))
                yield 1

        generator = numbers()
        first = await generator.__anext__()
        await generator.aclose()
        return first

    assert run(main) == 1


# -- cancel


def test_cancel_ends_body_and_tasks_without_an_error(task_group):
    """A cancelled group is left as if nothing had been: no CancelledError, no count."""

    async def main():
        async with task_group() as group:
            task = group.create_task(asyncio.sleep(9))
            asyncio.get_running_loop().call_later(1, group.cancel)
            await asyncio.sleep(9)
        return task.cancelled(), asyncio.current_task().cancelling(), asyncio.get_running_loop().time()

    assert run(main) == (True, 0, pytest.approx(1))


def test_cancel_keeps_failures(task_group):
    """A task that fails in its cancellation makes the group fail."""

    async def main():
        async def fail_on_cancel():
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                raise ValueError from None

        async with task_group() as group:
            group.create_task(fail_on_cancel())
            await asyncio.sleep(0)
            group.cancel()

    with pytest.raises(ExceptionGroup):
        run(main)


def test_cancel_before_the_group_is_entered_takes_effect_then(task_group):
    """The body is cancelled at its first wait."""

    async def main():
        group, reached = task_group(), []
        group.cancel()
        async with group:
            reached.append("body")
            await asyncio.sleep(0)
            reached.append("after a wait")
        return reached

    assert run(main) == ["body"]


def test_cancel_twice_or_after_the_end_does_nothing(task_group):
    """The parent is cancelled once, and not by a group that it left."""

    async def main():
        async with task_group() as group:
            group.cancel()
            group.cancel()
            counted = asyncio.current_task().cancelling()
            await asyncio.sleep(9)
        group.cancel()
        await asyncio.sleep(0)
        return counted

    assert run(main) == 1


def test_a_cancelled_group_takes_no_tasks(task_group):
    """Starting a task in a group that shuts down is an error, and closes the coroutine."""

    async def main():
        async with task_group() as group:
            group.cancel()
            with pytest.raises(RuntimeError, match="is shutting down"):
                group.create_task(asyncio.sleep(0))
            await asyncio.sleep(0)

    run(main)


# -- create_task, repr


def test_refusals_and_representations(task_group):
    """A group that is not entered, or finished, refuses tasks and closes their coroutines; the repr tells why."""

    async def main():
        group = task_group()
        told = [repr(group)]
        for _ in range(2):
            with pytest.raises(RuntimeError) as refused:
                group.create_task(asyncio.sleep(0))
            told.append(str(refused.value))
            if len(told) == 2:
                async with group:
                    group.create_task(asyncio.sleep(0))
                    told.append(repr(group))
                    with pytest.raises(RuntimeError) as refused:
                        await group.__aenter__()
        return [*told, str(refused.value)]

    assert run(main) == [
        "<TaskGroup>",
        "TaskGroup <TaskGroup> has not been entered",
        "<TaskGroup tasks=1 entered>",
        "TaskGroup <TaskGroup entered> is finished",
        "TaskGroup <TaskGroup entered> is finished",
    ]


def test_an_eager_task_that_fails_does_not_cancel_the_body_too_early(task_group):
    """The body gets to keep the task: it is cancelled a turn later."""

    async def main():
        async def fail_at_once():
            raise ValueError

        try:
            async with task_group() as group:
                kept.append(group.create_task(fail_at_once(), eager_start=True))
                kept.append("body went on")
        except ExceptionGroup as failed:
            return failed.exceptions

    kept = []
    assert [type(each) for each in run(main)] == [ValueError]
    assert kept[0].done()
    assert kept[1:] == ["body went on"]


def test_an_eager_task_that_cancels_its_group_is_cancelled_with_it(task_group):
    """The task whose first step cancels the group does not outlive it."""

    async def main():
        async def cancel_and_wait():
            group.cancel()
            await asyncio.sleep(9)

        async with task_group() as group:
            task = group.create_task(cancel_and_wait(), eager_start=True)
            await asyncio.sleep(9)
        return task.cancelled(), asyncio.get_running_loop().time()

    assert run(main) == (True, pytest.approx(0))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="a Task of 3.10's own cannot have a group")
def test_a_failed_group_keeps_nothing_alive(task_group):
    """The exception of a task goes with the group's, without the help of the garbage collector."""

    class Failure(Exception):
        pass

    async def main():
        async def fail():
            raise Failure

        group = task_group()
        try:
            async with group:
                group.create_task(fail())
        except BaseExceptionGroup as failed:
            failure = weakref.ref(failed.exceptions[0])
        await asyncio.sleep(0)
        return failure()

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(main()) is None
    finally:
        gc.enable()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio has no task group to be one of")
def test_a_group_is_one_of_asyncios():
    """Libraries may ask `isinstance(group, asyncio.TaskGroup)`."""
    assert isinstance(taskgroups.TaskGroup(), asyncio.TaskGroup)
