"""Clocks for loops."""

from __future__ import annotations

import trio


def virtual_clock() -> trio.abc.Clock:
    """Return a clock that stands still, and jumps to the next deadline when all tasks of its trio run wait."""
    from trio.testing import MockClock

    return MockClock(autojump_threshold=0)
