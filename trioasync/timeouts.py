"""Timeouts: asyncio's own where it has them (3.11)."""

import sys

if sys.version_info >= (3, 11):
    from asyncio.timeouts import Timeout, timeout, timeout_at
else:
    from ._backports.timeouts import Timeout, timeout, timeout_at

__all__ = ("Timeout", "timeout", "timeout_at")
