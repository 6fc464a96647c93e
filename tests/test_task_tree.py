"""print_task_tree() and format_task_tree(): all tasks of the program, of both worlds, on one tree."""

import asyncio
import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import trio
import trio.testing

import trioasync
from tests.mixing.ways import LIMIT, asyncio_program, real, run_plain_trio, trio_program, virtual
from tests.support.observation import time_limit

HERE = __name__.split(".")[-1]
PLACE = re.compile(r"\S*?(\w+)\.py:\d+ in ")


def tree():
    """Return the tree of this thread's run as lines, with "at function" for a place here, else "at module:function"."""
    return lines_of(trioasync.format_task_tree())


def lines_of(text):
    lines = PLACE.sub(lambda place: "" if place[1] == HERE else f"{place[1]}:", text).split("\n")
    own = lines[1:]
    others = [number for number, line in enumerate(own) if not line.startswith((" ", "├", "│", "└"))]
    return [line.removesuffix(" > tree") for line in own[: others[0] if others else None]]


def drawing(text):
    """Return the lines of an indented text."""
    return textwrap.dedent(text).strip("\n").split("\n")


def named(name):
    asyncio.current_task().set_name(name)


async def sleeps():
    await asyncio.sleep(100)


async def sleeps_in_trio():
    await trio.sleep(100)


async def awaits(task):
    await task


async def gathers(*tasks):
    await asyncio.gather(*tasks)


def spawn(coro, name):
    return trioasync.create_task(coro, name=name)


async def all_blocked():
    """Wait until every task of either world waits."""
    await trio.testing.wait_all_tasks_blocked()


# Asyncio


@asyncio_program
async def test_each_task_is_below_its_loop():
    """A Task has a line with its name, its world, what it does and where."""
    named("main")
    spawn(sleeps(), "one")
    spawn(sleeps_in_trio(), "two")
    await all_blocked()
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ main (asyncio Task) runs at test_each_task_is_below_its_loop
           ├─ one (asyncio Task) waits at sleeps
           └─ two (asyncio Task) waits at sleeps_in_trio
        """
    )


@asyncio_program
async def test_a_place_is_file_line_and_function():
    """A place names the file and the line where the user's code waits, not where asyncio or trio does."""
    spawn(sleeps(), "the task")
    await all_blocked()
    line = sleeps.__code__.co_firstlineno + 1
    assert f"the task (asyncio Task) waits at {__file__}:{line} in sleeps\n" in trioasync.format_task_tree() + "\n"


@asyncio_program
async def test_an_awaited_task_is_below_the_one_that_awaits_it():
    """So it is with await, gather, wait, shield and a TaskGroup, whose owner may be doing something else meanwhile."""
    named("main")

    async def waits(*tasks):
        await asyncio.wait(tasks)

    async def shields(task):
        await asyncio.shield(task)

    async def groups():
        async with trioasync.TaskGroup() as group:
            group.create_task(sleeps(), name="in a group")
            await asyncio.sleep(100)

    spawn(awaits(spawn(sleeps(), "awaited")), "a")
    spawn(gathers(spawn(sleeps(), "gathered 2"), spawn(sleeps(), "gathered 10")), "b")
    spawn(waits(spawn(sleeps(), "waited for")), "c")
    spawn(shields(spawn(sleeps(), "shielded")), "d")
    spawn(groups(), "e")
    await all_blocked()
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ a (asyncio Task) waits at awaits
           │  └─ awaited (asyncio Task) waits at sleeps
           ├─ b (asyncio Task) waits at gathers
           │  ├─ gathered 2 (asyncio Task) waits at sleeps
           │  └─ gathered 10 (asyncio Task) waits at sleeps
           ├─ c (asyncio Task) waits at waits
           │  └─ waited for (asyncio Task) waits at sleeps
           ├─ d (asyncio Task) waits at shields
           │  └─ shielded (asyncio Task) waits at sleeps
           ├─ e (asyncio Task) waits at groups
           │  └─ in a group (asyncio Task) waits at sleeps
           └─ main (asyncio Task) runs at test_an_awaited_task_is_below_the_one_that_awaits_it
        """
    )


@asyncio_program
async def test_a_task_awaited_by_several_is_named_by_the_others():
    """It stands below the topmost of those that await it; the others say for whom they wait, with three at most."""
    named("main")
    jobs = [spawn(sleeps(), f"job {number}") for number in range(5)]
    spawn(awaits(spawn(gathers(*jobs), "below")), "a")
    spawn(gathers(*jobs), "b")
    spawn(awaits(jobs[3]), "c")
    await all_blocked()
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ a (asyncio Task) waits at awaits
           │  └─ below (asyncio Task) waits for job 0, job 1, job 2 and 2 more at gathers
           ├─ b (asyncio Task) waits at gathers
           │  ├─ job 0 (asyncio Task) waits at sleeps
           │  ├─ job 1 (asyncio Task) waits at sleeps
           │  ├─ job 2 (asyncio Task) waits at sleeps
           │  ├─ job 3 (asyncio Task) waits at sleeps
           │  └─ job 4 (asyncio Task) waits at sleeps
           ├─ c (asyncio Task) waits for job 3 at awaits
           └─ main (asyncio Task) runs at test_a_task_awaited_by_several_is_named_by_the_others
        """
    )


