"""Staggered races: asyncio's own."""

from asyncio.staggered import *

__all__ = ("staggered_race",)
