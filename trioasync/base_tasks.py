"""How a Task shows its stack: asyncio's own, all of it private."""

from asyncio.base_tasks import *
