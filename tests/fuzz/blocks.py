"""What the tasks of a random program do around bodies: see `words.operation`."""

import contextlib
import sys

from tests.fuzz.words import operation


@operation(5, "body")
async def try_(world, strand, body):
    try:
        await world.run(body, strand)
    except Exception as error:
        return error
    return None


@operation(4, "body", "body")
async def finally_(world, strand, body, clean_up):
    try:
        await world.run(body, strand)
    finally:
        await world.run(clean_up, strand)


@operation(5, "body", "flag", "body")
async def swallow(world, strand, body, uncancel, clean_up):
    try:
        await world.run(body, strand)
    except world.aio.CancelledError as error:
        world.note(strand, "cancelled", error.args)
        if world.ending:
            raise
        if uncancel and sys.version_info >= (3, 11):
            world.note(strand, "uncancel", strand.task.uncancel())
        await world.run(clean_up, strand)


@operation(8, "timeout", "body", since=(3, 11))
async def timeout(world, strand, seconds, body):
    await _limited(world, strand, world.aio.timeout(seconds), body)


@operation(3, "timeout", "body", since=(3, 11))
async def timeout_at(world, strand, seconds, body):
    when = None if seconds is None else world.loop.time() + seconds
    await _limited(world, strand, world.aio.timeout_at(when), body)


async def _limited(world, strand, limit, body):
    world.timeouts.append(limit)
    try:
        async with limit:
            await world.run(body, strand)
    finally:
        world.note(strand, "left", limit.when(), limit.expired(), strand.task.cancelling())


@operation(6, "bodies", "body", since=(3, 13))
async def task_group(world, strand, bodies, body):
    try:
        async with world.aio.TaskGroup() as group:
            world.groups.append(group)
            for each in bodies:
                world.spawn(each, group.create_task)
            await world.run(body, strand)
    finally:
        world.note(strand, "left", strand.task.cancelling())


@operation(4, "body")
async def lock(world, strand, body):
    async with world.lock:
        await world.run(body, strand)


@operation(2, "flag", "body")
async def semaphore(world, strand, bounded, body):
    async with world.bounded if bounded else world.semaphore:
        await world.run(body, strand)


@operation(2, "body")
async def condition(world, strand, body):
    async with world.condition:
        await world.run(body, strand)


@operation(2, "body", "body", "body")
async def async_generator(world, strand, before, first, second):
    async def generate():
        try:
            yield 1
            await world.run(before, strand)
            yield 2
        finally:
            world.note(strand, "the generator ends")
            await world.aio.sleep(0)

    async with contextlib.aclosing(generate()) as generator:
        async for item in generator:
            await world.run(first if item == 1 else second, strand)
