"""Transports: asyncio's own."""

from asyncio.transports import *

__all__ = ("BaseTransport", "DatagramTransport", "ReadTransport", "SubprocessTransport", "Transport", "WriteTransport")
