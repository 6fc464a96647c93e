"""What each operation of a random program does (see `programs.py`), as async functions of a world and a strand."""

import asyncio
import contextlib
import sys

import trio

from tests.mixing.world import CANCELLATIONS, BoomError, Limit, counted, is_plain_cancellation, only

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

TIMEOUT = asyncio.TimeoutError

# -- operations that end by themselves


async def asyncio_sleep(world, strand, seconds):
    with world.watched(strand):
        await world.aio.sleep(seconds)


async def yield_(world, strand):
    await world.aio.sleep(0)


async def cancel_task(world, strand, index, message):
    world.cancels += 1
    strand = world.strands[index % len(world.strands)]
    if not strand.over or strand.task.done():  # what is left of the main trio task is not the program's
        strand.task.cancel(message)


async def spawn(world, strand, body):
    strand.children.append(world.spawn(body, strand))


async def spawn_eagerly(world, strand, body):
    strand.children.append(world.spawn(body, strand, eagerly=True))


async def raise_(world, strand):
    raise BoomError


async def callback(world, strand, seconds):
    if seconds is None:
        world.loop.call_soon(world.note, strand, "called soon")
    else:
        world.loop.call_later(seconds, world.note, strand, "called later")


async def trio_sleep(world, strand, seconds):
    with world.watched(strand, in_trio=True):
        await trio.sleep(seconds)


async def checkpoint(world, strand):
    await trio.lowlevel.checkpoint()


async def shielded_checkpoint(world, strand):
    await trio.lowlevel.cancel_shielded_checkpoint()


async def no_abort(world, strand, seconds):
    world.loop.call_later(seconds, trio.lowlevel.reschedule, trio.lowlevel.current_task())
    await trio.lowlevel.wait_task_rescheduled(lambda raise_cancel: trio.lowlevel.Abort.FAILED)


async def cancel_scope(world, strand, index):
    if world.scopes:
        record = world.scopes[index % len(world.scopes)]
        record.scope.cancel()
        record.due = min(record.due, world.loop.time())


async def move_deadline(world, strand, index, seconds):
    if world.scopes:
        record = world.scopes[index % len(world.scopes)]
        if not record.scope.cancel_called:
            record.due = record.scope.deadline = world.loop.time() + seconds


# -- operations that may wait for ever


async def future(world, strand, seconds):
    future = world.loop.create_future()
    if seconds is not None:
        world.loop.call_later(seconds, lambda: future.done() or future.set_result(None))

    async def wait():
        await future

    await world.wait(strand, wait)


async def trio_event(world, strand, seconds):
    event = trio.Event()
    if seconds is not None:
        world.loop.call_later(seconds, event.set)
    await world.wait(strand, event.wait, in_trio=True)


async def put(world, strand):
    await world.wait(strand, lambda: world.queue.put(strand.number))


async def get(world, strand):
    await world.wait(strand, world.queue.get)


async def send(world, strand):
    await world.wait(strand, lambda: world.send.send(strand.number), in_trio=True)


async def receive(world, strand):
    await world.wait(strand, world.receive.receive, in_trio=True)


async def await_child(world, strand):
    if strand.exhausted or not strand.children or strand.children[-1].done():
        return  # a child that is cancelled already raises its own CancelledError
    await strand.children[-1]


# -- blocks


async def gather(world, strand, bodies):
    await world.aio.gather(*(world.spawn(body, strand) for body in bodies))


async def catch(world, strand, body):
    try:
        await world.run(body, strand)
    except (Exception, BaseExceptionGroup) as error:
        if not only(error, Exception):
            raise
        world.judge_ending(strand, error)
        world.caught(strand)


async def finally_(world, strand, body, cleanup):
    try:
        await world.run(body, strand)
    finally:
        world.note(strand, "clean up")
        await world.run(cleanup, strand)


async def swallow(world, strand, body, cleanup):
    try:
        await world.run(body, strand)
    except asyncio.CancelledError as error:
        world.note(strand, "swallow", error.args)
        strand.excuse()
        if not isinstance(error, trio.Cancelled):
            while counted(strand.task):
                strand.task.uncancel()
        await world.run(cleanup, strand)


async def wait_for(world, strand, seconds, body):
    try:
        await world.aio.wait_for(world.spawn(body, strand), seconds)
    except TIMEOUT:
        pass
    if sys.version_info < (3, 12):  # asyncio's wait_for loses a cancellation that comes together with its end
        world.caught(strand)
        strand.tell(world.loop.time())


