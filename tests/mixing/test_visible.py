"""Tasks are visible to trio: in its task tree, to its instruments, by the frames in which they wait."""

import asyncio
import collections

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import LIMIT, asyncio_program, run_plain_trio, virtual
from tests.support.observation import time_limit


def tasks_in_the_tree():
    """Return all trio tasks of this run by their names."""
    found, look_at = {}, [trio.lowlevel.current_root_task()]
    while look_at:
        task = look_at.pop()
        found[task.name] = task
        look_at += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return found


async def outer(wait):
    await inner(wait)


async def inner(wait):
    await wait(100)


waits = pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])


@asyncio_program
@waits
async def test_each_task_is_in_the_task_tree_under_its_name(wait):
    """A Task that waits, in whichever world, is in trio's tree under its name, and under a new one if it is renamed."""
    task = trioasync.create_task(outer(wait), name="the task")
    await asyncio.sleep(1)
    assert "the task" in tasks_in_the_tree()
    task.set_name("another name")
    assert "another name" in tasks_in_the_tree()
    assert "the task" not in tasks_in_the_tree()
    task.cancel()
    await asyncio.wait([task])
    assert "another name" not in tasks_in_the_tree()


@asyncio_program
@waits
async def test_the_await_frames_of_a_host_are_the_users(wait):
    """iter_await_frames of a Task's trio task goes through the user's functions to where they wait."""
    task = trioasync.create_task(outer(wait), name="the task")
    await asyncio.sleep(1)
    frames = list(tasks_in_the_tree()["the task"].iter_await_frames())
    names = [frame.f_code.co_name for frame, _ in frames]
    assert names[:3] == ["outer", "inner", "sleep"]
    line = frames[1][1]
    assert line == inner.__code__.co_firstlineno + 1
    task.cancel()


@asyncio_program
@waits
async def test_the_await_frames_of_a_nursery_child_are_the_users(wait):
    """iter_await_frames of a plain trio child of a Task shows the child's functions."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outer, wait, name="the child")
        await asyncio.sleep(1)
        frames = tasks_in_the_tree()["the child"].iter_await_frames()
        assert [frame.f_code.co_name for frame, _ in frames][:3] == ["outer", "inner", "sleep"]
        nursery.cancel_scope.cancel()


@asyncio_program
async def test_the_children_of_a_task_are_below_it_in_the_tree():
    """A nursery that a Task opens is among the child nurseries of its own trio task, with its children."""

    async def parent():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asyncio.sleep, 100, name="the child")
            await asyncio.sleep(100)

    task = trioasync.create_task(parent(), name="the parent")
    await asyncio.sleep(1)
    (nursery,) = tasks_in_the_tree()["the parent"].child_nurseries
    assert [child.name for child in nursery.child_tasks] == ["the child"]
    task.cancel()


class Recorder(trio.abc.Instrument):
    """Counts what happens to trio tasks, by their names at that time."""

    def __init__(self):
        self.seen = collections.Counter()

    def task_spawned(self, task):
        self.seen["spawned"] += 1

    def task_exited(self, task):
        self.seen["exited"] += 1

    def before_task_step(self, task):
        self.seen["before", task.name] += 1

    def after_task_step(self, task):
        self.seen["after", task.name] += 1


def test_instruments_see_the_trio_steps_of_tasks():
    """Instruments get before and after each step that trio makes of a Task; spawns and exits of hosts match."""
    recorder = Recorder()

    async def main():
        task = asyncio.current_task()
        task.set_name("the task")
        for _ in range(3):
            await trio.sleep(1)
            await asyncio.sleep(1)

    with time_limit(LIMIT):
        trioasync.run(main(), clock=virtual(), instruments=[recorder])
    assert recorder.seen["before", "the task"] >= 3
    assert recorder.seen["before", "the task"] == recorder.seen["after", "the task"]
    assert recorder.seen["spawned"] == recorder.seen["exited"] > 0


def test_instruments_of_the_host_program_see_tasks():
    """An instrument of a trio program sees a trio task come and go for the Tasks of an open loop."""
    recorder = Recorder()

    async def main():
        trio.lowlevel.add_instrument(recorder)
        async with trioasync.open_loop():
            await asyncio.gather(*(trioasync.create_task(trio.sleep(1)) for _ in range(3)))
        trio.lowlevel.remove_instrument(recorder)

    run_plain_trio(main)
    assert recorder.seen["spawned"] == recorder.seen["exited"] >= 3


@asyncio_program
async def test_a_plain_trio_task_keeps_its_name_and_frames_beside_an_open_loop():
    """Adoption leaves the name and the frames of a plain trio task as they are, and gives its stack to asyncio."""
    seen = []

    async def child():
        seen.append(asyncio.current_task())
        await outer(asyncio.sleep)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        await asyncio.sleep(1)
        (name,) = [name for name in tasks_in_the_tree() if name.endswith("child")]
        frames = tasks_in_the_tree()[name].iter_await_frames()
        assert [frame.f_code.co_name for frame, _ in frames][:3] == ["child", "outer", "inner"]
        assert seen[0].get_name() == name
        nursery.cancel_scope.cancel()
