"""The switch for unmodified programs: `install()` and `uninstall()`."""

import asyncio
import contextlib
import subprocess
import sys
import warnings

import pytest
import trio

import trioasync

STOCK_TASK = asyncio.Task
STOCK_LOOP = asyncio.SelectorEventLoop

BEFORE_3_14 = pytest.mark.skipif(sys.version_info >= (3, 14), reason="get_event_loop makes no loops since 3.14")


def policy():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(asyncio, "get_event_loop_policy", lambda: None)()


def set_policy(chosen):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(chosen)


def attributes():
    """Every attribute of every asyncio module, and the policy."""
    modules = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "asyncio"}
    # `_event_loop_policy` is what `policy()` reads; its being made is no change.
    names = {
        (name, key): value
        for name, module in modules.items()
        for key, value in vars(module).items()
        if key != "_event_loop_policy"
    }
    return names | {"policy": policy()}


def changed(before, after):
    assert before.keys() == after.keys()
    return {key for key in before if before[key] is not after[key]}


@pytest.fixture
def installed():
    with trioasync.install():
        yield


async def kind_of_loop():
    return type(asyncio.get_running_loop())


# What it replaces, and puts back


def test_uninstall_puts_back_the_very_objects_that_were_there():
    """Attribute by attribute, over all modules of asyncio."""
    before = attributes()
    trioasync.install()
    during = attributes()
    trioasync.uninstall()
    assert changed(before, during) >= {("asyncio", "run"), ("asyncio.runners", "run"), ("asyncio", "Task"), "policy"}
    assert changed(before, attributes()) == set()


def test_nothing_is_added_to_asyncio():
    """Names that this Python's asyncio lacks are not given to it."""
    before = attributes()
    with trioasync.install():
        assert attributes().keys() == before.keys()


def test_a_block_uninstalls_at_its_end():
    """Also when it ends with an exception."""
    before = attributes()
    with pytest.raises(ZeroDivisionError), trioasync.install():
        assert asyncio.run is trioasync.run
        raise ZeroDivisionError
    assert changed(before, attributes()) == set()


def test_installations_nest():
    """The replacements stay until the first install() is undone."""
    before = attributes()
    trioasync.install()
    with trioasync.install():
        assert asyncio.run is trioasync.run
    assert asyncio.run is trioasync.run
    trioasync.uninstall()
    assert changed(before, attributes()) == set()


def test_uninstall_without_install_says_so():
    """There is nothing to put back."""
    with pytest.raises(RuntimeError, match=r"^trioasync is not installed: each trioasync.uninstall\(\) undoes one"):
        trioasync.uninstall()


def test_an_installation_ends_once():
    """Its block cannot be entered again."""
    installation = trioasync.install()
    with installation:
        pass
    with pytest.raises(RuntimeError, match="this installation of trioasync has ended: "), installation:
        pytest.fail("entered")


def test_it_neither_warns_nor_lets_a_warning_of_the_program_vanish():
    """Policies warn since Python 3.14; install() is quiet, a program's own use of them is not."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with trioasync.install():
            pass
        assert seen == []
        asyncio.get_event_loop_policy()
        assert len(seen) == (sys.version_info >= (3, 14))


# The loops that asyncio then gives


def test_run_gives_a_hosted_loop(installed):
    """`asyncio.run`, and with it every Task."""
    assert asyncio.run(kind_of_loop()) is trioasync.EventLoop


def test_run_imported_before_gives_a_hosted_loop():
    """asyncio's own `run` asks for a loop when it is called."""
    from asyncio import run

    with trioasync.install():
        assert run is not trioasync.run
        assert run(kind_of_loop()) is trioasync.EventLoop


def test_new_event_loop_imported_before_gives_a_hosted_loop():
    """asyncio's own function asks the policy."""
    from asyncio import new_event_loop

    with trioasync.install(), contextlib.closing(new_event_loop()) as loop:
        assert type(loop) is trioasync.EventLoop


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio has Runner since 3.11")
@pytest.mark.parametrize("imported", ["before", "after"])
def test_runner_gives_a_hosted_loop(imported):
    """`asyncio.Runner`, whichever it is."""
    before = asyncio.Runner
    with trioasync.install(), (before if imported == "before" else asyncio.Runner)() as runner:
        assert runner.run(kind_of_loop()) is trioasync.EventLoop


@pytest.mark.parametrize(
    "name",
    [
        "new_event_loop",
        "SelectorEventLoop",
        pytest.param("EventLoop", marks=pytest.mark.skipif("sys.version_info < (3, 13)")),
    ],
)
def test_loops_made_by_name_are_hosted(installed, name):
    """`loop_factory=asyncio.SelectorEventLoop` means the loop that asyncio has."""
    with contextlib.closing(getattr(asyncio, name)()) as loop:
        assert type(loop) is trioasync.EventLoop
        assert loop.run_until_complete(kind_of_loop()) is trioasync.EventLoop


