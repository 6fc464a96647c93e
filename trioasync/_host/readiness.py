"""Waiting in trio for what an asyncio selector watches."""

from __future__ import annotations

import selectors
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.lowlevel import notify_closing, wait_readable, wait_writable

_WAITS: tuple[tuple[int, Callable[[int], Awaitable[None]]], ...] = (
    (selectors.EVENT_READ, wait_readable),
    (selectors.EVENT_WRITE, wait_writable),
)


async def wait_until_ready(selector: Any) -> None:
    """Sleep until a selector has something to report.

    An epoll or a kqueue is itself a descriptor that can be waited for. A selector of another kind is waited for by
    each of its descriptors.
    """
    if hasattr(selector, "fileno"):
        descriptor = selector.fileno()
        try:
            await wait_readable(descriptor)
        finally:
            # Trio keeps the descriptor in its own poller, disarmed, and of two pollers only one can watch the other.
            notify_closing(descriptor)
        return
    async with trio.open_nursery() as nursery:
        for key in selector.get_map().values():
            for event, wait in _WAITS:
                if key.events & event:
                    nursery.start_soon(_wait_for_one, wait, key.fd, nursery.cancel_scope)


async def _wait_for_one(wait: Callable[[int], Awaitable[None]], descriptor: int, others: trio.CancelScope) -> None:
    try:
        await wait(descriptor)
    except OSError:
        pass  # the selector has its own words for a descriptor that is gone
    others.cancel(reason="a descriptor is ready")
