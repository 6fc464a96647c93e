"""The pytest plugin: the fixture `trioasync_loop` and the marker `trioasync`, which docs/testing.md describes.

pytest imports the plugins of everything that is installed at the start of each run. So this module stands beside the
package and not in it, and imports asyncio, trio and trioasync when a test asks for them: a run that uses nothing of it
pays next to nothing, and a coverage plugin that begins to measure after that start sees the package being imported.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import TracebackType

    from trioasync import EventLoop

# The async function of a test that this plugin runs. It is noted before the test begins: plugins that take every async
# test for theirs put functions of their own in its place.
TEST = pytest.StashKey[Callable[..., Any]]()

NO_LOOP = (
    "The fixture trioasync_loop is for async tests that pytest-trio runs (@pytest.mark.trio, or trio_mode = true), and "
    "for those marked @pytest.mark.trioasync, which need no other plugin; with Hypothesis it is for the latter alone. "
    "docs/testing.md of trioasync says how tests that pytest-asyncio or anyio run get a loop hosted by trio."
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "trioasync: run the async test and its async fixtures in the main Task of trioasync.run()"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take a test that is marked trioasync, or open a loop around one of pytest-trio's that asks for it."""
    if not isinstance(item, pytest.Function):
        return
    mark = item.get_closest_marker("trioasync")
    if mark is not None:
        if mark.args or mark.kwargs:
            pytest.fail("the marker trioasync takes no arguments; a fixture gives a test its clock", pytrace=False)
        function = getattr(*_place_of_function(item))
        if inspect.iscoroutinefunction(function):
            item.stash[TEST] = function
    elif "trioasync_loop" in item.fixturenames and _is_pytest_trios(item):
        # How to say to pytest-trio what to run a test with; of several marks the first counts.
        item.add_marker(pytest.mark.trio(run=partial(_run_with_open_loop, _trio_run_of(item))), append=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Put the async fixtures of a test that we run off until its run, and those that depend on them."""
    function = _in_place_of(fixturedef, request)
    if function is None:
        return (yield)
    replaced = fixturedef.func
    fixturedef.func = function  # type: ignore[misc]  # the way that is known to other plugins
    try:
        return (yield)
    finally:
        fixturedef.func = replaced  # type: ignore[misc]


def _in_place_of(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Callable[..., Any] | None:
    """Return what pytest must call in place of a fixture's function, if anything."""
    if request.scope != "function":
        return None
    if TEST not in request.node.stash:
        return _refuse if fixturedef.func is _running_loop and not _is_pytest_trios(request.node) else None
    arguments = [request.getfixturevalue(name) for name in fixturedef.argnames]
    if not _is_async(fixturedef.func) and not any(isinstance(argument, Deferred) for argument in arguments):
        return None
    return partial(Deferred, _bound(fixturedef.func, request.instance))


def _refuse() -> None:
    pytest.fail(NO_LOOP, pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have the caller of the test function, pytest or Hypothesis, call what runs it."""
    if TEST not in pyfuncitem.stash:
        return (yield)
    place = _place_of_function(pyfuncitem)
    replaced = getattr(*place)
    setattr(*place, _in_a_run(pyfuncitem))
    try:
        return (yield)
    finally:
        setattr(*place, replaced)


def _place_of_function(item: pytest.Function) -> tuple[Any, str]:
    """Return where the function is that pytest calls, or that Hypothesis calls for each of its examples."""
    hypothesis = getattr(item.obj, "hypothesis", None)
    return (item, "obj") if hypothesis is None else (hypothesis, "inner_test")


# -- the loop


async def _running_loop() -> EventLoop:
    """The event loop of an async test; the test and its fixtures may await asyncio's things and trio's."""
    import asyncio

    try:
        return asyncio.get_running_loop()  # type: ignore[return-value]  # ours, in the tests that get so far
    except RuntimeError:
        pytest.fail(NO_LOOP, pytrace=False)


trioasync_loop = pytest.fixture(_running_loop, name="trioasync_loop")


def _is_pytest_trios(item: Any) -> bool:
    return item.get_closest_marker("trio") is not None and item.config.pluginmanager.hasplugin("trio")


def _trio_run_of(item: pytest.Function) -> Callable[..., Any]:
    """Return what pytest-trio would run the test with."""
    runs = (mark.kwargs.get("run") for mark in item.iter_markers("trio"))
    pytest_trio: Any = item.config.pluginmanager.get_plugin("trio")
    return next(filter(None, runs), None) or pytest_trio.choose_run(item.config)  # type: ignore[no-any-return]


def _run_with_open_loop(run: Callable[..., Any], test: Callable[[], Any], **options: Any) -> Any:
    __tracebackhide__ = True
    return run(partial(_open_loop_around, test), **options)


async def _open_loop_around(test: Callable[[], Any]) -> None:
    __tracebackhide__ = True
    from trioasync import open_loop

    async with open_loop():
        await test()


# -- the marker


def _in_a_run(item: pytest.Function) -> Callable[..., Any]:
    """Return the test as a function that is not async; Hypothesis takes no other callable."""

    @wraps(item.stash[TEST])
    def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return _run(item, args, kwargs)

    return run


def _run(item: pytest.Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a test with its fixtures; among those may be the run's clock, and instruments, as with pytest-trio."""
    __tracebackhide__ = True
    from trio.abc import Clock, Instrument

    import trioasync

    values = {id(value): value for value in item.funcargs.values()}.values()
    clocks = [value for value in values if isinstance(value, Clock)]
    if len(clocks) > 1:
        pytest.fail(f"a test runs on one clock, and this one has the fixtures {clocks}", pytrace=False)
    instruments = [value for value in values if isinstance(value, Instrument)]
    loop_factory = partial(trioasync.EventLoop, clock=clocks[0] if clocks else None, instruments=instruments)
    # With a factory the loop that asyncio holds for this thread stays as it is: other plugins keep theirs there.
    return trioasync.run(_set_up_and_run(item, args, kwargs), loop_factory=loop_factory)


async def _set_up_and_run(item: pytest.Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async with AsyncExitStack() as stack:
        fixtures = Fixtures(stack)
        for value in item.funcargs.values():
            await fixtures.value_of(value)
        return await item.stash[TEST](*args, **{name: await fixtures.value_of(value) for name, value in kwargs.items()})


class Deferred:
    """A fixture that is set up in the test's run: what a fixture or a test gets that depends on it."""

    def __init__(self, function: Callable[..., Any], /, **arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Fixtures:
    """The deferred fixtures of one run of a test, set up in the order of their dependence; `stack` ends them."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._values: dict[Deferred, Any] = {}

    async def value_of(self, argument: Any) -> Any:
        """Return what an argument stands for."""
        if not isinstance(argument, Deferred):
            return argument
        if argument not in self._values:
            arguments = {name: await self.value_of(value) for name, value in argument.arguments.items()}
            fixture = _as_context_manager(argument.function)(**arguments)
            self._values[argument] = await fixture.__aenter__()
            self._stack.push_async_exit(partial(_end, fixture))
        return self._values[argument]


async def _end(
    fixture: AbstractAsyncContextManager[Any],
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool | None:
    """Resume a fixture after its yield, as pytest does, whether or not the test has failed.

    A cancellation is raised in the fixture: it may be that of a scope, a nursery or a timeout around its yield.
    """
    from asyncio import CancelledError

    from trio import Cancelled

    if isinstance(error, (CancelledError, Cancelled)):
        return await fixture.__aexit__(kind, error, traceback)
    await fixture.__aexit__(None, None, None)
    return False


def _as_context_manager(function: Callable[..., Any]) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return a fixture function of any kind as one that makes async context managers."""
    if inspect.isasyncgenfunction(function):
        return asynccontextmanager(function)

    @asynccontextmanager
    async def manage(**arguments: Any) -> AsyncIterator[Any]:
        if inspect.isgeneratorfunction(function):
            with contextmanager(function)(**arguments) as value:
                yield value
        else:
            value = function(**arguments)
            yield await value if inspect.iscoroutinefunction(function) else value

    return manage


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _bound(function: Any, instance: object) -> Any:
    """Return a fixture function that is a method of the test's class as a method of the test's instance."""
    if inspect.ismethod(function) and isinstance(instance, type(function.__self__)):
        return function.__func__.__get__(instance)
    return function
