"""One test body, two implementations: `@parity` runs it on stock asyncio and on trioasync and compares.

    @parity(events=["child", "main"], returns=3)
    async def test_await_task(aio, log):
        \"\"\"Awaiting a task gives its result after the task has run.\"\"\"
        async def child():
            log("child")
            return 3
        task = aio.create_task(child())
        result = await task
        log("main")
        return result

The body gets the module as its first argument (`asyncio`, then `trioasync`) and, by name, what it asks for: `log` (call
it: `log("a")`, `log("a", 1)`), `time` and `datetime` (wall clocks of the run, for the examples of the documentation).
An `async def` body is run by `aio.run`; a plain one calls `aio.run`, `aio.Runner` or `aio.new_event_loop` itself.

Time is virtual unless `clock="real"`: a timer is due as soon as nothing else can happen. Virtual time runs ahead of
threads and sockets, so a body that waits for one needs the real clock.

Compared are first the two sides, in full, and then each with what the decorator says:

    returns=   what the body returns (default None)
    raises=    an exception instance: type and arguments of what leaves the body (default None)
    events=    the log (default empty)
    logged=    first lines of the records of logger "asyncio" from WARNING on, as "ERROR message" (default none)
    warned=    warnings, as "DeprecationWarning: message" (default none)
    printed=, stderr=   text, with the lines' common indentation taken away (default "")
    seconds=   how long the run took on its virtual clock (default: the two sides are compared alone)

Addresses, paths with line numbers and numbers of task names are replaced by "…": `stable(text)` does it to a text of
your own, `describe(exc)` turns an exception into comparable text, and `await told(aw)` gives the result of `aw` or its
exception as such text (`CANCELLED` and `TIMED_OUT` are those of the two exceptions without arguments).

Versions are told by tables, never by branches in a body:

    since=(3, 11)   stock asyncio has the feature from there on; before, the body runs on trioasync alone
    until=(3, 10)   the last Python whose asyncio has the feature; after it, the body runs on trioasync alone
    events=by_python({(3, 11): [...], (3, 12): [...]})   the entry of the newest Python not newer than the running one,
                    or the newest entry where all are newer: what is added to older Pythons behaves as in the newest

`debug=True` runs the body in debug mode, `limit=` is the number of real seconds after which the body counts as hanging,
`starts=` the time of day at which the wall clocks start. Further parameters of the body are pytest's: fixtures and
`parametrize`.
"""

import dataclasses
import functools
import inspect
import sys
import textwrap

from tests.support.clocks import WallClock
from tests.support.observation import CANCELLED, TIMED_OUT, Log, Observation, describe, observe, stable, told
from tests.support.sides import STOCK, TRIO, prepare

__all__ = ["CANCELLED", "TIMED_OUT", "by_python", "describe", "parity", "stable", "told"]

NEWEST = (99,)


class by_python(dict):  # noqa: N801 - it reads as a function at its uses
    """An expected value for each Python from which on it holds."""

    def entry(self, version):
        return self[max([key for key in self if key <= version], default=max(self))]


def parity(*, since=(3, 10), until=NEWEST, clock="virtual", debug=None, limit=10, starts="00:00:00", **expected):
    """Make a body a test that runs on both sides; the arguments are those of this module's docstring."""
    running = sys.version_info[:3]
    wanted = Observation(**{name: _at(value, running) for name, value in expected.items()})
    sides = [STOCK, TRIO] if running >= since and running[:2] <= until else [TRIO]

    def decorate(body):
        @functools.wraps(body)
        def test(**fixtures):
            run = functools.partial(_run, body, fixtures, clock=clock, debug=debug, limit=limit, starts=starts)
            _compare(wanted, run, sides)

        test.__signature__ = _fixtures_of(body)
        test.sides = [side.name for side in sides]
        return test

    return decorate


def _at(value, version):
    return value.entry(version) if isinstance(value, by_python) else value


def _fixtures_of(body):
    """Return the signature that pytest shall see: what the body takes, less what this module gives."""
    _, *others = inspect.signature(body).parameters.values()
    return inspect.Signature([each for each in others if each.name not in ("log", "time", "datetime")])


def _run(body, fixtures, side, *, clock, debug, limit, starts):
    """Run `body` once, on `side`, and return its Observation."""
    running_clock, namespace = prepare(side, clock)
    module = side.module if inspect.iscoroutinefunction(body) else namespace
    wall = WallClock(running_clock, starts)
    asked = inspect.signature(body).parameters

    def start(log):
        given = {"log": log, "time": wall, "datetime": wall}
        started = body(module, **{name: given[name] for name in given if name in asked}, **fixtures)
        return namespace.run(started, debug=debug) if inspect.iscoroutine(started) else started

    seen = observe(start, running_clock, limit=limit)
    return dataclasses.replace(seen, seconds=None) if clock == "real" else seen


def _compare(wanted, run, sides):
    """Run the body on each side, and compare with the expectation, then with each other."""
    __tracebackhide__ = True
    seen = {side.name: run(side) for side in sides}
    for name, observation in seen.items():
        told = _in_terms_of(wanted, observation)
        assert told == _plain(wanted), f"{name} differs from what the test says\n{observation.traceback}"
    first, *others = seen.values()
    for other in others:
        assert dataclasses.asdict(other) | {"traceback": ""} == dataclasses.asdict(first) | {"traceback": ""}


def _plain(wanted):
    """Return the expectation as the dictionary that `_in_terms_of` makes of an Observation."""
    return {
        "returns": wanted.returns,
        "raises": describe(wanted.raises),
        "events": Log(wanted.events),
        "logged": wanted.logged,
        "warned": wanted.warned,
        "printed": textwrap.dedent(wanted.printed).lstrip("\n"),
        "stderr": textwrap.dedent(wanted.stderr).lstrip("\n"),
        "seconds": wanted.seconds,
    }


def _in_terms_of(wanted, seen):
    """Return what was seen, as far as the expectation speaks of it."""
    return {
        "returns": seen.returns,
        "raises": seen.raises,
        "events": seen.events,
        "logged": [text.partition("\n")[0] for text in seen.logged],
        "warned": seen.warned,
        "printed": seen.printed,
        "stderr": seen.stderr,
        "seconds": None if wanted.seconds is None else seen.seconds,
    }