@asyncio_program
async def test_tasks_that_await_each_other_are_shown_in_a_circle():
    """A deadlock is there to be seen."""
    named("main")
    tasks = {}

    async def waits_for(name):
        await asyncio.wait([tasks[name]])

    tasks["a"], tasks["b"] = spawn(waits_for("b"), "a"), spawn(waits_for("a"), "b")
    await all_blocked()
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ a (asyncio Task) waits at waits_for
           │  └─ b (asyncio Task) waits for a at waits_for
           └─ main (asyncio Task) runs at test_tasks_that_await_each_other_are_shown_in_a_circle
        """
    )


@asyncio_program
async def test_what_a_task_does_is_told():
    """A Task has not begun, is running, is ready to go on, or waits; and whether it was cancelled is told as well."""
    named("main")
    event, trio_event = asyncio.Event(), trio.Event()

    async def stubborn():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(100)
        await asyncio.sleep(100)

    async def ready():
        await event.wait()

    async def ready_in_trio():
        await trio_event.wait()

    cancelled = spawn(stubborn(), "cancelled")
    spawn(ready(), "ready")
    spawn(ready_in_trio(), "ready in trio")
    await all_blocked()
    cancelled.cancel()
    await all_blocked()
    event.set()
    trio_event.set()
    spawn(sleeps(), "new")
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ cancelled (asyncio Task) waits at stubborn, cancel requested
           ├─ main (asyncio Task) runs at test_what_a_task_does_is_told
           ├─ new (asyncio Task) will begin at sleeps
           ├─ ready (asyncio Task) is ready at ready
           └─ ready in trio (asyncio Task) is ready at ready_in_trio
        """
    )


@asyncio_program
async def test_a_callback_is_shown_at_its_loop():
    """In a callback the loop runs, and no Task does."""
    named("main")
    seen = []

    def callback():
        seen.extend(tree())

    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(1)
    assert seen == drawing(
        """
        └─ trioasync loop runs a callback at callback
           └─ main (asyncio Task) waits at test_a_callback_is_shown_at_its_loop
        """
    )


@asyncio_program
async def test_a_task_that_starts_another_eagerly_runs_as_well():
    """Both run, each at its own place."""
    named("main")
    seen = []

    async def eager():
        seen.extend(tree())

    await trioasync.create_task(eager(), name="eager", eager_start=True)
    assert seen == drawing(
        """
        └─ trioasync loop
           ├─ eager (asyncio Task) runs at eager
           └─ main (asyncio Task) runs at test_a_task_that_starts_another_eagerly_runs_as_well
        """
    )


@asyncio_program
async def test_a_task_of_asyncios_own_is_told_apart():
    """A Task that was made by asyncio itself cannot await trio, so the tree says what it is."""
    loop = asyncio.get_running_loop()
    own = asyncio.Task(sleeps(), loop=loop, name="stock")
    await all_blocked()
    assert "   └─ stock (asyncio's own Task) waits at sleeps" in tree()
    own.cancel()


@asyncio_program
async def test_tasks_are_in_the_order_of_their_names():
    """Task-2 comes before Task-10, and two trees of one moment are the same."""
    named("main")
    for name in ["Task-10", "Task-9", "b", "a", "Task-2", "a"]:
        spawn(sleeps(), name)
    await all_blocked()
    names = [line.split()[1] for line in tree()[1:]]
    assert names == ["Task-2", "Task-9", "Task-10", "a", "a", "b", "main"]
    assert tree() == tree()


