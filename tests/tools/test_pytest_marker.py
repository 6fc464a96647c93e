"""The pytest plugin: tests with its marker. Each test here runs suites in processes."""

import pytest

from tests.support.suites import Suite

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester, monkeypatch):
    return Suite(pytester, monkeypatch)


# The test and its fixtures


def test_a_marked_test_is_the_main_task(suite):
    """It needs no other plugin, and may await both worlds."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        import trioasync

        pytestmark = pytest.mark.trioasync

        async def test_function(trioasync_loop):
            assert type(asyncio.current_task()) is trioasync.Task
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert asyncio.get_running_loop() is trioasync_loop
            async with trio.open_nursery() as nursery:
                nursery.start_soon(asyncio.sleep, 0)
                await asyncio.gather(asyncio.sleep(0), asyncio.create_task(trio.sleep(0)))

        class TestClass:
            async def test_method(self):
                await trio.sleep(0)

        @pytest.mark.parametrize("number", [1, 2])
        async def test_parameters(number):
            assert await asyncio.sleep(0, number) in (1, 2)

        def test_not_async():
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
        """,
    )
    suite.passes("--strict-markers", tests=5, using=[])


def test_fixtures_of_a_marked_test_are_set_up_in_its_task(suite):
    """Async ones and those that depend on them, of every kind, once each, in order; and the test sees their context."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import contextvars
        import pytest
        import trio

        pytestmark = pytest.mark.trioasync
        log, variable = [], contextvars.ContextVar("variable")

        def note(event):
            log.append((event, asyncio.current_task().get_name()))

        @pytest.fixture(scope="module")
        def plain():
            return "plain"

        @pytest.fixture(params=["a", "b"])
        async def returns(plain, request):
            variable.set(request.param)
            return await asyncio.sleep(0, plain + request.param)

        @pytest.fixture
        def dependent(returns):
            note("dependent is up")
            yield returns.upper()
            note("dependent is down")

        @pytest.fixture
        def function_of_both(dependent, returns):
            return dependent, returns

        class TestClass:
            @pytest.fixture(autouse=True)
            async def automatic(self):
                asyncio.current_task().set_name("test")
                note("automatic is up")
                yield
                await asyncio.sleep(0)
                note("automatic is down")

            @pytest.fixture
            async def method(self, function_of_both):
                self.seen = await asyncio.sleep(0, function_of_both)
                async with trio.open_nursery() as nursery:
                    yield nursery
                    nursery.cancel_scope.cancel()
                note("method is down " + self.left)

            async def test_it(self, method, returns):
                method.start_soon(trio.sleep_forever)
                assert self.seen == (returns.upper(), returns)
                assert "plain" + variable.get() == returns
                self.left = "with what the test left"
                note("test")

        def test_order():
            once = ["automatic is up", "dependent is up", "test", "method is down with what the test left",
                    "dependent is down", "automatic is down"]
            assert log == [(event, "test") for event in once] * 2
        """,
    )
    suite.passes(tests=3, using=[])


def test_what_a_fixture_opens_is_around_the_test(suite):
    """A nursery whose child crashes, a timeout and a scope end the test as they would in a `with` in its body."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        import trioasync

        pytestmark = pytest.mark.trioasync
        log = []

        async def crash():
            raise ValueError("of a child")

        @pytest.fixture
        async def nursery():
            async with trio.open_nursery() as nursery:
                yield nursery

        @pytest.fixture
        async def limit():
            async with trioasync.timeout(0.001):
                yield

        @pytest.fixture
        async def scope():
            with trio.CancelScope() as scope:
                yield scope

        @pytest.fixture
        async def outer():
            yield
            log.append(await asyncio.sleep(0, "resumed"))

        async def test_child(outer, nursery):
            nursery.start_soon(crash)
            await asyncio.Event().wait()

        async def test_timeout(outer, limit):
            await asyncio.Event().wait()

        async def test_scope(outer, scope):
            scope.cancel()
            await asyncio.Event().wait()

        def test_after():
            assert log == ["resumed"] * 3
        """,
    )
    result = suite.run(using=[])
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(
        ["FAILED *::test_child - *ValueError*of a child*", "FAILED *::test_timeout - *Timeout*"]
    )


def test_fixtures_end_whether_or_not_the_test_fails(suite):
    """They are resumed after the yield; of two errors the later one is told, with the first as its context."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio

        pytestmark = pytest.mark.trioasync
        log = []

        @pytest.fixture
        async def outer():
            yield
            log.append(await asyncio.sleep(0, "outer"))

        @pytest.fixture
        async def fails_at_its_end(outer):
            yield
            log.append("inner")
            raise KeyError("at the end")

        @pytest.fixture
        async def fails_at_once(outer):
            raise KeyError("at once")

        async def test_fails(outer):
            raise ValueError("of the test")

        async def test_both(fails_at_its_end):
            raise ValueError("before")

        async def test_never_runs(fails_at_once):
            log.append("has run")

        async def test_skips(outer):
            async with trio.open_nursery():
                pytest.skip("the reason")

        def test_after():
            assert log == ["outer", "inner", "outer", "outer", "outer"]
        """,
    )
    result = suite.run(using=[])
    result.assert_outcomes(failed=3, skipped=1, passed=1)
    result.stdout.fnmatch_lines(["E *ValueError: before", "E *KeyError: 'at the end'"])
    for name, error in [
        ("fails", "ValueError: of"),
        ("both", "KeyError: 'at the"),
        ("never_runs", "KeyError: 'at once"),
    ]:
        result.stdout.fnmatch_lines([f"FAILED test_it.py::test_{name} - {error}*"])


