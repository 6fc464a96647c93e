"""The interface of event loops and what finds the current one: asyncio's own, but that a new loop is one of ours."""

import sys
from asyncio.events import *

from .loop import get_event_loop, new_event_loop

__all__ = [
    "AbstractEventLoop",
    "AbstractServer",
    "Handle",
    "TimerHandle",
    "_get_running_loop",
    "_set_running_loop",
    "get_event_loop",
    "get_event_loop_policy",
    "get_running_loop",
    "new_event_loop",
    "set_event_loop",
    "set_event_loop_policy",
]

if sys.version_info < (3, 14):
    from asyncio.events import BaseDefaultEventLoopPolicy as BaseDefaultEventLoopPolicy

    __all__ += ["AbstractEventLoopPolicy", "get_child_watcher", "set_child_watcher"]