# Trio


def test_a_plain_trio_program():
    """Without a loop there are trio's tasks in the order in which they were started, and no housekeeping."""
    seen = []

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeps_in_trio, name="z")
            nursery.start_soon(sleeps_in_trio, name="a")
            await all_blocked()
            event = trio.Event()
            nursery.start_soon(event.wait)
            await all_blocked()
            event.set()
            nursery.start_soon(sleeps_in_trio, name="new")
            trio.lowlevel.spawn_system_task(sleeps_in_trio, name="of the system")
            seen.extend(tree())
            nursery.cancel_scope.cancel()
            seen.append(tree()[0].rpartition(" ")[2])

    run_plain_trio(main)
    assert [line.replace(f"{__name__}.", "") for line in seen] == drawing(
        """
        ├─ test_a_plain_trio_program.<locals>.main (trio task) runs at main
        │  ├─ z (trio task) waits at sleeps_in_trio
        │  ├─ a (trio task) waits at sleeps_in_trio
        │  ├─ trio.Event.wait (trio task) is ready at _sync:EVENT.WAIT
        │  └─ new (trio task) will begin at sleeps_in_trio
        └─ of the system (trio task) will begin at sleeps_in_trio
        requested
        """.replace("EVENT.WAIT", "Event.wait" if sys.version_info >= (3, 11) else "wait")
    )


@asyncio_program
async def test_nursery_children_are_below_the_task():
    """What a Task starts in a nursery is below it; of several nurseries each has a line."""
    named("main")

    async def parent():
        async with trio.open_nursery() as outer, trio.open_nursery() as inner:
            outer.start_soon(sleeps, name="outer child")
            inner.start_soon(sleeps_in_trio, name="inner child 1")
            inner.start_soon(awaits, spawn(sleeps(), "grandchild"), name="inner child 2")

    spawn(parent(), "parent")
    await all_blocked()
    assert tree() == drawing(
        """
        └─ trioasync loop
           ├─ main (asyncio Task) runs at test_nursery_children_are_below_the_task
           └─ parent (asyncio Task) waits at parent
              ├─ nursery
              │  └─ outer child (trio task, adopted) waits at sleeps
              └─ nursery
                 ├─ inner child 1 (trio task, adopted) waits at sleeps_in_trio
                 └─ inner child 2 (trio task, adopted) waits at awaits
                    └─ grandchild (asyncio Task) waits at sleeps
        """
    )


def test_a_loop_stands_where_it_was_opened():
    """In a trio program the loop is below the task that opened it, and tasks from before it are not adopted."""
    seen = []

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleeps_in_trio, name="before")
            await all_blocked()
            async with trioasync.open_loop():
                nursery.start_soon(sleeps, name="after")
                spawn(sleeps(), "the Task")
                await all_blocked()
                seen.extend(tree())
                nursery.cancel_scope.cancel()

    run_plain_trio(main)
    assert [line.replace(f"{__name__}.", "") for line in seen] == drawing(
        """
        └─ test_a_loop_stands_where_it_was_opened.<locals>.main (trio task, adopted) runs at main
           ├─ nursery
           │  ├─ before (trio task) waits at sleeps_in_trio
           │  └─ after (trio task, adopted) waits at sleeps
           └─ nursery
              └─ trioasync loop
                 └─ the Task (asyncio Task) waits at sleeps
        """
    )


