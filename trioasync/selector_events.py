"""The base of the selector event loops: asyncio's own."""

from asyncio.selector_events import *

__all__ = ("BaseSelectorEventLoop",)
