"""What `python -m asyncio ps` shows: asyncio's own, from 3.14 on."""

from asyncio.tools import *  # type: ignore[import-not-found, unused-ignore]  # older Pythons have none
