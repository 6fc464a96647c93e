"""The socket that a transport shows: asyncio's own."""

from asyncio.trsock import *
