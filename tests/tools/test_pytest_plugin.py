"""The pytest plugin: its fixture, in tests that pytest-trio runs, and its cost. Each test runs suites in processes."""

import pytest

from tests.support.suites import Suite

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester, monkeypatch):
    return Suite(pytester, monkeypatch)


# The fixture, in tests that pytest-trio runs


def test_a_test_with_the_fixture_awaits_both_worlds(suite):
    """It is a trio task and a Task to asyncio, and so are the tasks of its nurseries."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import trio
        import trioasync

        async def test_futures_and_tasks(trioasync_loop):
            assert type(trioasync_loop) is trioasync.EventLoop
            assert asyncio.get_running_loop() is trioasync_loop
            future = trioasync_loop.create_future()
            trioasync_loop.call_soon(future.set_result, 1)
            assert await asyncio.gather(future, asyncio.sleep(0, 2)) == [1, 2]
            assert await trioasync_loop.create_task(trio.sleep(0)) is None

        async def test_cancellation(trioasync_loop, autojump_clock):
            with trio.move_on_after(5) as scope:
                await asyncio.sleep(10)
            assert scope.cancelled_caught
            try:
                async with trioasync.timeout(5):
                    await trio.sleep(10)
            except asyncio.TimeoutError:
                pass
            assert trioasync_loop.time() == trio.current_time() == 10
            trioasync_loop.call_later(1, asyncio.current_task().cancel, "message")
            try:
                await trio.sleep(10)
            except asyncio.CancelledError as error:
                assert error.args == ("message",)
            assert trio.current_time() == 11

        async def test_tasks_of_a_nursery(trioasync_loop, nursery):
            queue = asyncio.Queue()

            async def child():
                await queue.put(await asyncio.sleep(0, asyncio.current_task()))

            nursery.start_soon(child)
            assert (await queue.get()).get_name().endswith("child")
        """,
    )
    suite.passes(tests=3, settings="trio_mode = true")


def test_fixtures_await_both_worlds_in_any_order(suite):
    """The loop is open from the first async fixture to the last, for those as well that do not ask for it."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio

        log = []

        @pytest.fixture
        async def before():
            log.append(await asyncio.sleep(0, "before is up"))
            yield 1
            await asyncio.sleep(0)
            log.append("before is down")

        @pytest.fixture
        async def server(before, trioasync_loop):
            task = trioasync_loop.create_task(trio.sleep_forever())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asyncio.sleep, 60)
                log.append(await asyncio.sleep(0, "server is up"))
                yield task
                nursery.cancel_scope.cancel()
            task.cancel()
            await asyncio.wait([task])
            log.append("server is down")

        @pytest.mark.trio
        async def test_it(server):
            assert not server.done()
            log.append(await asyncio.sleep(0, "test"))

        def test_order():
            assert log == ["before is up", "server is up", "test", "server is down", "before is down"]
        """,
    )
    suite.passes(tests=2)


def test_each_test_has_a_loop_of_its_own(suite):
    """What it leaves running is cancelled; tests that do not take the fixture have none."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio

        seen = []

        @pytest.mark.trio
        @pytest.mark.usefixtures("trioasync_loop")
        @pytest.mark.parametrize("number", [0, 1])
        async def test_leaves(number):
            seen.append((asyncio.get_running_loop(), asyncio.create_task(asyncio.sleep(60))))

        @pytest.mark.trio
        async def test_without():
            await trio.sleep(0)
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()

        def test_after():
            (one, first), (two, second) = seen
            assert one is not two
            assert one.is_closed() and two.is_closed()
            assert first.cancelled() and second.cancelled()
        """,
    )
    suite.passes(tests=4)


def test_a_fixture_that_crashes_ends_the_test_wherever_it_waits(suite):
    """pytest-trio cancels the test by a trio scope; asyncio code in it cleans up and its own error is what is told."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio

        log = []

        async def crash():
            await asyncio.sleep(0)
            raise ValueError("of the service")

        @pytest.fixture
        async def service():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(crash)
                yield

        @pytest.mark.trio
        async def test_waits(service, trioasync_loop):
            try:
                await asyncio.gather(asyncio.sleep(60), asyncio.Event().wait())
            finally:
                log.append(await asyncio.shield(asyncio.sleep(0, "cleaned up")))

        def test_after():
            assert log == ["cleaned up"]
        """,
    )
    result = suite.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_waits - *ValueError*of the service*"])


