"""Task cancellation: what the page says of CancelledError, of who swallows it, and of ending a group of tasks."""

import sys

from tests.support.parity import CANCELLED, TIMED_OUT, by_python, parity, told

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


@parity(returns=[True, False, CANCELLED])
async def test_most_code_need_not_know_of_it(aio):
    """CancelledError derives from BaseException directly: `except Exception` does not catch it."""

    async def careful():
        try:
            await aio.sleep(3600)
        except Exception:
            return "caught"

    task = aio.create_task(careful())
    await aio.sleep(0)
    task.cancel()
    outcome = await told(task)
    return [issubclass(aio.CancelledError, BaseException), issubclass(aio.CancelledError, Exception), outcome]


@parity(since=(3, 11), events=["swallowed", "the group is left"], returns="builtins.ValueError('x',)", seconds=10)
async def test_a_group_whose_task_swallows_the_cancellation(aio, log):
    """A task that swallows CancelledError misleads the group that cancels it: it is waited for as long as it likes."""

    async def stubborn():
        try:
            await aio.sleep(3600)
        except aio.CancelledError:
            log("swallowed")
            await aio.sleep(10)

    try:
        async with aio.TaskGroup() as group:
            group.create_task(stubborn())
            await aio.sleep(0)
            raise ValueError("x")
    except BaseExceptionGroup as group:
        log("the group is left")
        (error,) = group.exceptions
    return await told(_raising(error))


@parity(since=(3, 11), events=["caught inside: CancelledError"], returns=TIMED_OUT, seconds=1)
async def test_where_a_timeout_can_be_caught(aio, log):
    """Inside of timeout() there is a CancelledError; the TimeoutError can be caught outside of it alone."""

    async def limited():
        async with aio.timeout(1):
            try:
                await aio.sleep(3600)
            except BaseException as error:
                log(f"caught inside: {type(error).__name__}")
                raise

    return await told(limited())


class EndGroup(Exception):
    """Raised by a task in order to end its group."""


@parity(since=(3, 11), events=["job 1: start", "job 2: start", "job 1: done"], returns=["EndGroup"], seconds=1)
async def test_ending_a_group_by_an_exception(aio, log):
    """A task group is ended by a task that raises an exception of the program's own, which is caught around it."""

    async def job(number, seconds):
        log(f"job {number}: start")
        await aio.sleep(seconds)
        log(f"job {number}: done")

    async def end():
        raise EndGroup

    try:
        async with aio.TaskGroup() as group:
            group.create_task(job(1, 0.5))
            group.create_task(job(2, 1.5))
            await aio.sleep(1)
            group.create_task(end())
    except BaseExceptionGroup as group:
        return [type(error).__name__ for error in group.exceptions]


# The interpreter crashes when 3.12.1 is asked for that coroutine, so asyncio is asked from 3.13 on.
@parity(since=(3, 13), returns=by_python({(3, 10): [True, True, 3], (3, 12): [True, False, 3]}))
async def test_the_coroutine_of_a_task_that_was_done_eagerly(aio):
    """get_coro() gives None for a task that an eager start has brought to its end; up to 3.11 it keeps it."""
    aio.get_running_loop().set_task_factory(aio.eager_task_factory)

    async def immediate():
        return 3

    task = aio.create_task(immediate())
    return [task.done(), task.get_coro() is not None, await task]


async def _raising(error):
    raise error
