"""The constants: asyncio's own."""

from asyncio.constants import *
