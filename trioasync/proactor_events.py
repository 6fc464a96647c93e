"""The base of the proactor event loops: asyncio's own."""

from asyncio.proactor_events import *

__all__ = ("BaseProactorEventLoop",)