@BEFORE_3_14
@pytest.mark.filterwarnings("ignore:There is no current event loop")
def test_get_event_loop_makes_a_hosted_loop(installed):
    """In the main thread, where no loop is set."""
    with contextlib.closing(asyncio.get_event_loop()) as loop:
        assert type(loop) is trioasync.EventLoop
        assert asyncio.get_event_loop() is loop


def test_a_policy_read_and_set_back_stays_ours(installed):
    """Test frameworks do it around every test."""
    ours = policy()
    set_policy(ours)
    assert policy() is ours
    with contextlib.closing(ours.new_event_loop()) as loop:
        assert type(loop) is trioasync.EventLoop


@BEFORE_3_14
@pytest.mark.parametrize("chosen", [lambda: None, lambda: asyncio.DefaultEventLoopPolicy()], ids=["None", "default"])
def test_the_default_policy_is_ours(installed, chosen):
    """Setting asyncio's default policy anew does not end the hosting."""
    set_policy(chosen())
    with contextlib.closing(policy().new_event_loop()) as loop:
        assert type(loop) is trioasync.EventLoop


def test_loops_of_other_kinds_stay_what_they_are(installed):
    """A loop that a program makes by another class is run as it is."""
    with contextlib.closing(STOCK_LOOP()) as loop:
        assert loop.run_until_complete(kind_of_loop()) is STOCK_LOOP


# asyncio.Task


def test_asyncio_task_makes_our_task_on_our_loop(installed):
    """Libraries that construct `asyncio.Task` get a Task that may await trio."""

    async def in_trio():
        await trio.sleep(0)
        return "slept"

    async def main():
        tasks = [asyncio.Task(in_trio()), asyncio.Task(in_trio(), loop=asyncio.get_running_loop())]
        assert [type(task) for task in tasks] == [trioasync.Task] * 2
        return [await task for task in tasks]

    assert asyncio.run(main()) == ["slept", "slept"]


def test_asyncio_task_makes_a_stock_task_on_a_stock_loop(installed):
    """A Task that no trio runs under is asyncio's own."""

    async def main():
        tasks = [asyncio.Task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(0)), asyncio.current_task()]
        await asyncio.wait(tasks[:2])
        return {type(task) for task in tasks}

    with contextlib.closing(STOCK_LOOP()) as loop:
        assert loop.run_until_complete(main()) == {STOCK_TASK}


def test_every_task_is_an_instance_of_asyncio_task():
    """Stock ones made before or after, ours, and nothing else."""

    async def main(loop):
        return asyncio.current_task()

    with contextlib.closing(STOCK_LOOP()) as loop:
        before = loop.run_until_complete(main(loop))
        with trioasync.install():
            after = loop.run_until_complete(main(loop))
            ours = asyncio.run(main(None))
            assert (type(before), type(after), type(ours)) == (STOCK_TASK, STOCK_TASK, trioasync.Task)
            assert all(isinstance(task, asyncio.Task) for task in (before, after, ours))
            assert not isinstance(loop, asyncio.Task)
            assert issubclass(STOCK_TASK, asyncio.Task)
            assert issubclass(trioasync.Task, asyncio.Task)
            assert not issubclass(asyncio.Future, asyncio.Task)


def test_asyncio_task_may_be_subclassed(installed):
    """A subclass is an ordinary class: only its own instances are instances of it."""

    class Mine(asyncio.Task):
        pass

    async def main():
        loop = asyncio.get_running_loop()
        task = Mine(trio.sleep(0), loop=loop)
        await task
        return (
            isinstance(task, Mine),
            isinstance(asyncio.current_task(), Mine),
            issubclass(STOCK_TASK, Mine),
            type(task) is Mine,
        )

    assert asyncio.run(main()) == (True, False, False, True)
    assert issubclass(Mine, trioasync.Task)


def test_a_factory_of_eager_tasks_makes_our_tasks(installed):
    """`asyncio.eager_task_factory`, on the Pythons that have it."""
    factory = getattr(asyncio, "eager_task_factory", trioasync.eager_task_factory)

    async def main():
        asyncio.get_running_loop().set_task_factory(factory)
        task = asyncio.create_task(trio.sleep(0))
        await task
        return type(task)

    assert asyncio.run(main()) is trioasync.Task


# The rest of the process


def test_to_thread_uses_the_threads_of_trio(installed):
    """The function sees that it was started from a trio run."""

    async def main():
        return await asyncio.to_thread(trio.from_thread.run_sync, trio.lowlevel.in_trio_run)

    assert asyncio.run(main()) is True


def test_importing_trioasync_replaces_nothing():
    """The switch is explicit."""
    code = """
import asyncio, sys

def attributes():
    modules = {name: module for name, module in sys.modules.items() if name.startswith("asyncio")}
    return {(name, key): value for name, module in modules.items() for key, value in vars(module).items()}

before = attributes()
import trioasync
after = attributes()
print([key for key in before if before[key] is not after[key]])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