async def timeout(world, strand, seconds, body):
    before = counted(strand.task)
    try:
        async with world.aio.timeout(seconds) as limit:
            with strand.limited(Limit(limit.when())):
                await world.run(body, strand)
    except TIMEOUT:
        world.caught(strand)  # asyncio's timeout takes a cancellation for its own that was asked for before it began
    except (*CANCELLATIONS, BaseExceptionGroup) as error:
        if limit.expired() and counted(strand.task) <= before and is_plain_cancellation(error):
            world.problems.append(f"strand {strand.number}: timeout did not recognise its cancellation: {error!r}")
        raise


async def task_group(world, strand, bodies, body):
    async with world.aio.TaskGroup() as group:
        for each in bodies:
            group.create_task(world.strand(each, strand))
        await world.run(body, strand)


async def task_group_of_one(world, strand, other, body):
    await task_group(world, strand, [other], body)


async def scope(world, strand, seconds, body):
    record = Limit(trio.current_time() + seconds, trio.move_on_after(seconds))
    world.scopes.append(record)
    try:
        with record.scope, strand.limited(record):
            await world.run(body, strand)
    except (*CANCELLATIONS, BaseExceptionGroup) as error:
        cancelled_by_scopes_alone = not world.cancels and not counted(strand.task)
        if record.scope.cancel_called and cancelled_by_scopes_alone and is_plain_cancellation(error):
            world.problems.append(f"strand {strand.number}: a scope did not recognise its cancellation: {error!r}")
        raise


async def fail_after(world, strand, seconds, body):
    record = Limit(trio.current_time() + seconds, trio.CancelScope())
    with contextlib.suppress(trio.TooSlowError), trio.fail_after(seconds), strand.limited(record):
        await world.run(body, strand)


async def trio_shield(world, strand, body):
    with trio.CancelScope(shield=True), strand.limited(Limit(shields=True)):
        await world.run(body, strand)


async def nursery(world, strand, bodies, body):
    async with trio.open_nursery() as nursery:
        for each in bodies:
            nursery.start_soon(world.strand, each, strand, strand.limits_of_trio)
        await world.run(body, strand)


async def nursery_start(world, strand, first, then):
    async def child(task_status):
        child = world.new_strand(strand)
        try:
            await world.run(first, child)
            task_status.started()
            await world.run(then, child)
        finally:
            child.over = True

    async with trio.open_nursery() as nursery:
        await nursery.start(child)


async def async_generator(world, strand, before, between):
    async def generate():
        try:
            await world.run(before, strand)
            yield
        finally:
            await world.aio.sleep(0)
            world.note(strand, "generator ends")

    async with contextlib.aclosing(generate()) as generator:
        async for _ in generator:
            await world.run(between, strand)


async def shield(world, strand, body):
    await world.aio.shield(world.spawn(body, strand))


async def lock(world, strand, index, body):
    await world.locked(strand, index % 2, world.locks[index % 2], body)


async def trio_lock(world, strand, index, body):
    await world.locked(strand, 2 + index % 2, world.trio_locks[index % 2], body)


async def semaphore(world, strand, body):
    await world.locked(strand, 4, world.semaphore, body)


async def limiter(world, strand, body):
    await world.locked(strand, 5, world.limiter, body)


async def condition(world, strand, seconds, body):
    await wait_notified(world, strand, 6, world.condition, seconds, body)


async def trio_condition(world, strand, seconds, body):
    await wait_notified(world, strand, 7, world.trio_condition, seconds, body)


async def wait_notified(world, strand, rank, condition, seconds, body):
    """Wait on a condition of either world while another Task notifies it."""

    async def notify():
        await world.aio.sleep(seconds)
        async with condition:
            condition.notify()

    if seconds is not None:
        world.tasks.append(world.aio.create_task(notify()))
    await world.locked(strand, rank, condition, body, condition.wait)


OPERATIONS = {
    function.__name__.rstrip("_").replace("_", " "): function
    for function in [
        asyncio_sleep, yield_, cancel_task, spawn, spawn_eagerly, raise_, callback, trio_sleep, checkpoint,
        shielded_checkpoint, no_abort, cancel_scope, move_deadline, future, trio_event, put, get, send, receive,
        await_child, gather, catch, finally_, swallow, wait_for, timeout, task_group, task_group_of_one, scope,
        fail_after, trio_shield, nursery, nursery_start, async_generator, shield, lock, trio_lock, semaphore,
        limiter, condition, trio_condition,
    ]
}  # fmt: skip