@trio_program
async def test_tasks_awaited_by_a_plain_trio_task_are_below_it():
    """So it is for what the trio task awaits directly, and for what it gathers."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(awaits, spawn(sleeps(), "awaited"), name="a")
        nursery.start_soon(gathers, spawn(sleeps(), "gathered"), name="b")
        await all_blocked()
        lines = tree()
        nursery.cancel_scope.cancel()
    assert [line.lstrip(" │") for line in lines[-4:]] == drawing(
        """
        ├─ a (trio task, adopted) waits at awaits
        └─ awaited (asyncio Task) waits at sleeps
        └─ b (trio task, adopted) waits at gathers
        └─ gathered (asyncio Task) waits at sleeps
        """
    )


@trio_program
async def test_a_scope_that_is_cancelled_shows_in_its_tasks():
    """Tasks in a cancelled scope that have not ended say so, in both worlds; a shield keeps it off."""

    async def shielded():
        with trio.CancelScope(shield=True):
            await trio.sleep(100)

    async def goes_on():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(100)
        await asyncio.sleep(100)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(shielded, name="shielded")
        nursery.start_soon(goes_on, name="goes on")
        await all_blocked()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await all_blocked()
        text = "\n".join(tree()) + "\n"
    assert "shielded (trio task, adopted) waits at shielded\n" in text
    assert "goes on (trio task, adopted) waits at goes_on, cancel requested\n" in text


# Places


@asyncio_program
async def test_places_are_found_behind_every_kind_of_await():
    """Async generators, anext(), generators and objects with __await__ lead on to where the user's code waits."""

    async def generator():
        await asyncio.sleep(100)
        yield

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(100).__await__()

    async def loops_over():
        async for _ in generator():
            pass

    async def takes_next():
        await anext(generator(), None)

    async def awaits_object():
        await Awaitable()

    async def awaits_wrapper():
        class Wrapper:
            def __await__(self):
                return sleeps().__await__()

        await Wrapper()

    async def closes():
        async def stuck():
            try:
                yield
            finally:
                await asyncio.sleep(100)

        generator = stuck()
        await anext(generator)
        await generator.aclose()

    for coro in [loops_over(), takes_next(), awaits_object(), awaits_wrapper(), closes()]:
        spawn(coro, coro.__name__)
    await all_blocked()
    places = dict(re.findall("─ ([a-z_]+) .* waits at (.*)", "\n".join(tree())))
    method = "Awaitable.__await__" if sys.version_info >= (3, 11) else "__await__"
    assert places == {
        "loops_over": "generator",
        "takes_next": "generator",
        "awaits_object": f"awaits_object > {method}",
        "awaits_wrapper": "sleeps",
        "closes": "stuck",
    }


def in_library(source, folder="site-packages", **names):
    """Return the names that a library's module defines."""
    exec(compile(source, f"/somewhere/{folder}/library.py", "exec"), names)
    return names


@asyncio_program
async def test_a_library_is_shown_after_the_users_own_frame():
    """Where the user's code waits in a library's, both places are told."""
    library = in_library("import asyncio\nasync def fetch():\n  await asyncio.sleep(100)", __name__="library")

    async def own():
        await library["fetch"]()

    spawn(own(), "own")
    spawn(library["fetch"](), "library's")
    await all_blocked()
    text = trioasync.format_task_tree()
    assert "library's (asyncio Task) waits at /somewhere/site-packages/library.py:3 in fetch\n" in text
    assert PLACE.sub("", text).count("own (asyncio Task) waits at own > fetch") == 1


@asyncio_program
async def test_a_task_of_asyncios_functions_alone_has_their_place():
    """Where nothing of the user's is, the outermost frame has to do."""
    spawn(asyncio.sleep(100), "the task")
    await all_blocked()
    assert "the task (asyncio Task) waits at tasks:sleep" in "\n".join(tree())


@asyncio_program
async def test_plain_calls_of_a_running_task_are_shown():
    """For a task that runs, the innermost async function and the innermost two of the calls that it is in."""
    named("main")

    def recursion(depth):
        return recursion(depth - 1) if depth else innermost()

    def innermost():
        return tree()

    test = "test_plain_calls_of_a_running_task_are_shown"
    assert recursion(3) == ["└─ trioasync loop", f"   └─ main (asyncio Task) runs at {test} > innermost"]


# Threads


def others(text):
    """Return the lines of an unabridged tree that do not belong to the first run."""
    return text.split("\n")[len(lines_of(text)) + 1 :]


@contextlib.contextmanager
def waiting_thread(target):
    """Run `target(begun, end)` in a thread called "other", from when it has set `begun` until the block ends."""
    begun, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=target, args=(begun, end), name="other")
    thread.start()
    try:
        assert begun.wait(LIMIT)
        yield
    finally:
        end.set()
        thread.join(LIMIT)


def blocks(begun, end):
    begun.set()
    end.wait(LIMIT)


