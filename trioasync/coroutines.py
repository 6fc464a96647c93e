"""Coroutines: asyncio's own, with the `coroutine` decorator on every Python."""

import sys
from asyncio.coroutines import *

if sys.version_info >= (3, 11):
    from ._backports.coroutines import coroutine

__all__ = ("coroutine", "iscoroutine", "iscoroutinefunction")
