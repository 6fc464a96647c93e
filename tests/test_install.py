"""The switch for unmodified programs: `install()` and `uninstall()`."""

import asyncio
import contextlib
import subprocess
import sys
import types
import warnings

import pytest
import trio

import trioasync
from tests.support.outcomes import outcome_of


class Stock:
    """Asyncio's own, out of reach of install(), which looks for it in the names of modules."""

    Task = asyncio.Task
    SelectorEventLoop = asyncio.SelectorEventLoop
    run = asyncio.run


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
        assert asyncio.run is not Stock.run
        raise ZeroDivisionError
    assert changed(before, attributes()) == set()


def test_installations_nest():
    """The replacements stay until the first install() is undone."""
    before = attributes()
    trioasync.install()
    with trioasync.install():
        assert asyncio.run is not Stock.run
    assert asyncio.run is not Stock.run
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
    with contextlib.closing(Stock.SelectorEventLoop()) as loop:
        assert loop.run_until_complete(kind_of_loop()) is Stock.SelectorEventLoop


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

    with contextlib.closing(Stock.SelectorEventLoop()) as loop:
        assert loop.run_until_complete(main()) == {Stock.Task}


def test_every_task_is_an_instance_of_asyncio_task():
    """Stock ones made before or after, ours, and nothing else."""

    async def main(loop):
        return asyncio.current_task()

    with contextlib.closing(Stock.SelectorEventLoop()) as loop:
        before = loop.run_until_complete(main(loop))
        with trioasync.install():
            after = loop.run_until_complete(main(loop))
            ours = asyncio.run(main(None))
            assert (type(before), type(after), type(ours)) == (Stock.Task, Stock.Task, trioasync.Task)
            assert all(isinstance(task, asyncio.Task) for task in (before, after, ours))
            assert not isinstance(loop, asyncio.Task)
            assert issubclass(Stock.Task, asyncio.Task)
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
            issubclass(Stock.Task, Mine),
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


# Tasks that a library makes by itself


LIBRARY = """
from asyncio import Task, Task as Aliased, Future, SelectorEventLoop, new_event_loop, run
import asyncio

class Mine(Task):
    pass
"""


@pytest.fixture
def library():
    """A module that has taken names from asyncio before anything is installed."""
    module = types.ModuleType("a_library")
    sys.modules[module.__name__] = module
    exec(LIBRARY, vars(module))
    yield module
    del sys.modules[module.__name__]


CONSTRUCTORS = {
    "asyncio.Task": lambda library: asyncio.Task,
    "asyncio.tasks.Task": lambda library: asyncio.tasks.Task,
    "a name that was taken before": lambda library: library.Task,
    "a second name that was taken before": lambda library: library.Aliased,
}


async def sleep_in_trio():
    await trio.sleep(0.001)
    return "slept"


@pytest.mark.parametrize("given", ["nothing", "loop"])
@pytest.mark.parametrize("constructor", CONSTRUCTORS)
def test_a_task_that_is_constructed_may_await_trio(library, constructor, given):
    """Whichever name of the class a library has, it makes our Task on our loop."""

    async def main():
        options = {"loop": asyncio.get_running_loop()} if given == "loop" else {}
        task = CONSTRUCTORS[constructor](library)(sleep_in_trio(), **options)
        return type(task), await task

    with trioasync.install():
        assert asyncio.run(main()) == (trioasync.Task, "slept")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio's Task takes eager_start since 3.12")
@pytest.mark.parametrize("constructor", CONSTRUCTORS)
def test_a_task_that_is_constructed_eagerly_may_await_trio(library, constructor):
    """eager_start=True: the first step is made at once, up to the trio call, in a Task and in a callback."""

    async def main():
        loop, said = asyncio.get_running_loop(), []

        async def child():
            said.append("begun")
            return await sleep_in_trio()

        def start():
            task = CONSTRUCTORS[constructor](library)(child(), loop=loop, eager_start=True)
            said.append("constructed")
            return task

        in_a_task, in_a_callback = start(), loop.create_future()
        loop.call_soon(lambda: in_a_callback.set_result(start()))
        results = [await in_a_task, await (await in_a_callback)]
        return said, results

    with trioasync.install():
        assert asyncio.run(main()) == (["begun", "constructed"] * 2, ["slept"] * 2)