@asyncio_program(clock=real)
async def test_a_worker_thread_is_below_the_task_that_waits_for_it():
    """to_thread and trio.to_thread show where the thread is; what an executor runs is below the loop."""
    named("main")
    begun, end = [threading.Event() for _ in range(3)], threading.Event()

    async def trio_thread():
        await trio.to_thread.run_sync(blocks, begun[0], end)

    async def asyncio_thread():
        await trioasync.to_thread(blocks, begun[1], end)

    tasks = [spawn(trio_thread(), "a"), spawn(asyncio_thread(), "b")]
    job = asyncio.get_running_loop().run_in_executor(None, blocks, begun[2], end)
    await trio.to_thread.run_sync(lambda: [event.wait(LIMIT) for event in begun])
    seen = tree()
    end.set()
    await asyncio.gather(*tasks, job)
    assert seen == drawing(
        """
        └─ trioasync loop
           ├─ a (asyncio Task) waits at trio_thread
           │  └─ worker thread is at blocks
           ├─ b (asyncio Task) waits at asyncio_thread
           │  └─ worker thread is at blocks
           ├─ main (asyncio Task) runs at test_a_worker_thread_is_below_the_task_that_waits_for_it
           └─ worker thread is at blocks
        """
    )


@asyncio_program(clock=real)
async def test_other_threads_that_run_the_users_code_are_shown():
    """They have a line each beside the run."""
    with waiting_thread(blocks):
        text = trioasync.format_task_tree()
    assert "thread other is at blocks" in [PLACE.sub("", line) for line in others(text)]


def runs_trioasync(begun, end):
    async def main():
        named("of the other run")
        asyncio.get_running_loop().call_soon(begun.set)
        await asyncio.to_thread(end.wait, LIMIT)

    trioasync.run(main())


def runs_asyncio(begun, end):
    async def main():
        named("of asyncio's loop")
        task = asyncio.create_task(sleeps(), name="awaited")
        asyncio.get_running_loop().call_soon(begun.set)
        await asyncio.wait(
            [task, asyncio.get_running_loop().run_in_executor(None, end.wait, LIMIT)], return_when="FIRST_COMPLETED"
        )
        task.cancel()

    asyncio.run(main())


@asyncio_program(clock=real)
async def test_runs_in_other_threads_are_shown():
    """The tree has the trio runs of all threads."""
    with waiting_thread(runs_trioasync):
        lines = others(trioasync.format_task_tree())
    start = lines.index("trio run in thread other")
    assert lines[start + 1] == "└─ trioasync loop"
    assert lines[start + 2][3:].startswith(("├─ of the other run (asyncio Task)", "└─ of the other run (asyncio Task)"))


@asyncio_program(clock=real)
async def test_asyncios_own_loops_in_other_threads_are_shown():
    """The tree has the Tasks of loops that are not ours, but for loops that are not written in Python."""
    with waiting_thread(runs_asyncio):
        lines = [PLACE.sub("", line) for line in others(trioasync.format_task_tree())]
    start = lines.index("asyncio loop in thread other")
    assert lines[start + 1 : start + 3] == drawing(
        """
        └─ of asyncio's loop (asyncio's own Task) waits at main
           └─ awaited (asyncio's own Task) waits at sleeps
        """
    )


def test_another_thread_sees_the_program_as_well():
    """A watching thread gets the tree of a program that is stuck in one function and lets no task go on."""
    seen = []

    def watches():
        seen.extend(lines_of(trioasync.format_task_tree()))

    def stuck():
        watcher = threading.Thread(target=watches)
        watcher.start()
        watcher.join(LIMIT)

    async def main():
        named("main")
        spawn(sleeps(), "the task")
        await asyncio.sleep(0)
        stuck()

    with time_limit(LIMIT):
        trioasync.run(main())
    assert seen == drawing(
        """
        └─ trioasync loop
           ├─ main (asyncio Task) runs at main > stuck
           └─ the task (asyncio Task) waits at sleeps
        """
    )


def test_a_trio_run_that_is_a_guest_of_another_loop_is_shown():
    """The run is there in a step of its own and in a callback of its host."""
    seen = []

    async def guest():
        await trio.sleep(0)
        seen.append(trioasync.format_task_tree())
        await trio.sleep_forever()

    async def host():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda outcome: done.set(),
            host_uses_signal_set_wakeup_fd=True,
        )
        while not seen:
            await asyncio.sleep(0)
        seen.append(trioasync.format_task_tree())
        trio.lowlevel.current_root_task().child_nurseries[0].cancel_scope.cancel()
        await done.wait()

    with time_limit(LIMIT):
        asyncio.run(host())
    in_guest, in_host = [[PLACE.sub("", line) for line in text.split("\n")[:4]] for text in seen]
    assert in_guest[0] == in_host[0] == "trio run in thread MainThread"
    assert in_guest[1].endswith("guest (trio task) runs at guest")
    assert in_host[1].endswith("guest (trio task) waits at guest")
    assert in_guest[2] == "asyncio loop in thread MainThread"
    assert in_host[3].endswith("(asyncio's own Task) runs at host")


