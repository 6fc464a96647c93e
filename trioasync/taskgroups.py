"""Task groups: asyncio's own where they can be cancelled (3.15)."""

import sys
from typing import TYPE_CHECKING

if sys.version_info >= (3, 15) and not TYPE_CHECKING:  # checkers must see that it makes our Tasks
    from asyncio.taskgroups import TaskGroup
else:
    from ._backports.taskgroups import TaskGroup

__all__ = ("TaskGroup",)
