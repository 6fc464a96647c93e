"""docs/testing.md says what is true: its examples run, and its settings bring suites for other tools onto trio."""

import importlib.metadata
import sys

import pytest

from tests.support.suites import Suite

pytest_plugins = ["pytester"]

try:
    PYTEST_ASYNCIO = tuple(map(int, importlib.metadata.version("pytest-asyncio").split(".")[:2]))
except importlib.metadata.PackageNotFoundError:
    PYTEST_ASYNCIO = None

with_pytest_asyncio = pytest.mark.skipif(PYTEST_ASYNCIO is None, reason="pytest-asyncio is not installed")
FOR_ASYNCIO = "asyncio_default_fixture_loop_scope = function"

# Plain asyncio, as its users write it, and then what shows where it runs.
SUITE = """
    import asyncio
    import contextvars

    import pytest
    import pytest_asyncio

    pytestmark = pytest.mark.asyncio
    variable = contextvars.ContextVar("variable")

    @pytest_asyncio.fixture
    async def echo():
        queue, answers = asyncio.Queue(), asyncio.Queue()

        async def serve():
            while True:
                await answers.put(await queue.get())

        task = asyncio.create_task(serve())
        variable.set("set in a fixture")
        yield lambda message: queue.put_nowait(message) or answers.get()
        task.cancel()
        await asyncio.wait([task])

    async def test_fixture(echo):
        assert await echo("hello") == "hello"
        assert variable.get() == "set in a fixture"

    async def test_leaves_a_task():
        asyncio.create_task(asyncio.sleep(60))

    @pytest.mark.asyncio(loop_scope="class")
    class TestSharedLoop:
        async def test_begins(self):
            type(self).task = asyncio.create_task(asyncio.sleep(0.01, "from the test before"))

        async def test_goes_on(self):
            assert await type(self).task == "from the test before"

    async def test_on_trio():
        import trio
        import trioasync

        assert isinstance(asyncio.get_running_loop(), trioasync.EventLoop)
        assert isinstance(asyncio.current_task(), trioasync.Task)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(asyncio.sleep, 0)
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    return Suite(pytester, monkeypatch)


# Examples


@pytest.mark.parametrize(
    ("title", "using", "tests"),
    [("for pytest-trio", ["trio"], 1), ("with the marker", [], 2), ("virtual time", [], 1)],
)
def test_the_examples_pass(suite, title, using, tests):
    """As they stand in the document."""
    suite.write_example(title)
    suite.passes(tests=tests, using=using)


# Suites for pytest-asyncio


@with_pytest_asyncio
def test_a_suite_for_pytest_asyncio_runs_on_trio(suite):
    """By the hook of pytest-asyncio 1.4: fixtures, their context, shared loops and what tests leave behind included."""
    if PYTEST_ASYNCIO < (1, 4):
        pytest.skip("this pytest-asyncio has no hook for loop factories")
    suite.write_example("for pytest-asyncio 1.4 and newer")
    suite.write("test_it.py", SUITE)
    suite.passes(tests=5, using=["asyncio"], settings=FOR_ASYNCIO)


@with_pytest_asyncio
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has deprecated event loop policies")
def test_a_suite_for_older_versions_of_pytest_asyncio_runs_on_trio(suite):
    """By the fixture event_loop_policy, of which newer versions warn."""
    suite.write_example("for pytest-asyncio 0.23 to 1.3")
    suite.write("test_it.py", SUITE)
    ignored = "ignore:Overriding the .event_loop_policy. fixture::"
    suite.passes(tests=5, using=["asyncio"], settings=f"    {ignored}\n{FOR_ASYNCIO}")


@with_pytest_asyncio
def test_a_suite_runs_on_both_loops(suite):
    """With two factories each test runs twice."""
    if PYTEST_ASYNCIO < (1, 4):
        pytest.skip("this pytest-asyncio has no hook for loop factories")
    suite.write(
        "conftest.py",
        """
        import asyncio
        import trioasync

        def pytest_asyncio_loop_factories(config, item):
            return {"asyncio": asyncio.new_event_loop, "trioasync": trioasync.new_event_loop}
        """,
    )
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest

        @pytest.mark.asyncio
        async def test_it(request):
            where = type(asyncio.get_running_loop()).__module__.split(".")[0]
            assert f"[{where}]" in request.node.name
        """,
    )
    suite.passes(tests=2, using=["asyncio"], settings=FOR_ASYNCIO)


