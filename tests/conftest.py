"""Set-up of all tests, and the two ways to write one that runs on asyncio and on trioasync.

* `@parity` (tests/support/parity.py says how): one body runs on both sides and everything observable is compared.
* The fixtures `aio`, `run` and `new_loop`: the test runs once for each side and asserts by itself.

      def test_sleep_gives_its_result(aio, run):
          async def main():
              return await aio.sleep(5, "x")
          assert run(main) == "x"

  Time is virtual here as well. `@pytest.mark.since(3, 11)` leaves asyncio out on the Pythons before, which lack what is
  tested.
"""

import contextlib
import gc
import signal
import sys

import pytest

pytest.register_assert_rewrite("tests.support.parity")

from tests.support.observation import time_limit  # noqa: E402 - its users are rewritten first
from tests.support.sides import STOCK, TRIO  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "since(*version): stock asyncio has what is tested from that Python on")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it in what they run in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session):
    """Take what is alive now out of the garbage collector's sight: the parity tests collect after every run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=[STOCK, TRIO], ids=lambda side: side.name)
def side(request):
    """The implementation under test; see `tests.support.sides`."""
    since = request.node.get_closest_marker("since")
    if since is not None and request.param is STOCK and sys.version_info < since.args:
        pytest.skip("asyncio of this Python lacks it")
    with time_limit(10):
        yield request.param


@pytest.fixture
def aio(side):
    """The module under test: asyncio, then trioasync."""
    return side.module


@pytest.fixture
def new_loop(side):
    """A function that makes an event loop on virtual time, which is closed after the test."""
    _, namespace = side.virtual()
    with contextlib.ExitStack() as loops:
        yield lambda: loops.enter_context(contextlib.closing(namespace.new_event_loop()))


@pytest.fixture
def run(new_loop):
    """A function that runs `await main()` on a new loop on virtual time and returns its result."""

    def run_on_new_loop(main, debug=None):
        loop = new_loop()
        if debug is not None:
            loop.set_debug(debug)
        try:
            return loop.run_until_complete(main())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())

    return run_on_new_loop
