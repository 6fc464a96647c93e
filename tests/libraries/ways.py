"""The ways in which a program that uses a library is run, and what it may call on each.

    aiohttp = needs("aiohttp")

    @every_way()
    async def test_a_response_arrives_whole(way, fixture):
        ...
        await way.pause()

The body runs three times, as three tests:

* `asyncio`: `asyncio.run` of the running Python, the measure of what the library does;
* `trioasync`: `trioasync.run`, the body is the main Task;
* `trio`: `trio.run`, the body is a plain trio task beside an open loop.

`way.pause`, `way.through`, `way.together`, `way.crew` and `way.cut_off` are calls of asyncio's on the first way and
calls of trio's on the others: a body and the handlers in it use them wherever they would wait.

`every_way(install=True)` puts `trioasync.install()` around the two ways of ours, for libraries that make loops or Tasks
of their own. `@whole_program` is for a plain function that has the library make its loop: it runs on asyncio, then with
trioasync installed.

A program that takes longer than `limit` seconds fails, after all tasks have been printed with where they wait.
"""

import asyncio
import contextlib
import functools
import importlib
import inspect
import shutil
import signal
import sys
import warnings

import pytest
import trio

import trioasync
from tests.support.observation import time_limit

LIMIT = 30  # seconds of real time after which a program counts as hanging


def needs(module, package=None):
    """Import and return a library, or skip the test module; `package` is what pip calls it, if it differs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library does while it is imported is not ours
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as missing:
            named = f"the package {package or module.partition('.')[0]} is not installed ({missing})"
            pytest.skip(named, allow_module_level=True)


def needs_program(name, package, folders=""):
    """Return the path of a server's program, or skip; `package` is Debian's, `folders` are searched after the PATH."""
    path = shutil.which(name) or shutil.which(name, path=folders)
    if path is None:
        pytest.skip(f"the program {name} is missing: Debian has it in its package {package}")
    return path


class OnAsyncio:
    """Stock asyncio, and asyncio's own calls."""

    name = "asyncio"
    hosted = False  # whether trio may be called

    def __init__(self, install=False):
        pass

    def run(self, main):
        """Run `await main()` and return its result."""
        return asyncio.run(main())

    def installed(self):
        """Return the context in which the library makes its own loops."""
        return contextlib.nullcontext()

    async def pause(self, seconds=0.001):
        """Wait for some seconds."""
        await asyncio.sleep(seconds)

    async def through(self, value):
        """Return `value`, once it has gone from one task to another."""
        queue = asyncio.Queue()
        sender = asyncio.ensure_future(queue.put(value))
        received = await queue.get()
        await sender
        return received

    async def together(self, *functions):
        """Call async functions at the same time and return their results in this order."""
        return await asyncio.gather(*(function() for function in functions))

    @contextlib.asynccontextmanager
    async def crew(self):
        """Give a function that starts async functions; the block waits for them at its end."""
        tasks = []
        yield lambda function, *args: tasks.append(asyncio.ensure_future(function(*args)))
        await asyncio.gather(*tasks)

    async def cut_off(self, seconds, function, *args):
        """Call an async function, and return whether it had to be given up after so many seconds."""
        try:
            await asyncio.wait_for(function(*args), seconds)
        except asyncio.TimeoutError:
            return True
        return False


class OnTrioasync:
    """`trioasync.run`, and trio's own calls."""

    name = "trioasync"
    hosted = True

    def __init__(self, install=False):
        self._install = install

    def run(self, main):
        """Run `await main()` and return its result."""
        if not self._install:
            return trioasync.run(main())
        with self.installed():
            return asyncio.run(main())

    def installed(self):
        """Return the context in which the library makes its own loops."""
        return trioasync.install()

    async def pause(self, seconds=0.001):
        """Wait for some seconds."""
        await trio.sleep(seconds)

    async def through(self, value):
        """Return `value`, once it has gone from one task to another."""
        sender, receiver = trio.open_memory_channel(0)
        async with trio.open_nursery() as nursery, sender, receiver:
            nursery.start_soon(sender.send, value)
            return await receiver.receive()

    async def together(self, *functions):
        """Call async functions at the same time and return their results in this order."""
        results = [None] * len(functions)

        async def call(place, function):
            results[place] = await function()

        async with trio.open_nursery() as nursery:
            for place, function in enumerate(functions):
                nursery.start_soon(call, place, function)
        return results

    @contextlib.asynccontextmanager
    async def crew(self):
        """Give a function that starts async functions; the block waits for them at its end."""
        async with trio.open_nursery() as nursery:
            yield nursery.start_soon

    async def cut_off(self, seconds, function, *args):
        """Call an async function, and return whether it had to be given up after so many seconds."""
        with trio.move_on_after(seconds) as scope:
            await function(*args)
        return scope.cancelled_caught


class InTrio(OnTrioasync):
    """A trio program that has opened a loop: `main` is a plain trio task."""

    name = "trio"

    def run(self, main):
        """Run `await main()` and return its result."""

        async def program():
            async with trioasync.open_loop():
                return await main()

        with self.installed() if self._install else contextlib.nullcontext():
            return trio.run(program)


WAYS = [OnAsyncio, OnTrioasync, InTrio]


def every_way(*, install=False, limit=LIMIT, also=()):
    """Make an async body a test that runs on every way; its first parameter is the way, the others are pytest's.

    `also` are ways of the test module's own, classes like those above.
    """

    def decorate(body):
        @functools.wraps(body)
        def test(kind_of_way, **fixtures):
            way = kind_of_way(install)
            with tasks_shown_after(limit):
                way.run(functools.partial(body, way, **fixtures))

        return _with_ways(test, body, [*WAYS, *also])

    return decorate


def whole_program(body=None, *, limit=LIMIT):
    """Make a plain function a test that runs on stock asyncio, then with trioasync installed."""
    if body is None:
        return functools.partial(whole_program, limit=limit)

    @functools.wraps(body)
    def test(kind_of_way, **fixtures):
        way = kind_of_way(True)
        with tasks_shown_after(limit), way.installed():
            body(way, **fixtures)

    return _with_ways(test, body, [OnAsyncio, OnTrioasync])


def _with_ways(test, body, ways):
    _, *others = inspect.signature(body).parameters.values()
    mine = inspect.Parameter("kind_of_way", inspect.Parameter.KEYWORD_ONLY)
    test.__signature__ = inspect.Signature([*others, mine])
    return pytest.mark.parametrize("kind_of_way", ways, ids=lambda way: way.name)(test)


@contextlib.contextmanager
def tasks_shown_after(seconds):
    """Raise TookTooLong in the block after so many seconds, and print before where its tasks wait."""
    with time_limit(seconds):
        ring = signal.getsignal(signal.SIGALRM)

        def show_and_ring(signum, frame):
            _print_tasks()
            ring(signum, frame)

        signal.signal(signal.SIGALRM, show_and_ring)
        yield


def _print_tasks():
    loop = asyncio._get_running_loop()
    for task in () if loop is None else asyncio.all_tasks(loop):
        task.print_stack(file=sys.stderr)
    if trio.lowlevel.in_trio_run():
        trioasync.print_task_tree(file=sys.stderr)