def test_verdicts_are_those_of_pytest_trio(suite):
    """A failure, a skip and an expected failure are reported with the fixture as without: no frame of ours."""
    test = """
        import asyncio
        import pytest
        import trio

        @pytest.fixture
        def trio_alone():
            pass

        @pytest.mark.trio
        async def test_fails({fixture}):
            await trio.sleep(0)
            assert 1 == 2

        @pytest.mark.trio
        async def test_skips({fixture}):
            await trio.sleep(0)
            pytest.skip("the reason")

        @pytest.mark.trio
        async def test_xfails({fixture}):
            await trio.sleep(0)
            pytest.xfail("the reason")
    """
    shown = []
    for fixture in ("trio_alone", "trioasync_loop"):
        suite.write("test_it.py", test.format(fixture=fixture))
        result = suite.run()
        result.assert_outcomes(failed=1, skipped=1, xfailed=1)
        shown.append([line for line in result.outlines if "seconds" not in line and not line.startswith("=")])
    assert shown[0] == shown[1]


def test_a_run_of_the_users_own_is_still_what_runs_the_test(suite):
    """That which the mark names, and that which pytest-trio's settings name."""
    suite.write(
        "qtrio.py",
        "import trio\nused = []\ndef run(*args, **options):\n    used.append(1)\n    return trio.run(*args, **options)",
    )
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        import qtrio

        def run(function, **options):
            options["instruments"] = [trio.abc.Instrument(), *options["instruments"]]
            return trio.run(function, **options) or used.append(function)

        used = []

        @pytest.mark.trio(run=run)
        async def test_mark(trioasync_loop):
            await asyncio.sleep(0)

        async def test_setting(trioasync_loop):
            await asyncio.sleep(0)

        def test_after():
            assert len(used) == len(qtrio.used) == 1
        """,
    )
    suite.passes(tests=3, settings="trio_mode = true\ntrio_run = qtrio")


@pytest.mark.parametrize("using", [[], ["trio"]], ids=["alone", "with pytest-trio"])
def test_where_no_loop_can_be_the_fixture_says_what_to_do(suite, using):
    """In tests that are not async, that nobody runs, and that other plugins run; those after them are not disturbed."""
    suite.write(
        "test_it.py",
        f"""
        import pytest

        def test_not_async(trioasync_loop):
            raise AssertionError("has run")

        @pytest.mark.asyncio
        async def test_of_another_plugin(trioasync_loop):
            raise AssertionError("has run")

        @pytest.mark.{"unmarked" if using else "trio"}
        async def test_of_no_plugin(trioasync_loop):
            raise AssertionError("has run")

        def test_after():
            pass
        """,
    )
    result = suite.run("-Wignore::pytest.PytestUnknownMarkWarning", using=using)
    result.assert_outcomes(errors=3, passed=1)
    said = [line for line in result.outlines if line.startswith("The fixture trioasync_loop is for async tests")]
    assert len(said) == 3
    assert "pytest-trio" in said[0]
    assert "@pytest.mark.trioasync" in said[0]
    result.stdout.no_fnmatch_line("*has run*")


def test_with_hypothesis_the_fixture_sends_to_the_marker(suite):
    """pytest-trio runs each example with trio.run, whatever it is told."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from hypothesis import HealthCheck, given, settings, strategies

        @pytest.mark.trio
        @given(number=strategies.integers())
        @settings(suppress_health_check=list(HealthCheck), max_examples=1)
        async def test_it(trioasync_loop, number):
            raise AssertionError("has run")
        """,
    )
    # Python 3.15 warns of how Hypothesis makes its report of a failure.
    result = suite.run("-Wignore::DeprecationWarning", using=["trio", "hypothesispytest"])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*with Hypothesis it is for the latter alone*"])


# What the plugin costs


def test_a_run_that_uses_nothing_of_it_imports_nothing(suite):
    """It imports what the run without the plugin does, and the plugin's one module."""
    suite.write(
        "conftest.py",
        """
        import sys

        def pytest_unconfigure():
            print("imported:", *sys.modules)
        """,
    )
    suite.write("test_it.py", "import pytest\n\n@pytest.fixture\ndef fixture(): pass\n\ndef test_it(fixture): pass")
    imported = []
    for options in (["-p", "no:trioasync"], []):
        result = suite.run("-s", *options, using=[], through=["-m", "pytest"])
        result.assert_outcomes(passed=1)
        (line,) = [line for line in result.outlines if line.startswith("imported: ")]
        imported.append(set(line.split()[1:]))
    without, with_plugin = imported
    assert with_plugin - without == {"_trioasync_pytest"}


def test_pytest_lists_what_there_is(suite):
    """The fixture with `--fixtures`, the marker with `--markers`."""
    result = suite.run("--fixtures", using=[])
    result.stdout.fnmatch_lines(["trioasync_loop -- *", "    The event loop of an async test*"])
    result = suite.run("--markers", using=[])
    result.stdout.fnmatch_lines(["@pytest.mark.trioasync: run the async test *"])
