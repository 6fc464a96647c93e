"""What trio's instruments, trio's introspection and asyncio's introspection see of Tasks."""

import asyncio
import contextlib
import io
import traceback

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import LIMIT, asyncio_program, real, run_plain_trio, trio_program, virtual
from tests.support.observation import time_limit


class Recorder(trio.abc.Instrument):
    """Notes what happens to trio tasks, by their names at that time, and which of them is in a step."""

    def __init__(self):
        self.events = []
        self.in_step = []

    def task_spawned(self, task):
        self.events.append(("spawned", task.name))

    def task_exited(self, task):
        self.events.append(("exited", task.name))

    def before_task_step(self, task):
        self.in_step.append(task.name)
        self.events.append(("before", task.name))

    def after_task_step(self, task):
        if self.in_step:  # else the Recorder came in the middle of this step
            self.in_step.pop()
        self.events.append(("after", task.name))

    def before_io_wait(self, timeout):
        self.events.append(("waits", None))


def run_recorded(main, clock=virtual):
    """Run `main(recorder)` as the main Task, with a Recorder that looks on."""
    recorder = Recorder()
    with time_limit(LIMIT):
        return trioasync.run(main(recorder), clock=clock(), instruments=[recorder])


def host_of(name):
    """Return the trio task of this run that has a name."""
    look_at = [trio.lowlevel.current_root_task()]
    while look_at:
        task = look_at.pop()
        if task.name == name:
            return task
        look_at += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    raise LookupError(name)


# Instruments


def test_instruments_see_each_step_in_the_trio_lane():
    """Each time that trio resumes a Task there is one before_task_step and one after_task_step."""

    async def main(recorder):
        asyncio.current_task().set_name("the task")
        for _ in range(3):
            await trio.sleep(1)
        await asyncio.sleep(1)
        return [kind for kind, name in recorder.events if name == "the task" and kind in ("before", "after")]

    assert run_recorded(main) == ["before", "after"] * 3


def test_instruments_see_the_loops_step_in_the_fast_lane():
    """After an asyncio await a Task goes on in a step of the loop's trio task, after a trio await in one of its own."""

    async def main(recorder):
        asyncio.current_task().set_name("the task")
        await asyncio.sleep(1)
        after_asyncio = list(recorder.in_step)
        await trio.sleep(1)
        after_trio = list(recorder.in_step)
        await asyncio.sleep(1)
        return after_asyncio, after_trio, list(recorder.in_step)

    after_asyncio, after_trio, after_asyncio_again = run_recorded(main)
    assert after_trio == ["the task"]
    assert after_asyncio == after_asyncio_again
    assert len(after_asyncio) == 1
    assert after_asyncio != ["the task"]


def test_instruments_see_nothing_while_only_asyncio_is_at_work():
    """As long as nothing of trio's happens the loop stays in one step, its waits included."""

    async def main(recorder):
        await asyncio.sleep(0.01)
        before = len(recorder.events)
        for _ in range(5):
            await asyncio.sleep(0.001)
        return recorder.events[before:]

    assert run_recorded(main, clock=real) == []


def test_with_another_clock_instruments_see_the_waits():
    """A clock that must see trio idle makes the loop wait as trio tasks do."""

    async def main(recorder):
        before = len(recorder.events)
        await asyncio.sleep(1)
        return [kind for kind, _ in recorder.events[before:]]

    assert "waits" in run_recorded(main)


def lives(events):
    """Return the spawns and exits of the program's tasks: their names begin with "the"."""
    return [(kind, name) for kind, name in events if kind in ("spawned", "exited") and name.startswith("the ")]


@pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
def test_instruments_see_each_task_begin_and_end(wait):
    """Each Task is spawned and exits under its own name, in whichever lane it is."""

    async def main(recorder):
        for name in ("the first", "the second"):
            await trioasync.create_task(wait(1), name=name)
            await trio.testing.wait_all_tasks_blocked()
        await asyncio.gather(*(trioasync.create_task(wait(number), name=f"the {number}") for number in (2, 1)))
        await trio.testing.wait_all_tasks_blocked()
        return list(recorder.events)

    assert lives(run_recorded(main)) == [
        ("spawned", "the first"),
        ("exited", "the first"),
        ("spawned", "the second"),
        ("exited", "the second"),
        ("spawned", "the 2"),
        ("spawned", "the 1"),
        ("exited", "the 1"),
        ("exited", "the 2"),
    ]


def test_instruments_see_tasks_end_however_they_end():
    """A Task that fails or is cancelled exits as well, and one that was renamed exits under its new name."""

    async def fails():
        await trio.sleep(1)
        raise ValueError

    async def renames():
        asyncio.current_task().set_name("the new name")

    async def main(recorder):
        cancelled = trioasync.create_task(inner(trio.sleep), name="the cancelled")
        failing = trioasync.create_task(fails(), name="the failing")
        trioasync.create_task(renames(), name="the renamed")
        await asyncio.sleep(0.5)
        cancelled.cancel()
        await asyncio.wait([cancelled, failing])
        assert isinstance(failing.exception(), ValueError)
        await trio.testing.wait_all_tasks_blocked()
        return list(recorder.events)

    events = lives(run_recorded(main))
    assert events[:3] == [("spawned", "the cancelled"), ("spawned", "the failing"), ("spawned", "the renamed")]
    assert events[3:] == [("exited", "the new name"), ("exited", "the cancelled"), ("exited", "the failing")]


def test_every_spawn_has_its_exit():
    """When a loop has closed nothing of it is left that an instrument has not seen exit."""
    recorder = Recorder()

    async def main():
        async with trioasync.open_loop():
            await asyncio.gather(*(trioasync.create_task(trio.sleep(1)) for _ in range(5)))
            trioasync.create_task(trio.sleep(100))
            await asyncio.sleep(1)
        return list(recorder.events)

    with time_limit(LIMIT):
        events = trio.run(main, clock=virtual(), instruments=[recorder])
    kinds = [kind for kind, _ in events]
    # What runs on are the root task, the main task and trio's housekeeping.
    assert kinds.count("spawned") - kinds.count("exited") == 3


def test_without_instruments_a_trio_task_carries_one_task_after_the_other():
    """A Task that begins when another has ended needs no new trio task then."""

    async def main():
        hosts = set()

        async def note():
            hosts.add(trio.lowlevel.current_task())

        for _ in range(10):
            await trioasync.create_task(note())
        return hosts

    with time_limit(LIMIT):
        assert len(trioasync.run(main())) == 1


def test_instruments_see_the_plain_trio_tasks_beside_a_loop_as_ever():
    """Adoption changes nothing of what an instrument sees of a trio task: each wait is a step, asyncio's too."""
    recorder = Recorder()

    async def child():
        await trio.sleep(1)
        await asyncio.sleep(1)

    async def main():
        async with trioasync.open_loop(), trio.open_nursery() as nursery:
            nursery.start_soon(child, name="the child")

    with time_limit(LIMIT):
        trio.run(main, clock=virtual(), instruments=[recorder])
    events = [kind for kind, name in recorder.events if name == "the child"]
    assert events == ["spawned", *["before", "after"] * 2, "before", "exited", "after"]


# Trio's introspection


async def outer(wait):
    await middle(wait)


async def middle(wait):
    async with trio.open_nursery():
        await inner(wait)


async def inner(wait):
    await wait(100)


@asyncio_program
async def test_a_stack_goes_through_both_worlds():
    """The frames of a Task's host make a stack as those of any trio task, whichever world waits in the end."""
    for wait in (asyncio.sleep, trio.sleep):
        task = trioasync.create_task(outer(wait), name="the task")
        await asyncio.sleep(1)
        stack = traceback.StackSummary.extract(host_of("the task").iter_await_frames())
        assert [frame.name for frame in stack][:4] == ["outer", "middle", "inner", "sleep"]
        assert stack[2].line == "await wait(100)"
        task.cancel()
        await asyncio.wait([task])


