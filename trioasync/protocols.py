"""Protocols: asyncio's own."""

from asyncio.protocols import *

__all__ = ("BaseProtocol", "BufferedProtocol", "DatagramProtocol", "Protocol", "SubprocessProtocol")