def test_a_failure_shows_the_frames_of_the_test(suite):
    """As that of a test that is not async: none of ours, none of trio's."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest

        async def deeper():
            assert await asyncio.sleep(0, 1) == 2

        @pytest.mark.trioasync
        async def test_it():
            await asyncio.create_task(deeper())
        """,
    )
    result = suite.run("--tb=short", using=[])
    places = [line.split(": in ") for line in result.outlines if ": in " in line]
    assert [name for _, name in places] == ["test_it", "deeper"]


# The run


def test_the_clock_and_the_instruments_of_a_marked_test_are_fixtures(suite):
    """They need not be the test's own; two clocks are refused, one that two fixtures give is not."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        import trio.testing

        pytestmark = pytest.mark.trioasync

        class Counter(trio.abc.Instrument):
            runs = 0

            def before_run(self):
                self.runs += 1

        @pytest.fixture
        def counter():
            return Counter()

        @pytest.fixture
        def same_counter(counter):
            return counter

        @pytest.fixture
        def clock():
            return trio.testing.MockClock(autojump_threshold=0)

        @pytest.fixture
        def same_clock(clock):
            return clock

        @pytest.fixture
        def other_clock():
            return trio.testing.MockClock()

        async def test_virtual_time(same_clock, same_counter, counter, trioasync_loop):
            await asyncio.sleep(3600)
            assert trioasync_loop.time() == trio.current_time() == 3600
            assert counter.runs == 1

        async def test_two_clocks(clock, other_clock):
            raise AssertionError("has run")
        """,
    )
    result = suite.run(using=[])
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*a test runs on one clock, and *MockClock*MockClock*"])


@pytest.mark.parametrize("using", [["hypothesispytest"], ["trio", "hypothesispytest"]], ids=["alone", "with trio_mode"])
def test_each_example_of_hypothesis_is_a_run(suite, using):
    """With fixtures of its own."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        from hypothesis import HealthCheck, given, settings, strategies

        log = []

        @pytest.fixture
        async def fixture():
            log.append(await asyncio.sleep(0, "up"))
            yield log
            log.append("down")

        @pytest.mark.trioasync
        class TestClass:
            @given(number=strategies.sampled_from([1, 2]))
            @settings(suppress_health_check=list(HealthCheck), max_examples=2, database=None)
            async def test_it(self, fixture, number, trioasync_loop):
                await trio.sleep(0)
                assert asyncio.get_running_loop() is trioasync_loop
                fixture.append(number)

        def test_after():
            assert sorted(log[1::3]) == [1, 2]
            assert log[::3] == ["up"] * 2 and log[2::3] == ["down"] * 2
        """,
    )
    suite.passes(tests=2, using=using, settings="trio_mode = true" if "trio" in using else "")


def test_ctrl_c_ends_the_run(suite):
    """SIGINT in a marked test and in one of pytest-trio's, in asyncio code and in trio code: never a hang."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import signal
        import pytest
        import trio

        @pytest.fixture
        async def fixture():
            yield
            print("fixture ended")

        async def interrupted(wait):
            asyncio.get_running_loop().call_later(0.01, signal.raise_signal, signal.SIGINT)
            try:
                await wait(60)
            finally:
                print("cleaned up")

        @pytest.mark.parametrize("wait", [asyncio.sleep, trio.sleep], ids=["asyncio", "trio"])
        class TestEither:
            @pytest.mark.trioasync
            async def test_marked(self, wait):
                await interrupted(wait)

            @pytest.mark.trio
            async def test_trio(self, wait, trioasync_loop):
                await interrupted(wait)
        """,
    )
    for test in ("marked", "trio"):
        for wait in ("asyncio", "trio"):
            result = suite.run("-s", "-k", f"test_{test} and [{wait}]")
            assert result.ret == pytest.ExitCode.INTERRUPTED
            result.stdout.fnmatch_lines(["*cleaned up*"])


# Beside others


def test_the_marker_goes_before_the_modes_of_other_plugins(suite):
    """Those in which they take every async test and every async fixture for theirs."""
    pytest.importorskip("pytest_asyncio", reason="pytest-asyncio is not installed")
    pytest.importorskip("anyio", reason="anyio is not installed")
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest
        import trio
        import trioasync

        @pytest.fixture
        async def fixture():
            async with trio.open_nursery():
                yield asyncio.current_task()

        @pytest.mark.trioasync
        async def test_it(fixture, trioasync_loop):
            assert type(asyncio.current_task()) is trioasync.Task
            assert asyncio.current_task() is fixture
        """,
    )
    scope = "asyncio_default_fixture_loop_scope = function\n"
    suite.passes(tests=1, using=["trio"], settings="trio_mode = true")
    suite.passes(tests=1, using=["asyncio"], settings=f"{scope}asyncio_mode = auto")
    suite.passes(tests=1, using=["asyncio", "trio"], settings=f"{scope}asyncio_mode = strict\ntrio_mode = true")


def test_a_marked_test_leaves_the_threads_loop_as_it_is(suite):
    """The loop that asyncio holds between the tests of other plugins."""
    suite.write(
        "test_it.py",
        """
        import asyncio
        import pytest

        @pytest.fixture(scope="module")
        def held():
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            yield loop
            asyncio.set_event_loop(None)
            loop.close()

        @pytest.mark.trioasync
        async def test_it(held):
            assert asyncio.get_running_loop() is not held

        def test_after(held):
            assert asyncio.get_event_loop() is held
        """,
    )
    suite.passes(tests=2, using=[])


def test_the_marker_takes_no_arguments(suite):
    """Those of other plugins' markers are refused and not passed over."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.trioasync(loop_scope="module")
        async def test_it():
            raise AssertionError("has run")

        def test_after():
            pass
        """,
    )
    result = suite.run(using=[])
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["the marker trioasync takes no arguments; a fixture gives a test its clock"])
