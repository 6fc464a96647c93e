"""The two implementations that a parity test runs on, and how a program is started on each of them.

A side has the module (`asyncio` or `trioasync`), and for one test a clock and a namespace: the module itself where
time is real, else the module with `run`, `Runner` and `new_event_loop` on the virtual clock.
"""

import asyncio
import contextlib
import functools
import sys

import trio.testing

import trioasync
from tests.support.clocks import RealClock, VirtualClock, VirtualEventLoop


class VirtualTime:
    """The namespace of a module, of which some names are replaced by ones that keep virtual time."""

    def __init__(self, module, **replaced):
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name):
        return getattr(self._module, name)


class StockSide:
    """asyncio as the running Python has it."""

    name = "asyncio"
    module = asyncio

    def virtual(self):
        clock = VirtualClock()
        new_event_loop = functools.partial(VirtualEventLoop, clock)
        replaced = {"new_event_loop": new_event_loop, "run": functools.partial(self._run, new_event_loop)}
        if hasattr(asyncio, "Runner"):
            replaced["Runner"] = functools.partial(asyncio.Runner, loop_factory=new_event_loop)
        return clock, VirtualTime(asyncio, **replaced)

    @staticmethod
    def _run(new_event_loop, main, **options):
        """`asyncio.run` on a loop of our choice, on the Pythons too whose `run` has no *loop_factory*."""
        if sys.version_info >= (3, 12):
            return asyncio.run(main, **{"loop_factory": new_event_loop, **options})
        with _policy_for(new_event_loop):
            return asyncio.run(main, **options)


class TrioSide:
    """asyncio as trioasync has it."""

    name = "trioasync"
    module = trioasync

    def virtual(self):
        clock = trio.testing.MockClock(autojump_threshold=0)
        return clock, VirtualTime(
            trioasync,
            new_event_loop=functools.partial(trioasync.EventLoop, clock=clock),
            run=functools.partial(trioasync.run, clock=clock),
            Runner=functools.partial(trioasync.Runner, clock=clock),
        )


def prepare(side, clock):
    """Return the clock and the namespace for one run of a test body; `clock` is "virtual" or "real"."""
    if clock == "real":
        return RealClock(), side.module
    return side.virtual()


@contextlib.contextmanager
def _policy_for(new_event_loop):
    policy = asyncio.DefaultEventLoopPolicy()
    policy.new_event_loop = new_event_loop
    asyncio.set_event_loop_policy(policy)
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(None)


STOCK, TRIO = StockSide(), TrioSide()
