"""How the message of cancel() travels: into the task, through `await task`, gather, shield and wait_for."""

import asyncio

from tests.support.outcomes import outcome_of, outcome_of_await
from tests.support.parity import by_python, parity

# Up to 3.10 the awaiting side gets a new CancelledError without message, whose context is the one raised in the task;
# from 3.11 on the very exception travels.
NOTHING, WHY = ("CancelledError", ()), ("CancelledError", ("why",))
WHY_FROM_3_11 = by_python({(3, 10): NOTHING, (3, 11): WHY})


def context_chain(exception):
    """List the arguments of an exception and of its contexts, from the outermost in."""
    chain = []
    while exception is not None:
        chain.append(exception.args)
        exception = exception.__context__
    return chain


@parity(returns=("why",))
async def test_the_message_arrives_in_the_task(aio):
    """The task that is cancelled sees CancelledError(msg) on every Python."""
    seen = []

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            seen.append(raised.args)
            raise

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel("why")
    await outcome_of_await(task)
    return seen[0]


@parity(returns=WHY_FROM_3_11)
async def test_the_message_travels_through_await_task(aio):
    """Whoever awaits the cancelled task gets the message as that Python passes it on."""
    task = aio.create_task(aio.sleep(100))
    await aio.sleep(1)
    task.cancel("why")
    return await outcome_of_await(task)


@parity(returns=by_python({(3, 10): [(), ("why",)], (3, 11): [("why",)]}))
async def test_the_context_of_the_error_holds_what_the_task_raised(aio):
    """Up to 3.10 the task's own CancelledError is the context of the awaiter's; from 3.11 on it is the same."""
    task = aio.create_task(aio.sleep(100))
    await aio.sleep(1)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError as raised:
        return context_chain(raised)


@parity(returns=by_python({(3, 10): [NOTHING, NOTHING, NOTHING], (3, 11): [WHY, NOTHING, NOTHING]}))
async def test_asking_several_times_gives_the_message_as_often_as_asyncio_does(aio):
    """result() of a cancelled task raises the task's own exception once; then new ones, without message."""
    task = aio.create_task(aio.sleep(100))
    await aio.sleep(1)
    task.cancel("why")
    await aio.wait([task])
    return [outcome_of(task.result), outcome_of(task.exception), outcome_of(task.result)]


@parity(returns=WHY_FROM_3_11)
async def test_the_message_travels_through_three_tasks(aio):
    """A chain of tasks that await each other passes the message up."""

    async def outer(depth):
        await (aio.create_task(outer(depth - 1)) if depth else aio.sleep(100))

    task = aio.create_task(outer(3))
    await aio.sleep(1)
    task.cancel("why")
    return await outcome_of_await(task)


@parity(returns=WHY_FROM_3_11)
async def test_the_message_of_a_cancelled_gather_travels(aio):
    """A task that awaits gather() and is cancelled with a message ends with it."""

    async def outer():
        await aio.gather(aio.sleep(100), aio.sleep(200))

    task = aio.create_task(outer())
    await aio.sleep(1)
    task.cancel("why")
    return await outcome_of_await(task)


@parity(returns=WHY_FROM_3_11)
async def test_the_message_of_a_cancelled_child_of_gather_travels(aio):
    """gather() raises the cancellation of its child."""
    child = aio.create_task(aio.sleep(100))
    aio.get_running_loop().call_later(1, child.cancel, "why")
    return await outcome_of_await(aio.gather(child, aio.sleep(2)))


@parity(returns=[("",), ("why",)])
async def test_gather_returns_the_message_that_it_finds_on_a_cancelled_child(aio):
    """With return_exceptions, the list holds a new CancelledError: a message known only to the awaited future is ''."""
    child = aio.create_task(aio.sleep(100))
    future = aio.get_running_loop().create_future()
    aio.get_running_loop().call_later(1, child.cancel, "why")
    aio.get_running_loop().call_later(1, future.cancel, "why")
    return [error.args for error in await aio.gather(child, future, return_exceptions=True)]


@parity(returns=[WHY, WHY])
async def test_the_gathering_future_passes_its_own_message_to_the_children(aio):
    """cancel(msg) of what gather() returned cancels each child with that message."""
    seen = []

    async def child():
        seen.append(await outcome_of_await(aio.sleep(100)))
        raise asyncio.CancelledError

    gathering = aio.gather(child(), child())
    await aio.sleep(1)
    gathering.cancel("why")
    await outcome_of_await(gathering)
    return seen


@parity(returns=WHY)
async def test_the_message_of_a_cancelled_future_travels_into_the_awaiting_task(aio):
    """A future cancelled with a message raises it in the task that awaits it, on every Python."""
    future = aio.get_running_loop().create_future()
    aio.get_running_loop().call_soon(future.cancel, "why")
    return await outcome_of_await(future)


@parity(returns=(WHY, "inner went on"))
async def test_the_message_of_a_cancelled_shield_stays_outside(aio):
    """A cancel(msg) of a task in shield() arrives there, and the shielded task goes on."""

    async def inner():
        await aio.sleep(10)
        return "inner went on"

    shielded = aio.create_task(inner())
    seen = []

    async def outer():
        seen.append(await outcome_of_await(aio.shield(shielded)))

    task = aio.create_task(outer())
    await aio.sleep(1)
    task.cancel("why")
    await task
    return seen[0], await shielded


@parity(returns=by_python({(3, 10): NOTHING, (3, 11): WHY}))
async def test_the_message_of_a_task_in_wait_for_travels(aio):
    """A task cancelled in wait_for ends with the message."""
    task = aio.create_task(aio.wait_for(aio.sleep(100), 50))
    await aio.sleep(1)
    task.cancel("why")
    return await outcome_of_await(task)


@parity(returns=[WHY, WHY])
async def test_the_message_of_the_latest_request_counts_for_a_task_about_to_run(aio):
    """A task in the ready queue with a cancel before its wake-up gets the message of that cancel."""
    seen = []

    async def child():
        seen.append(await outcome_of_await(aio.sleep(0)))
        seen.append(await outcome_of_await(aio.sleep(0)))

    task = aio.create_task(child())
    await aio.sleep(0)
    task.cancel("overwritten")
    task.cancel("why")
    await aio.sleep(0)
    task.cancel("why")
    await task
    return seen


@parity(returns=("made by hand",))
async def test_a_message_raised_by_hand_is_seen_in_the_context_or_at_the_awaiter(aio):
    """A coroutine that raises CancelledError(text) itself keeps the text where that Python keeps it."""

    async def child():
        raise asyncio.CancelledError("made by hand")

    try:
        await aio.create_task(child())
    except asyncio.CancelledError as raised:
        return context_chain(raised)[-1]


@parity(returns=by_python({(3, 10): False, (3, 11): True}))
async def test_the_very_exception_object_travels(aio):
    """From 3.11 on the awaiter gets the object that the task raised; before, a new one."""
    raised_in_the_task = []

    async def child():
        try:
            await aio.sleep(100)
        except asyncio.CancelledError as raised:
            raised_in_the_task.append(raised)
            raise

    task = aio.create_task(child())
    await aio.sleep(1)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError as raised:
        return raised is raised_in_the_task[0]


@parity(returns=WHY_FROM_3_11)
def test_the_message_leaves_the_loop(aio):
    """run_until_complete raises the cancellation of its task."""

    async def main():
        aio.get_running_loop().call_later(1, aio.current_task().cancel, "why")
        await aio.sleep(100)

    return outcome_of(aio.run, main())