@with_pytest_asyncio
def test_a_suite_runs_on_trio_with_no_line_changed(suite):
    """`trioasync run -m pytest`."""
    suite.write("test_it.py", SUITE)
    through = ["-m", "trioasync", "run", "-m", "pytest"]
    suite.passes(tests=5, using=["asyncio"], settings=FOR_ASYNCIO, through=through)


@with_pytest_asyncio
def test_both_plugins_live_side_by_side(suite):
    """pytest-asyncio in its strict mode, pytest-trio and ours: each runs what is marked for it."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio

        @pytest.mark.trio
        async def test_trio(trioasync_loop):
            assert asyncio.get_running_loop() is trioasync_loop
            await trio.sleep(0)

        @pytest.mark.asyncio
        async def test_asyncio():
            assert type(asyncio.get_running_loop()).__module__.startswith("asyncio.")

        @pytest.mark.trioasync
        async def test_marked(trioasync_loop):
            assert asyncio.get_running_loop() is trioasync_loop
        """,
    )
    suite.passes(tests=3, using=["trio", "asyncio"], settings=FOR_ASYNCIO)


# Suites for anyio


def test_a_suite_for_anyio_runs_on_trio(suite):
    """By its asyncio backend with our loop factory: a fixture that lives in a task group is shared by two tests."""
    pytest.importorskip("anyio", reason="anyio is not installed")
    suite.write_example("for anyio")
    suite.write(
        "test_it.py",
        """
        import asyncio

        import anyio
        import pytest
        import sniffio
        import trioasync

        pytestmark = pytest.mark.anyio

        @pytest.fixture(scope="module")
        async def numbers(anyio_backend):
            send, receive = anyio.create_memory_object_stream(0)

            async def serve():
                async with send:
                    for number in range(100):
                        await send.send(number)

            async with anyio.create_task_group() as group, receive:
                group.start_soon(serve)
                yield receive
                group.cancel_scope.cancel()

        async def test_first(numbers):
            assert await numbers.receive() == 0

        async def test_second(numbers, anyio_backend_name):
            assert await numbers.receive() == 1
            with anyio.move_on_after(0.01) as scope:
                await anyio.sleep(60)
            assert scope.cancelled_caught
            if anyio_backend_name == "asyncio":
                assert isinstance(asyncio.get_running_loop(), trioasync.EventLoop)

        async def test_threads():
            assert await anyio.to_thread.run_sync(anyio.from_thread.run, anyio.sleep, 0) is None
        """,
    )
    suite.passes(tests=6, using=["anyio"])


# unittest


@pytest.mark.parametrize("way", ["from Python 3.13 on", "on every Python"])
@pytest.mark.parametrize("through", ["pytest", "unittest"])
def test_cases_of_unittest_run_on_trio(suite, pytester, way, through):
    """By the attribute loop_factory, or while trioasync is installed."""
    if way == "from Python 3.13 on" and sys.version_info < (3, 13):
        pytest.skip("this unittest has no loop_factory")
    suite.write_example(f"for unittest {way}")
    if through == "pytest":
        suite.passes("test_case.py", tests=1, using=[])
    else:
        result = pytester.run(sys.executable, "-Werror", "-m", "unittest", "test_case", timeout=60)
        assert result.ret == 0
        result.stderr.fnmatch_lines(["Ran 1 test in *", "OK"])
