"""The base of futures: asyncio's own."""

from asyncio.base_futures import isfuture as isfuture

__all__ = ()
