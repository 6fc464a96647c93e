"""The logger: asyncio's own."""

from asyncio.log import *
