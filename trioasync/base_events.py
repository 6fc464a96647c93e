"""The loop's base class and Server: asyncio's own."""

from asyncio.base_events import *

__all__ = ("BaseEventLoop", "Server")
