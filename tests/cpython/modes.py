"""What CPython's tests run on, by mode.

* stock: asyncio itself, the baseline;
* registered: asyncio's names, with our loops behind them by `trioasync.install()`;
* own: asyncio's names are trioasync's, as after `import trioasync as asyncio`, and so is the variant of Task that is
  written in C where the tests take both variants;
* trio-asyncio: trio-asyncio's loops, for comparison.

In the modes of ours, our loop is also put where the tests make loops by hand (`loops.py`).
"""

import asyncio
import asyncio.base_events
import sys

from . import touching

MODES = ["stock", "registered", "own", "trio-asyncio"]
OURS = ["registered", "own"]

# Files whose tests give mocks to a bare BaseEventLoop.
WITH_BARE_LOOPS = {"test_base_events", "test_pep492", "test_runners"}


def asyncio_namespaces():
    return [vars(module) for name, module in list(sys.modules.items()) if name.split(".")[0] == "asyncio" and module]


def replace(name, value):
    """Put a value where asyncio's modules hold what `asyncio.name` is."""
    stock = getattr(asyncio, name)
    for namespace in asyncio_namespaces():
        if namespace.get(name) is stock:
            namespace[name] = value


def enter(mode, file, touches):
    """Put the implementation of a mode in asyncio's place, before the tests of a file are imported."""
    if mode in OURS:
        import trioasync

        touching.watch_trioasync(touches)
        trioasync.install()
        if mode == "own":
            take_our_names()
        take_our_loops(file)
    elif mode == "trio-asyncio":
        touching.watch_trio_asyncio(touches)
        take_trio_asyncio()


def take_our_names():
    import trioasync

    # What `install()` has put there is right for these: they are how tests ask for a loop.
    kept = {"SelectorEventLoop", "set_event_loop_policy", "get_event_loop"}
    for name in trioasync.__all__:
        if hasattr(asyncio, name) and name not in kept and not name.endswith("Policy"):
            replace(name, getattr(trioasync, name))
    asyncio.get_event_loop = trioasync.get_event_loop  # which itself calls the one of asyncio.events
    asyncio.tasks._CTask = trioasync.Task


def take_our_loops(file):
    from test.test_asyncio import utils

    from . import loops

    utils.TestLoop = loops.told_loop(utils.TestLoop)
    if file in WITH_BARE_LOOPS:
        replace("BaseEventLoop", loops.BareLoop)
    if file == "test_runners":
        let_policies_make_loops()


def let_policies_make_loops():
    """Let Runner take its loops from the policy: by one, the tests of runners hand it the loop that they look at."""
    import trioasync

    find_policy = getattr(asyncio.events, "_get_event_loop_policy", None) or asyncio.events.get_event_loop_policy
    begin = trioasync.Runner.__init__

    def begin_asking_policy(self, *, loop_factory=None, **options):
        begin(self, loop_factory=loop_factory, **options)
        if loop_factory is None:
            self._loop_factory = lambda: find_policy().new_event_loop()

    trioasync.Runner.__init__ = begin_asking_policy


def take_trio_asyncio():
    # trio-asyncio asks for it before it makes loops that can be run from outside of trio without a warning.
    import pytest  # noqa: F401
    import trio_asyncio  # noqa: F401
    from trio_asyncio._sync import SyncTrioEventLoop

    class SelectorEventLoop(SyncTrioEventLoop):
        def __init__(self, selector=None):
            super().__init__()

    for name in ("SelectorEventLoop", "EventLoop"):
        if hasattr(asyncio, name):
            replace(name, SelectorEventLoop)
