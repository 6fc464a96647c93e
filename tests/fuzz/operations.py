"""What the tasks of a random program wait for: see `words.operation`."""

import asyncio

from tests.fuzz.words import operation


@operation(8)
async def yield_(world, strand):
    await world.aio.sleep(0)


@operation(8, "seconds")
async def sleep(world, strand, seconds):
    return await world.aio.sleep(seconds, "slept")


# -- futures and tasks


@operation(3, "seconds_or_never")
async def await_new_future(world, strand, seconds):
    future = world.add_future(world.loop.create_future())
    if seconds is not None:
        world.loop.call_later(seconds, lambda: future.done() or future.set_result("in time"))
    return await future


@operation(8, "thing")
async def await_(world, strand, thing):
    found = world.thing(strand, thing)
    return None if found is None else await found[0]


@operation(1)
async def await_itself(world, strand):
    await strand.task


class _Odd:
    """An awaitable that yields what a Task does not understand."""

    def __init__(self, value):
        self._value = value

    def __await__(self):
        return (yield self._value)


@operation(1, "odd")
async def yield_something_odd(world, strand, odd):
    if odd == "number":
        return await _Odd(7)
    if odd == "foreign":
        loop = asyncio.SelectorEventLoop()
        try:
            return await loop.create_future()
        finally:
            loop.close()
    return await _Odd(strand.task if odd == "itself" else world.loop.create_future())


@operation(5, "things", "flag")
async def gather(world, strand, things, return_exceptions):
    awaitables, _ = world.things(strand, things)
    return await world.aio.gather(*awaitables, return_exceptions=return_exceptions)


@operation(3, "things", "flag")
async def gather_later(world, strand, things, return_exceptions):
    awaitables, lowest = world.things(strand, things)
    world.add_future(world.aio.gather(*awaitables, return_exceptions=return_exceptions), lowest)


def _at_most_one_done(futures):
    """Leave out of futures those that asyncio would look at in the order of a set, which is left to chance."""
    done = [future for future in futures if future.done()]
    return [*done[:1], *(future for future in futures if not future.done())]


@operation(5, "futures", "wait_timeout", "return_when")
async def wait(world, strand, futures, timeout, return_when):
    awaited = _at_most_one_done(world.things(strand, futures)[0])
    done, pending = await world.aio.wait(awaited, timeout=timeout, return_when=getattr(world.aio, return_when))
    return sorted(map(repr, done)), sorted(map(repr, pending))


@operation(7, "timeout", "thing")
async def wait_for(world, strand, timeout, thing):
    found = world.thing(strand, thing)
    return None if found is None else await world.aio.wait_for(found[0], timeout)


@operation(4, "thing")
async def shield(world, strand, thing):
    found = world.thing(strand, thing)
    return None if found is None else await world.aio.shield(found[0])


@operation(3, "thing")
async def shield_later(world, strand, thing):
    found = world.thing(strand, thing)
    if found is not None:
        world.add_future(world.aio.shield(found[0]), found[1])


@operation(4, "futures", "wait_timeout")
async def as_completed(world, strand, futures, timeout):
    awaited = _at_most_one_done(world.things(strand, futures)[0])
    for each in world.aio.as_completed(awaited, timeout=timeout):
        try:
            world.note(strand, "next", world.label(await each))
        except ValueError as error:
            world.note(strand, "next", world.label(error))


@operation(2, "futures", "wait_timeout", since=(3, 13))
async def as_completed_in_async_for(world, strand, futures, timeout):
    awaited = _at_most_one_done(world.things(strand, futures)[0])
    async for each in world.aio.as_completed(awaited, timeout=timeout):
        world.note(strand, "next", world.label(each))


# -- what tasks share


@operation(3)
async def wait_for_event(world, strand):
    return await world.event.wait()


@operation(3, "index")
async def put(world, strand, index):
    strand.queued += 1
    await world.queues[index % 4].put((strand.queued, strand.number))


@operation(4, "index")
async def get(world, strand, index):
    return await world.queues[index % 4].get()


@operation(1, "index")
async def join(world, strand, index):
    await world.queues[index % 4].join()


@operation(1)
async def acquire_lock(world, strand):
    return await world.lock.acquire()


@operation(3)
async def wait_for_notification(world, strand):
    async with world.condition:
        return await world.condition.wait()


@operation(2, "count")
async def wait_for_as_many_tasks(world, strand, count):
    async with world.condition:
        return await world.condition.wait_for(lambda: len(world.tasks) > 2 * count)


@operation(3, "count", "flag")
async def notify_in_turn(world, strand, count, all_of_them):
    async with world.condition:
        if all_of_them:
            world.condition.notify_all()
        else:
            world.condition.notify(count)


@operation(2, since=(3, 11))
async def wait_at_barrier(world, strand):
    return await world.barrier.wait()


@operation(1, "flag", since=(3, 11))
async def end_barrier(world, strand, for_good):
    await (world.barrier.abort() if for_good else world.barrier.reset())
