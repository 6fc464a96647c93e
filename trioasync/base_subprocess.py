"""The base of the subprocess transports: asyncio's own."""

from asyncio.base_subprocess import *
