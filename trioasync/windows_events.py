"""The event loops of Windows: asyncio's own, but that the EventLoop (3.13) is ours; elsewhere asyncio's ImportError."""

import sys
from asyncio.windows_events import *

if sys.platform == "win32":
    from .loop import EventLoop as EventLoop

    __all__ = ["EventLoop", "IocpProactor", "ProactorEventLoop", "SelectorEventLoop"]

    if sys.version_info < (3, 14):
        __all__ += ["DefaultEventLoopPolicy", "WindowsProactorEventLoopPolicy", "WindowsSelectorEventLoopPolicy"]
