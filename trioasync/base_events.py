"""The loop's base class and Server: asyncio's own where a Server can close its connections (3.13)."""

import sys
from asyncio.base_events import *

if sys.version_info < (3, 13):
    from ._backports.loops import Server

__all__ = ("BaseEventLoop", "Server")