def test_a_future_that_is_constructed_may_be_awaited_beside_trio(library, installed):
    """`asyncio.Future()` and a name taken before: from a Task that awaits trio as well."""

    async def main():
        futures = [asyncio.Future(), library.Future(), asyncio.futures.Future(loop=asyncio.get_running_loop())]
        async with trio.open_nursery() as nursery:
            for future in futures:
                nursery.start_soon(set_result_in_trio, future)
            return [await future for future in futures]

    async def set_result_in_trio(future):
        await trio.sleep(0.001)
        future.set_result("set")

    assert asyncio.run(main()) == ["set"] * 3


def test_what_modules_have_taken_before_is_put_back(library):
    """uninstall() gives every module the very objects that it had."""
    before = dict(vars(library))
    with trioasync.install():
        hosted = {name for name in before if vars(library)[name] is not before[name]}
    assert hosted == {"Task", "Aliased", "SelectorEventLoop", "new_event_loop", "run"}
    assert vars(library) == before


def test_what_modules_have_taken_before_gives_hosted_loops(library, installed):
    """`from asyncio import run` before the switch, and the others."""
    with contextlib.closing(library.new_event_loop()) as loop, contextlib.closing(library.SelectorEventLoop()) as other:
        assert {type(loop), type(other)} == {trioasync.EventLoop}
    assert library.run(kind_of_loop()) is trioasync.EventLoop


def test_trioasync_keeps_asyncios_own_names(installed):
    """Its modules stand for asyncio's as they are."""
    assert trioasync.selector_events.BaseSelectorEventLoop is asyncio.selector_events.BaseSelectorEventLoop
    assert issubclass(trioasync.EventLoop, Stock.SelectorEventLoop)
    assert issubclass(trioasync.Task, Stock.Task)
    assert asyncio.Task is not trioasync.Task


def test_a_subclass_from_before_is_refused_by_trio_and_harms_nobody(library, installed):
    """A Task whose class derives from asyncio's own cannot await trio: it is an error in it, and the loop goes on."""

    async def main():
        opened = trio.Event()
        stranger = library.Mine(opened.wait())
        with pytest.raises(RuntimeError, match="must be called from async context"):
            await stranger
        opened.set()
        return await sleep_in_trio()

    assert asyncio.run(main()) == "slept"


# Libraries that insist on another loop


class OtherLoop(Stock.SelectorEventLoop):
    """A loop of another kind, as uvloop's is."""


if sys.version_info < (3, 16):

    class OtherPolicy:
        """What uvloop's policy is: asyncio's, with loops of its own; made anew for each test."""

        def __new__(cls):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                default = asyncio.DefaultEventLoopPolicy
            made = type("OtherPolicy", (default,), {"_loop_factory": OtherLoop, "mine": "kept", "__module__": "other"})
            return made()


has_policies = pytest.mark.skipif(sys.version_info >= (3, 16), reason="policies are gone")


def told(action):
    """Return what `action` gives, and the sentences that are told to the caller."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    assert {warning.filename for warning in caught} <= {__file__}
    return result, [str(warning.message) for warning in caught if warning.category is RuntimeWarning]


TOLD_OF_A_POLICY = (
    "loops come from trio and not from other.OtherPolicy while trioasync is installed; call trioasync.uninstall() "
    "first to run on tests.test_install.OtherLoop"
)
TOLD_OF_A_FACTORY = (
    "loop_factory has made a tests.test_install.OtherLoop, on which trio cannot be awaited although trioasync is "
    "installed; leave loop_factory out, or give asyncio.new_event_loop, to run on trio"
)


@has_policies
def test_a_policy_with_other_loops_is_told_that_they_are_trios():
    """One sentence, where it is set; it is the policy then in all but its loops, until uninstall()."""
    other, before = OtherPolicy(), policy()
    with trioasync.install():
        _, sentences = told(lambda: asyncio.set_event_loop_policy(other))
        assert sentences == [TOLD_OF_A_POLICY]
        assert isinstance(policy(), type(other))
        assert policy().mine == "kept"
        with contextlib.closing(policy().new_event_loop()) as loop:
            assert type(loop) is trioasync.EventLoop
        assert asyncio.run(kind_of_loop()) is trioasync.EventLoop
    assert policy() is before
    with contextlib.closing(other.new_event_loop()) as loop:
        assert type(loop) is OtherLoop


@BEFORE_3_14
@pytest.mark.filterwarnings("ignore:There is no current event loop", "ignore:loops come from trio")
def test_get_event_loop_of_a_policy_with_other_loops_gives_a_hosted_one(installed):
    """The policy asks itself for a loop, and makes it the current one as it likes."""
    set_policy(OtherPolicy())
    with contextlib.closing(asyncio.get_event_loop()) as loop:
        assert type(loop) is trioasync.EventLoop
        assert asyncio.get_event_loop() is loop
    asyncio.set_event_loop(None)


@has_policies
def test_a_policy_of_asyncios_kind_from_before_is_hosted_without_a_word():
    """A subclass of asyncio's policy that has no loops of its own, as tornado's, means the loop that asyncio has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        mine = type("Mine", (asyncio.DefaultEventLoopPolicy,), {})()
    with trioasync.install():
        _, sentences = told(lambda: asyncio.set_event_loop_policy(mine))
        assert sentences == []
        with contextlib.closing(policy().new_event_loop()) as loop:
            assert type(loop) is trioasync.EventLoop


