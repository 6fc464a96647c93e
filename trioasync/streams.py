"""Streams: asyncio's own."""

import sys
from asyncio.streams import *
from asyncio.streams import FlowControlMixin as FlowControlMixin

__all__ = ["StreamReader", "StreamReaderProtocol", "StreamWriter", "open_connection", "start_server"]

if sys.platform != "win32":
    __all__ += ["open_unix_connection", "start_unix_server"]