@asyncio_program
async def test_an_idle_host_says_that_it_is_one():
    """A trio task that waits for its next Task has a name of its own, and no frame of the last."""
    await trioasync.create_task(inner(asyncio.sleep), name="the task")
    frames = list(host_of("trioasync idle host").iter_await_frames())
    assert [frame.f_code.co_filename for frame, _ in frames if frame.f_code.co_filename == __file__] == []
    with pytest.raises(LookupError):
        host_of("the task")


# Asyncio's introspection


@trio_program
async def test_all_tasks_has_the_tasks_and_no_plain_trio_task():
    """A trio task has a current_task(), but it is none of the loop's."""
    seen = []

    async def child():
        seen.append(asyncio.current_task())
        await asyncio.sleep(100)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, name="the child")
        task = trioasync.create_task(trio.sleep(100), name="the task")
        await asyncio.sleep(1)
        assert asyncio.all_tasks() == {task}
        assert seen[0].get_name() == "the child"
        nursery.cancel_scope.cancel()


def names(frames):
    return [frame.f_code.co_name for frame in frames]


@trio_program
async def test_stacks_of_asyncio_have_the_users_frames():
    """get_stack and print_stack show where a Task waits in a trio call, and where a plain trio task waits."""
    seen = []

    async def child():
        seen.append(asyncio.current_task())
        await inner(asyncio.sleep)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child)
        task = trioasync.create_task(inner(trio.sleep))
        await asyncio.sleep(1)
        assert names(task.get_stack()) == ["inner"]
        assert names(seen[0].get_stack()) == ["child"]
        file = io.StringIO()
        task.print_stack(file=file)
        assert "await wait(100)" in file.getvalue()
        nursery.cancel_scope.cancel()


@asyncio_program
async def test_a_call_graph_goes_down_into_trio():
    """print_call_graph shows the calls of trio's that a Task is in, and who awaits the Task."""

    async def parent(task):
        await task

    task = trioasync.create_task(inner(trio.sleep), name="the task")
    trioasync.create_task(parent(task), name="the parent")
    await asyncio.sleep(1)
    graph = trioasync.capture_call_graph(task)
    stack = names(entry.frame for entry in graph.call_stack)
    assert stack[-2:] == ["sleep", "inner"]
    assert [waiter.future.get_name() for waiter in graph.awaited_by] == ["the parent"]
    task.cancel()


@trio_program
async def test_a_call_graph_has_the_plain_trio_task_that_awaits():
    """A trio task that awaits a Task is among those that do, for as long as it does."""

    async def waits(wait):
        with contextlib.suppress(asyncio.CancelledError):
            await wait()

    task = trioasync.create_task(inner(asyncio.sleep))
    async with trio.open_nursery() as nursery:
        for wait in (lambda: asyncio.shield(task), lambda: asyncio.wait([task])):
            nursery.start_soon(waits, wait, name="the child")
            await asyncio.sleep(1)
            (waiter,) = trioasync.capture_call_graph(task).awaited_by
            assert waiter.future.get_name() == "the child"
            assert names(entry.frame for entry in waiter.call_stack)[-1] == "waits"
            waiter.future.cancel()
            await asyncio.sleep(1)
            assert trioasync.capture_call_graph(task).awaited_by == ()
    task.cancel()


def test_a_trio_instrument_can_be_added_while_a_loop_is_open():
    """An instrument that comes later sees the steps from then on."""
    recorder = Recorder()

    async def main():
        async with trioasync.open_loop():
            task = trioasync.create_task(inner(trio.sleep), name="the task")
            await asyncio.sleep(1)
            trio.lowlevel.add_instrument(recorder)
            await task
            trio.lowlevel.remove_instrument(recorder)

    run_plain_trio(main)
    assert ("before", "the task") in recorder.events