@has_policies
@pytest.mark.parametrize("wrong", [42, "x", object])
def test_what_is_no_policy_is_asyncios_own_error(wrong):
    """Type and text."""
    stock = outcome_of(set_policy, wrong)
    with trioasync.install():
        assert outcome_of(set_policy, wrong) == stock


@has_policies
def test_a_policy_that_makes_no_loops_is_set_as_it_is(installed):
    """Its own error comes when it is asked for one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        abstract = asyncio.AbstractEventLoopPolicy()
    set_policy(abstract)
    assert policy() is abstract


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio.run takes loop_factory since 3.12")
def test_run_tells_of_a_factory_whose_loops_have_no_trio(installed):
    """The loop is the factory's all the same."""
    assert told(lambda: asyncio.run(kind_of_loop(), loop_factory=OtherLoop)) == (OtherLoop, [TOLD_OF_A_FACTORY])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio has Runner since 3.11")
def test_runner_tells_of_a_factory_whose_loops_have_no_trio(installed):
    """Once, where the loop is made."""

    def run_twice():
        with asyncio.Runner(loop_factory=OtherLoop) as runner:
            return [runner.run(kind_of_loop()), runner.run(kind_of_loop())]

    assert told(run_twice) == ([OtherLoop] * 2, [TOLD_OF_A_FACTORY])


@pytest.mark.parametrize(
    "factory", [trioasync.EventLoop, trioasync.new_event_loop], ids=["EventLoop", "new_event_loop"]
)
def test_a_factory_of_hosted_loops_is_told_nothing(installed, factory):
    """With a name of asyncio's or of ours."""
    given = {"loop_factory": factory} if sys.version_info >= (3, 12) else {}
    assert told(lambda: asyncio.run(kind_of_loop(), **given)) == (trioasync.EventLoop, [])


def test_without_install_nobody_is_told(recwarn):
    """Who gives trioasync.run a factory knows what it makes."""
    assert trioasync.run(kind_of_loop(), loop_factory=OtherLoop) is OtherLoop
    assert [str(warning.message) for warning in recwarn] == []


UVLOOP = """
import asyncio, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import trioasync, uvloop

async def kind():
    return type(asyncio.get_running_loop()).__module__

with trioasync.install():
    uvloop.install()
    print(asyncio.run(kind()))
    print(uvloop.run(kind()))
uvloop.install()
print(uvloop.run(kind()))
"""


def test_uvloop_is_told_as_it_comes():
    """Its policy is told, and asyncio.run is hosted all the same; uvloop.run() runs uvloop, and tells what it lacks."""
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    done = subprocess.run([sys.executable, "-c", UVLOOP], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["trioasync.loop", "uvloop", "uvloop"]
    sentences = [line.partition("RuntimeWarning: ")[2] for line in done.stderr.splitlines() if "RuntimeWarning" in line]
    assert sentences[0].startswith("loops come from trio and not from uvloop.")
    through_asyncio = sys.version_info >= (3, 11)
    assert [each.partition(",")[0] for each in sentences[1:]] == [
        "loop_factory has made a uvloop.Loop"
    ] * through_asyncio


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


def test_importing_trioasync_asks_for_no_policy():
    """Nothing of policies or child watchers is made or looked at, which they would warn of."""
    code = """
import asyncio, asyncio.events, sys

def policy():
    return vars(asyncio.events).get("_event_loop_policy")

assert policy() is None
import trioasync
print(policy(), sorted(name for name in vars(trioasync) if "watcher" in name.lower() or "policy" in name.lower()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    names = sorted(name for name in asyncio.__all__ if "watcher" in name.lower() or "policy" in name.lower())
    assert done.stdout == f"None {names}\n"