def test_without_a_run_there_are_only_threads():
    """Outside of every run the tree says where the threads are."""
    assert re.search("^thread MainThread is at .*", trioasync.format_task_tree())


# At any time


@asyncio_program
async def test_a_signal_handler_may_ask():
    """In a signal handler the tree shows the interrupted task with the plain calls that it is in."""
    named("main")
    seen = []

    def long_calculation():
        signal.raise_signal(signal.SIGUSR1)

    def handler(*_):
        seen.append(trioasync.format_task_tree())

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        long_calculation()
    finally:
        signal.signal(signal.SIGUSR1, before)
    test = "test_a_signal_handler_may_ask"
    expected = f"   └─ main (asyncio Task) runs at {test} > long_calculation > handler"
    assert lines_of(seen[0]) == ["└─ trioasync loop", expected]


STEP = 23
"""Of the instructions of the machinery, every this many-th is interrupted: a prime, so that all get their turn."""


class Interruptions:
    """Asks for the tree between instructions of trio's code and of ours, as a signal handler might."""

    def __init__(self):
        self.instructions = 0
        self.trees = []

    def __enter__(self):
        sys._getframe().f_trace_opcodes = True  # Python 3.12 must know that there is one before it begins
        sys.settrace(self.enter)

    def __exit__(self, *exc_info):
        sys.settrace(None)

    def enter(self, frame, event, argument):
        if frame.f_globals.get("__name__", "").split(".")[0] not in ("trio", "trioasync"):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self.step

    def step(self, frame, event, argument):
        if event == "opcode":
            self.instructions += 1
            if self.instructions % STEP == 0:
                self.trees.append(trioasync.format_task_tree())
        return self.step


@pytest.mark.parametrize("clock", [virtual, real])
def test_it_may_be_asked_for_between_any_two_instructions(clock):
    """Whatever trio and this package are in the middle of, there is a tree, and the program does not notice."""

    async def child(scope):
        await trio.sleep(0.01)
        await asyncio.sleep(0.01)
        scope.cancel()

    async def main():
        results = []
        async with trioasync.open_loop(), trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(child, scope)
                await asyncio.sleep(100)
            results.append(scope.cancelled_caught)
            task = spawn(sleeps_in_trio(), "the task")
            await asyncio.sleep(0)
            task.cancel()
            results.append((await asyncio.gather(task, return_exceptions=True))[0].__class__)
            results.append(await trioasync.to_thread(int, "5"))
        return results

    interruptions = Interruptions()
    with interruptions:
        results = trio.run(main, clock=clock())
    assert results == [True, asyncio.CancelledError, 5]
    assert len(interruptions.trees) > 100
    assert [text for text in interruptions.trees if "cannot be shown" in text] == []
    assert any("the task (asyncio Task)" in text for text in interruptions.trees)


@asyncio_program
async def test_nothing_is_kept():
    """What the tree has looked at is not referred to afterwards."""
    task = spawn(sleeps(), "the task")
    await all_blocked()
    before = sys.getrefcount(task)
    text = trioasync.format_task_tree()
    after = sys.getrefcount(task)
    assert (after, "the task" in text) == (before, True)


@asyncio_program
async def test_a_task_that_cannot_be_read_spoils_no_other():
    """A kind of Task that raises when it is asked has a line that says so."""
    named("main")

    readable = True

    class Nameless(trioasync.Task):
        def get_name(self):
            return super().get_name() if readable else 1 / 0

    class Hidden(trioasync.Task):
        def get_coro(self):
            return super().get_coro() if readable else 1 / 0

    for kind in (Nameless, Hidden):
        kind(awaits(spawn(sleeps(), f"below {kind.__name__}")), name="hidden")
    await all_blocked()
    readable = False
    lines = tree()
    readable = True
    assert (
        "   ├─ a Nameless without a name (ZeroDivisionError('division by zero')) (asyncio Task) waits at awaits"
        in lines
    )
    assert "   │  └─ below Nameless (asyncio Task) waits at sleeps" in lines
    assert "   ├─ hidden cannot be shown: ZeroDivisionError('division by zero')" in lines
    assert "   │  └─ below Hidden (asyncio Task) waits at sleeps" in lines


