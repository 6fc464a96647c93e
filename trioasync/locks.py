"""Synchronisation primitives: asyncio's own, with the Barrier of 3.11 on every Python."""

import sys
from asyncio.locks import *

if sys.version_info < (3, 11):
    from ._backports.locks import Barrier

__all__ = ("Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore")
