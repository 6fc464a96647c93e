"""Queues: asyncio's own where they can be shut down (3.13)."""

import sys
from asyncio.queues import QueueEmpty, QueueFull

if sys.version_info >= (3, 13):
    from asyncio.queues import LifoQueue, PriorityQueue, Queue, QueueShutDown
else:
    from ._backports.queues import LifoQueue, PriorityQueue, Queue, QueueShutDown

__all__ = ("LifoQueue", "PriorityQueue", "Queue", "QueueEmpty", "QueueFull", "QueueShutDown")
