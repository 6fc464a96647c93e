"""How callbacks and stacks are shown: asyncio's own."""

from asyncio.format_helpers import *
