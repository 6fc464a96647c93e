"""One network program, run on stock asyncio and on trioasync in every way in which trio may host a loop.

    @everywhere(returns=b"hello")
    async def test_a_stream_echoes(aio, log):
        ...

The body runs in real time, once on asyncio and then, as one test each,

* `run`: as the main Task of `trioasync.run`, where the pump borrows trio's wait;
* `nap`: the same with a clock that trio does not know to be real, so that the pump sleeps in trio;
* `task`: as a Task of a loop that a trio program has opened;
* `adopted`: as the body of that trio program, in a plain trio task;
* `guest`: as the second, where trio itself is the guest of another loop.

Everything observable is compared with asyncio, as `@parity` does it, and with what the decorator says: its arguments
are those of `tests.support.parity.parity`, but for the times. Further parameters of the body are pytest's. What asyncio
does is looked at once for all ways.
"""

import asyncio
import dataclasses
import functools
import inspect
import queue
import re
import sys
import time

import pytest
import trio

import trioasync
from tests.support.clocks import RealClock
from tests.support.observation import Log, Observation, describe, observe
from tests.support.parity import by_python

_DESCRIPTOR = re.compile(r"\bfd=\d+")


class UnknownClock(trio.abc.Clock):
    """Real time that trio does not know to be real."""

    def start_clock(self):
        pass

    def current_time(self):
        return time.monotonic()

    def deadline_to_sleep_time(self, deadline):
        return deadline - self.current_time()


def _on_asyncio(body, debug):
    return asyncio.run(body(asyncio), debug=debug)


def _by_run(body, debug):
    return trioasync.run(body(trioasync), debug=debug)


def _by_a_nap(body, debug):
    return trioasync.run(body(trioasync), debug=debug, clock=UnknownClock())


async def _as_a_task(body, debug):
    async with trioasync.open_loop(debug) as loop:
        return await loop.create_task(body(trioasync))


async def _adopted(body, debug):
    async with trioasync.open_loop(debug):
        return await body(trioasync)


def _as_a_guest(body, debug):
    """Run trio on top of a host loop that calls functions out of a queue."""
    calls, outcomes = queue.SimpleQueue(), []
    trio.lowlevel.start_guest_run(
        _as_a_task,
        body,
        debug,
        run_sync_soon_threadsafe=calls.put,
        done_callback=outcomes.append,
    )
    while not outcomes:
        calls.get()()
    return outcomes[0].unwrap()


WAYS = {
    "run": _by_run,
    "nap": _by_a_nap,
    "task": functools.partial(trio.run, _as_a_task),
    "adopted": functools.partial(trio.run, _adopted),
    "guest": _as_a_guest,
}


def everywhere(*, since=(3, 10), backported=(3, 10), debug=None, limit=20, ways=WAYS, **expected):
    """Make an async function that takes `aio`, and `log` if it likes, a test of each way.

    Transports and most methods of the loop are the running Python's own: before `since` the test is skipped. What
    asyncio has since `backported` and trioasync always is compared before with what the test says alone.
    """
    running = sys.version_info[:3]
    told = {name: each.entry(running) if isinstance(each, by_python) else each for name, each in expected.items()}
    wanted = Observation(**told | {"events": Log(told.get("events", ())), "raises": describe(told.get("raises"))})
    lacking = pytest.mark.skipif(running < since, reason=f"asyncio has it since {'.'.join(map(str, since))}")

    def decorate(body):
        seen = {}  # what asyncio has done with the fixtures of these identities, which are kept with it

        @functools.wraps(body)
        def test(way, **fixtures):
            key = tuple(map(id, fixtures.values()))
            if key not in seen and running >= backported:
                seen[key] = _observe(_on_asyncio, body, fixtures, debug, limit), fixtures
            ours = _observe(WAYS[way], body, fixtures, debug, limit)
            stock = {"asyncio": seen[key][0]} if running >= backported else {}
            _compare(wanted, {**stock, way: ours})

        asked = [each for each in inspect.signature(body).parameters.values() if each.name not in ("aio", "log")]
        mine = inspect.Parameter("way", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        test.__signature__ = inspect.Signature([mine, *asked])
        return pytest.mark.parametrize("way", ways)(lacking(test))

    return decorate


def _observe(run, body, fixtures, debug, limit):
    asks_for_log = "log" in inspect.signature(body).parameters

    def start(log):
        given = {**fixtures, "log": log} if asks_for_log else fixtures
        return run(lambda aio: body(aio, **given), debug)

    seen = observe(start, RealClock(), limit=limit)
    logged, warned = ([_DESCRIPTOR.sub("fd=…", text) for text in texts] for texts in (seen.logged, seen.warned))
    return dataclasses.replace(seen, logged=logged, warned=warned, seconds=None)


def _compare(wanted, seen):
    """Compare each observation with the expectation, then with that of asyncio."""
    __tracebackhide__ = True
    for way, observation in seen.items():
        heads = [text.partition("\n")[0] for text in observation.logged]
        told = dataclasses.replace(observation, logged=heads)
        assert told == wanted, f"{way} differs from what the test says\n{observation.traceback}"
    first, *others = (dataclasses.asdict(observation) | {"traceback": ""} for observation in seen.values())
    for other in others:
        assert other == first
