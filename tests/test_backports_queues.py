"""Queues that can be shut down, as from 3.13 on, on every Python."""

import asyncio

import pytest

from tests.backports import beside_asyncio, run
from trioasync._backports import queues

make_queue = beside_asyncio("Queue", queues.Queue, since=(3, 13))
make_lifo = beside_asyncio("LifoQueue", queues.LifoQueue, since=(3, 13))
make_priority = beside_asyncio("PriorityQueue", queues.PriorityQueue, since=(3, 13))
SHUT_DOWN = (queues.QueueShutDown, getattr(asyncio, "QueueShutDown", queues.QueueShutDown))


async def tell(awaitable):
    try:
        return await awaitable
    except SHUT_DOWN:
        return "shut down"


def test_a_queue_works_as_before(make_queue):
    """Items come out in their order, put waits for a slot, get for an item, join for task_done."""

    async def main():
        async def consume():
            for _ in range(3):
                got.append(await queue.get())
                queue.task_done()

        queue, got = make_queue(1), []
        consumer = asyncio.create_task(consume())
        for item in range(3):
            await queue.put(item)
        await queue.join()
        await consumer
        with pytest.raises(asyncio.QueueEmpty):
            queue.get_nowait()
        queue.put_nowait(3)
        with pytest.raises(asyncio.QueueFull):
            queue.put_nowait(4)
        return got

    assert run(main) == [0, 1, 2]


def test_after_a_shutdown_nothing_can_be_put(make_queue):
    """put and put_nowait raise QueueShutDown, even with a free slot."""

    async def main():
        queue = make_queue()
        queue.shutdown()
        with pytest.raises(SHUT_DOWN):
            queue.put_nowait(1)
        return await tell(queue.put(1))

    assert run(main) == "shut down"


def test_after_a_shutdown_the_items_left_can_be_got(make_queue):
    """get and get_nowait raise QueueShutDown only when the queue is empty; join still waits for them."""

    async def main():
        queue = make_queue()
        for item in range(2):
            queue.put_nowait(item)
        queue.shutdown()
        joining = asyncio.create_task(queue.join())
        got = [await queue.get(), queue.get_nowait()]
        with pytest.raises(SHUT_DOWN):
            queue.get_nowait()
        await asyncio.sleep(0)
        waited = not joining.done()
        queue.task_done()
        queue.task_done()
        await joining
        return got, waited, await tell(queue.get())

    assert run(main) == ([0, 1], True, "shut down")


def test_a_shutdown_ends_all_waits(make_queue):
    """Tasks that wait in put or in get are woken with QueueShutDown."""

    async def main():
        full, empty = make_queue(1), make_queue()
        full.put_nowait(0)
        waiting = [asyncio.create_task(tell(each)) for each in (full.put(1), full.put(2), empty.get(), empty.get())]
        await asyncio.sleep(0)
        full.shutdown()
        empty.shutdown()
        return await asyncio.gather(*waiting), full.qsize()

    assert run(main) == (["shut down"] * 4, 1)


def test_an_immediate_shutdown_drops_the_items(make_queue):
    """What is left counts as done, so join ends; get raises at once."""

    async def main():
        queue = make_queue()
        for item in range(3):
            queue.put_nowait(item)
        await queue.get()
        joining = asyncio.create_task(queue.join())
        await asyncio.sleep(0)
        queue.shutdown(immediate=True)
        await asyncio.sleep(0)
        still_joining = not joining.done()
        queue.task_done()
        await joining
        with pytest.raises(ValueError, match="task_done"):
            queue.task_done()
        return still_joining, queue.empty(), await tell(queue.get())

    assert run(main) == (True, True, "shut down")


def test_a_second_shutdown_may_be_immediate(make_queue):
    """Shutting down twice does no harm, and the second time may drop what the first one left."""

    async def main():
        queue = make_queue()
        queue.put_nowait(0)
        queue.shutdown()
        queue.shutdown()
        left = queue.qsize()
        queue.shutdown(immediate=True)
        await queue.join()
        return left, queue.qsize()

    assert run(main) == (1, 0)


def test_a_cancelled_wait_passes_its_turn_on(make_queue):
    """A task that is cancelled when it had been woken wakes the next one, in get and in put."""

    async def main():
        queue = make_queue(1)
        first, second = (asyncio.create_task(queue.get()) for _ in range(2))
        await asyncio.sleep(0)
        queue.put_nowait("got")
        first.cancel()
        got = await second
        queue.put_nowait("in the way")
        first, second = (asyncio.create_task(queue.put(item)) for item in ("first", "second"))
        await asyncio.sleep(0)
        queue.get_nowait()
        first.cancel()
        await second
        return got, queue.get_nowait(), first.cancelled()

    assert run(main) == ("got", "second", True)


def test_a_cancelled_wait_leaves_no_trace(make_queue):
    """A task that is cancelled while it waits is no longer in line."""

    async def main():
        queue = make_queue()
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return "_getters" in repr(queue)

    assert run(main) is False


def test_other_orders_can_be_shut_down(make_lifo, make_priority):
    """LifoQueue gives the newest item, PriorityQueue the lowest, and both shut down."""

    async def main():
        orders = []
        for queue in (make_lifo(), make_priority()):
            for item in (2, 1, 3):
                queue.put_nowait(item)
            queue.shutdown()
            orders.append([await tell(queue.get()) for _ in range(4)])
        return orders

    assert run(main) == [[3, 1, 2, "shut down"], [1, 2, 3, "shut down"]]


def test_the_representation_tells_the_shutdown(make_queue):
    """It ends with "shutdown"."""

    async def main():
        queue = make_queue(2)
        queue.put_nowait(1)
        before = str(queue)
        queue.shutdown()
        return before, str(queue)

    assert run(main) == ("<Queue maxsize=2 _queue=[1] tasks=1>", "<Queue maxsize=2 _queue=[1] tasks=1 shutdown>")


def test_a_queue_belongs_to_one_loop(make_queue):
    """A queue that has waited on one loop refuses to wait on another."""

    async def wait():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(queue.get(), 1)

    queue = make_queue()
    run(wait)
    with pytest.raises(RuntimeError, match="is bound to a different event loop"):
        run(queue.get)


@pytest.mark.parametrize("name", ["Queue", "LifoQueue", "PriorityQueue"])
def test_a_queue_is_one_of_asyncios(name):
    """Libraries may ask `isinstance(queue, asyncio.Queue)`, and annotate with `Queue[int]`."""
    kind = getattr(queues, name)
    assert isinstance(kind(), getattr(asyncio, name))
    assert kind[int].__origin__ is kind
