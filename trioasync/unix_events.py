"""The event loops of Unix: asyncio's own, but that the EventLoop (3.13) is ours.

Child watchers and the default policy are here as long as the running Python has them.
"""

import sys
from asyncio.unix_events import SelectorEventLoop

from .loop import EventLoop

__all__ = ["EventLoop", "SelectorEventLoop"]

if sys.version_info < (3, 14):
    from asyncio.unix_events import (
        AbstractChildWatcher,
        BaseChildWatcher as BaseChildWatcher,
        DefaultEventLoopPolicy,
        FastChildWatcher,
        MultiLoopChildWatcher,
        PidfdChildWatcher,
        SafeChildWatcher,
        ThreadedChildWatcher,
    )

    __all__ += [
        "AbstractChildWatcher",
        "DefaultEventLoopPolicy",
        "FastChildWatcher",
        "MultiLoopChildWatcher",
        "PidfdChildWatcher",
        "SafeChildWatcher",
        "ThreadedChildWatcher",
    ]