@asyncio_program
async def test_at_the_end_of_the_stack_it_says_that_it_cannot():
    """Where there is no room for the calls that it takes, a sentence stands in the place of the tree."""
    texts = []

    def dive():
        with contextlib.suppress(RecursionError):
            dive()
        if not texts or "cannot be shown" in texts[-1]:
            texts.append(trioasync.format_task_tree())

    with contextlib.suppress(RecursionError):
        dive()
    assert "RecursionError" in texts[0]
    assert texts[-1].startswith("trio run in thread MainThread")


@asyncio_program
async def test_depth_has_no_limit():
    """Tasks that await each other in a long chain, and nurseries far inside of each other, are no trouble."""
    depth = sys.getrecursionlimit() + 100
    last = asyncio.get_running_loop().create_future()
    task = spawn(awaits(last), "chain 0")
    for number in range(1, depth):
        task = spawn(awaits(task), f"chain {number}")

    async def nest(level):
        async with trio.open_nursery() as inner:
            if level:
                inner.start_soon(nest, level - 1, name=f"nest {level}")
            await trio.sleep(100)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(nest, depth)
        await all_blocked()
        lines = tree()
        nursery.cancel_scope.cancel()
    assert sum("─ chain " in line for line in lines) == depth
    assert sum("─ nest " in line for line in lines) == depth
    last.set_result(None)
    await task


# Printing


@asyncio_program
async def test_it_is_printed_to_standard_output_or_to_a_file(capsys):
    """print_task_tree prints what format_task_tree returns, and at once."""
    task = spawn(sleeps(), "the task")
    await all_blocked()
    file = io.StringIO()
    for output in (None, file):
        trioasync.print_task_tree(output)
    assert file.getvalue() == capsys.readouterr().out
    assert file.getvalue().endswith("sleeps\n")
    buffered = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    trioasync.print_task_tree(buffered)
    assert b"the task" in buffered.buffer.getvalue()
    task.cancel()


@asyncio_program
async def test_any_encoding_will_do():
    """Where the output cannot show a character, plain ones take its place."""
    spawn(sleeps(), "Jürgen \udcff")
    await all_blocked()
    for encoding, name in {
        "ascii": r"J\xfcrgen \udcff",
        "latin-1": r"Jürgen \udcff",
        "utf-8": r"Jürgen \udcff",
    }.items():
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        trioasync.print_task_tree(file)
        line = next(line for line in file.buffer.getvalue().decode(encoding).split("\n") if "rgen" in line)
        assert line.startswith(f"   |- {name} (asyncio Task) waits")


@asyncio_program
async def test_a_name_stays_in_its_line():
    """A line feed in a name is written as such, so that each task has one line."""
    spawn(sleeps(), "two\nlines")
    await all_blocked()
    assert r"   └─ two\nlines (asyncio Task) waits at sleeps" in tree()


PRINTS_WHILE_PRINTING = """
import signal, sys, trioasync

async def main():
    signal.signal(signal.SIGUSR1, lambda *_: trioasync.print_task_tree())
    print("x" * 1_000_000, end="")
    print("the end")

trioasync.run(main())
"""


def test_a_signal_that_interrupts_printing_prints():
    """Where the buffer of standard output is locked by the interrupted write, the tree goes past it."""
    # Unbuffered, Python itself loses what a signal interrupts.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", PRINTS_WHILE_PRINTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as program:
        assert program.stdout.read(1) == b"x"  # now it writes more than a pipe takes
        program.send_signal(signal.SIGUSR1)
        output = program.stdout.read()
        assert program.wait(LIMIT) == 0
    assert b"trio run in thread MainThread\n" in output
    assert output.endswith(b"the end\n")
    assert output.count(b"x") >= 999_999


# Documentation


def test_the_example_of_the_documentation_prints_what_it_says(tmp_path):
    """The program and the tree in docs/observing.md belong together."""
    page = (Path(__file__).parent.parent / "docs" / "observing.md").read_text()
    program, printed = (re.search(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S)[1] for kind in ("python", "text"))
    path = tmp_path / "shop.py"
    path.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().replace(str(path), "/srv/shop.py") == printed
