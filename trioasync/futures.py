"""Futures (asyncio.futures): asyncio's own, since a Future needs nothing of its loop but `call_soon`."""

import sys
from asyncio.futures import Future, isfuture, wrap_future

if sys.version_info >= (3, 14):
    from asyncio.futures import future_add_to_awaited_by, future_discard_from_awaited_by
else:
    from ._backports.awaited_by import future_add_to_awaited_by, future_discard_from_awaited_by

__all__ = ("Future", "future_add_to_awaited_by", "future_discard_from_awaited_by", "isfuture", "wrap_future")
