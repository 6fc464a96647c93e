"""Task groups: asyncio's own where they can be cancelled (3.15)."""

import sys

if sys.version_info >= (3, 15):
    from asyncio.taskgroups import TaskGroup
else:
    from ._backports.taskgroups import TaskGroup

__all__ = ("TaskGroup",)
