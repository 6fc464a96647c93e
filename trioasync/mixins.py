"""What binds a primitive to its loop: asyncio's own, all of it private."""

from asyncio.mixins import *
