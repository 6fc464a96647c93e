"""Call graphs of 3.14, on every Python: who awaits whom, and in which frames everybody is."""

import asyncio
import io
import re
import sys

import pytest

import trioasync
from tests.backports import run
from trioasync._backports import awaited_by
from trioasync._backports.tasks import as_completed

ASYNCIO_RECORDS = sys.version_info >= (3, 14)


def names_awaiting(future):
    """Return the names of the tasks that await a future; asyncio's record, if it keeps one, must say the same."""
    found = awaited_by.awaiting(future)
    if ASYNCIO_RECORDS:
        assert found == (future._asyncio_awaited_by or frozenset())
    return sorted(task.get_name() for task in found)


async def parent_named(name, coroutine):
    """Run a coroutine in a task by that name until everybody waits, and return the task."""
    task = trioasync.create_task(coroutine, name=name)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def end(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# -- who awaits


WAITS = {
    "await": lambda child: await_it(child),
    "gather": lambda child: gather_it(child),
    "nested gather": lambda child: gather_it(asyncio.gather(child)),
    "wait": lambda child: asyncio.wait([child]),
    "wait_for": lambda child: asyncio.wait_for(child, 9),
    "shield": lambda child: await_it(asyncio.shield(child)),
    "as_completed": lambda child: await_it(next(iter(asyncio.as_completed([child])))),
}


async def await_it(awaitable):
    await awaitable


async def gather_it(awaitable):
    await asyncio.gather(asyncio.sleep(5), awaitable)


@pytest.mark.parametrize("way", WAITS)
def test_a_task_awaits_its_child_through(way):
    """Whatever stands between, the task that waits is found."""

    async def main():
        async def wait():
            await WAITS[way](child)

        child = trioasync.create_task(asyncio.sleep(9), name="child")
        parent = await parent_named("parent", wait())
        found = names_awaiting(child)
        await end(parent, child)
        return found, names_awaiting(child)

    assert run(main) == (["parent"], [])


def test_a_group_awaits_its_tasks():
    """The task that opened a TaskGroup awaits the tasks in it."""

    async def main():
        async def wait():
            async with trioasync.TaskGroup() as group:
                children.append(group.create_task(asyncio.sleep(9)))

        children = []
        parent = await parent_named("parent", wait())
        found = names_awaiting(children[0])
        await end(parent)
        return found

    assert run(main) == ["parent"]


def test_our_as_completed_is_seen_through():
    """The task that waits for the next completion awaits what is not done."""

    async def main():
        async def wait():
            async for _ in as_completed([child]):
                pass

        child = trioasync.create_task(asyncio.sleep(9))
        parent = await parent_named("parent", wait())
        found = sorted(task.get_name() for task in awaited_by.awaiting(child))
        await end(parent, child)
        return found

    assert run(main) == ["parent"]


def test_a_future_may_be_awaited_by_many():
    """Everybody who waits for a future is found, and nobody who shields or is shielded in the other direction."""

    async def main():
        future = asyncio.get_running_loop().create_future()
        shielded = asyncio.shield(future)
        parents = [await parent_named(name, await_it(future)) for name in "ab"]
        beyond = await parent_named("c", await_it(shielded))
        found = [sorted(task.get_name() for task in awaited_by.awaiting(each)) for each in (future, shielded)]
        await end(*parents, beyond)
        return found

    assert run(main) == [["a", "b", "c"], ["c"]]


def test_a_record_made_by_hand_counts_until_it_is_taken_back():
    """`future_add_to_awaited_by` is for code that waits in a way that nobody else knows."""

    async def main():
        future, waiter = asyncio.get_running_loop().create_future(), asyncio.current_task()
        awaited_by.future_add_to_awaited_by(future, waiter)
        awaited_by.future_add_to_awaited_by(future, waiter)
        noted = awaited_by.awaiting(future) == {waiter}
        awaited_by.future_discard_from_awaited_by(future, waiter)
        awaited_by.future_discard_from_awaited_by(future, waiter)
        return noted, awaited_by.awaiting(future)

    assert run(main) == (True, frozenset())


def test_a_record_of_what_is_no_future_is_passed_over():
    """Foreign futures and waiters are let pass."""
    awaited_by.future_add_to_awaited_by(object(), object())
    awaited_by.future_discard_from_awaited_by(object(), object())


# -- the graph


def stable(graph):
    """Return a printed graph without what changes: addresses, paths and lines."""
    return re.sub(r"0x[0-9a-f]+", "0x…", re.sub(r"File '[^']*?([\w.]+)', line \d+", r"File '\1'", graph))


def test_print_call_graph_prints_the_running_task_and_its_parents():
    """The stack goes from the call to the task's own coroutine; the tasks that wait follow, one step further in."""

    async def main():
        async def child():
            def function():
                trioasync.print_call_graph(file=printed)

            function()

        async with trioasync.TaskGroup() as group:
            group.create_task(child(), name="child")

    printed = io.StringIO()
    run(main)
    here = "test_print_call_graph_prints_the_running_task_and_its_parents.<locals>"
    lines = stable(printed.getvalue()).splitlines()
    assert lines[:5] == [
        "* Task(name='child', id=0x…)",
        "  + Call stack:",
        "  |   File 'graph.py', in print_call_graph()",
        f"  |   File 'test_backports_graph.py', in {here}.main.<locals>.child.<locals>.function()",
        f"  |   File 'test_backports_graph.py', in async {here}.main.<locals>.child()",
    ]
    assert lines[5] == "  + Awaited by:"
    assert lines[6].startswith("    * Task(name='Task-")
    assert lines[7] == "      + Call stack:"
    assert lines[-1] == f"      |   File 'test_backports_graph.py', in async {here}.main()"


def test_format_call_graph_tells_what_kind_a_frame_is_of():
    """Coroutines, async generators and generators are named as such; a Future has no stack."""

    async def main():
        async def generate():
            yield trioasync.format_call_graph()

        generator = generate()
        told = await generator.__anext__()
        await generator.aclose()
        return told, trioasync.format_call_graph(asyncio.get_running_loop().create_future())

    told, of_future = run(main)
    here = "test_format_call_graph_tells_what_kind_a_frame_is_of.<locals>.main"
    assert [line.partition(" in ")[2] for line in stable(told).splitlines()[2:]] == [
        f"async generator {here}.<locals>.generate()",
        f"async {here}()",
    ]
    assert stable(of_future) == "* Future(id=0x…)"


@pytest.mark.parametrize(
    ("limit", "names"),
    [(None, ["inner", "outer"]), (1, ["outer"]), (-1, ["inner"]), (5, ["inner", "outer"]), (0, [])],
)
@pytest.mark.parametrize("running", [True, False], ids=["running", "waiting"])
def test_limit_keeps_the_outermost_or_the_innermost_frames(limit, names, running):
    """A positive limit counts from the task's coroutine, a negative one from where it stands."""

    async def main():
        async def outer():
            return await inner()

        async def inner():
            if running:
                return trioasync.capture_call_graph(limit=limit)
            return await future

        future = asyncio.get_running_loop().create_future()
        task = await parent_named("task", outer())
        graph = task.result() if running else trioasync.capture_call_graph(task, limit=limit)
        future.set_result(None)
        await task
        return [entry.frame.f_code.co_name for entry in graph.call_stack]

    assert run(main) == names


def test_depth_leaves_out_the_innermost_frames():
    """`depth` counts the frames to leave out, the function's own among them."""

    async def main():
        def function():
            return trioasync.capture_call_graph(depth=2)

        return [entry.frame.f_code.co_name for entry in function().call_stack]

    assert run(main) == ["main"]


def test_a_graph_of_nothing():
    """Outside of a task there is no graph; outside of a loop, or of what is no future, there is an error."""

    async def main():
        told = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(
            lambda: told.set_result((trioasync.capture_call_graph(), trioasync.format_call_graph()))
        )
        return await told

    assert run(main) == (None, "")
    with pytest.raises(RuntimeError, match="outside of a running event loop"):
        trioasync.capture_call_graph()
    with pytest.raises(TypeError, match="object does not appear to be compatible with"):
        trioasync.capture_call_graph(3)


@pytest.mark.skipif(not ASYNCIO_RECORDS, reason="asyncio has no call graphs before 3.14")
def test_a_waiting_task_looks_as_asyncio_shows_it():
    """For a task that waits, asyncio's own function sees the same graph."""

    async def main():
        child = trioasync.create_task(asyncio.sleep(9), name="child")
        parent = await parent_named("parent", gather_it(child))
        told = [module.format_call_graph(child) for module in (asyncio, trioasync)]
        await end(parent, child)
        return told

    of_asyncio, of_trioasync = run(main)
    assert of_trioasync == of_asyncio
    assert "name='parent'" in of_asyncio
