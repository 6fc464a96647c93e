"""The records of a call graph, for Pythons before 3.14."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import FrameType
from typing import Any

__all__ = ("FrameCallGraphEntry", "FutureCallGraph")


@dataclass(frozen=True, slots=True)
class FrameCallGraphEntry:
    """One frame of a call stack (asyncio 3.14)."""

    frame: FrameType


@dataclass(frozen=True, slots=True)
class FutureCallGraph:
    """A future, the call stack of its coroutine with the newest frame first, and who awaits it (asyncio 3.14)."""

    future: asyncio.Future[Any]
    call_stack: tuple[FrameCallGraphEntry, ...]
    awaited_by: tuple[FutureCallGraph, ...]
