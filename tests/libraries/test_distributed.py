"""dask.distributed: a scheduler and workers in the program's own loop, in its threads, or in processes."""

import contextlib
import functools
import operator
import os
import threading

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs, whole_program

distributed = needs("distributed")
dask = needs("dask")

QUIET = {"asynchronous": True, "dashboard_address": "127.0.0.1:0", "n_workers": 2, "threads_per_worker": 2}
IN_MEMORY = {"processes": False}
OVER_TCP = {"processes": False, "protocol": "tcp://", "host": "127.0.0.1"}
IN_PROCESSES = {"processes": True, "host": "127.0.0.1"}


@contextlib.asynccontextmanager
async def engine(kind=IN_MEMORY):
    """Give a client of a cluster that lives as long as the block."""
    cluster = distributed.LocalCluster(**QUIET, **kind)
    async with cluster, distributed.Client(cluster, asynchronous=True) as client:
        yield client


def fail(number):
    raise LookupError(number)


class Counter:
    """An object that lives in a worker."""

    value = 0

    def add(self, number):
        self.value += number
        return self.value


over_each_transport = pytest.mark.parametrize("kind", [IN_MEMORY, OVER_TCP], ids=["memory", "tcp"])


@over_each_transport
@every_way()
async def test_results_are_computed_from_results(way, kind):
    async with engine(kind) as client:
        negated = client.map(operator.neg, range(100))
        total = client.submit(sum, negated)
        await way.pause()
        assert await total == -4950
        assert await client.gather(negated) == [-number for number in range(100)]
        with pytest.raises(LookupError, match="7"):
            await client.submit(fail, 7)


@over_each_transport
@every_way()
async def test_a_graph_of_delayed_calls_is_computed(way, kind):
    async with engine(kind) as client:
        squares = [dask.delayed(operator.mul)(number, number) for number in range(20)]
        total = dask.delayed(sum)(squares)
        assert await way.through(await client.compute(total)) == 2470
        assert sum(await client.gather(client.compute(squares))) == 2470


@every_way()
async def test_a_task_that_is_an_async_function_runs_in_the_workers_loop_and_waits_in_either_world(way):
    async def wait_and_double(number):
        await way.pause(0.01)
        return await way.through(2 * number), threading.get_ident()

    async with engine() as client:
        results = await client.gather(client.map(wait_and_double, range(20)))
    assert results == [(2 * number, threading.get_ident()) for number in range(20)]


@every_way()
async def test_results_are_taken_as_they_come(way):
    async with engine() as client:
        futures = client.map(operator.neg, range(50))
        taken = []
        async for future, result in distributed.as_completed(futures, with_results=True):
            assert future.done()
            taken.append(await way.through(result))
        assert sorted(taken) == sorted(-number for number in range(50))


@every_way()
async def test_an_actor_keeps_its_state_in_a_worker(way):
    async with engine(OVER_TCP) as client:
        counter = await client.submit(Counter, actor=True)
        for number in range(10):
            await counter.add(number)
            await way.pause(0)
        assert await counter.value == 45


@every_way()
async def test_a_lock_and_a_queue_of_the_cluster_serve_tasks_of_the_program(way):
    async with engine():
        queue, holders, most = distributed.Queue("results"), [], []

        async def hold(number):
            async with distributed.Lock("door"):
                holders.append(number)
                most.append(len(holders))
                await way.pause()
                holders.remove(number)
            await queue.put(number)

        await way.together(*(functools.partial(hold, number) for number in range(10)))
        assert most == [1] * 10
        assert sorted([await queue.get() for _ in range(10)]) == list(range(10))


@every_way()
async def test_waits_that_are_given_up_by_any_limit_leave_the_cluster_usable(way):
    async def hang():
        await way.pause(1000)

    async with engine(OVER_TCP) as client:
        future = client.submit(hang)
        for wait in (future.result, lambda: client.gather([future]), distributed.Event("never").wait):
            async for _ in every_limit(way, wait):
                assert await client.submit(operator.add, 1, 1, pure=False) == 2
        await future.cancel()
        with pytest.raises(distributed.client.CancelledError):
            await future


@every_way()
async def test_work_that_is_interrupted_at_any_moment_leaves_the_cluster_usable(way):
    async with engine() as client:

        async def work(number):
            await distributed.wait(client.map(operator.neg, range(number, number + 10), pure=False))

        async for number in interrupted(way, work, times=30, longest=0.02):
            numbers = range(number, number + 10)
            assert await client.gather(client.map(operator.neg, numbers, pure=False)) == [-part for part in numbers]


@every_way(limit=60)
async def test_workers_are_processes_and_one_that_dies_is_replaced(way):
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        async with engine(IN_PROCESSES) as client:
            processes = set((await client.run(os.getpid)).values())
            assert len(processes | {os.getpid()}) == 3
            assert await client.submit(sum, client.map(operator.neg, range(100))) == -4950
            await way.pause()
            with pytest.raises(distributed.KilledWorker):
                await client.submit(os._exit, 1, retries=0)
            assert await client.submit(sum, client.map(operator.neg, range(200))) == -19900


@whole_program
def test_a_blocking_program_has_a_cluster_whose_loop_is_in_a_thread(way):
    cluster = distributed.LocalCluster(**QUIET | {"asynchronous": False}, **IN_MEMORY)
    with cluster, distributed.Client(cluster) as client:
        assert client.submit(sum, client.map(operator.neg, range(100))).result() == -4950
        assert client.sync(way.through, 5) == 5
        assert dask.delayed(operator.add)(1, 1).compute() == 2
