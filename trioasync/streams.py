"""Streams: asyncio's own where `readuntil` takes several separators (3.13) and `start_tls` is there (3.11)."""

import sys
from asyncio.streams import *
from asyncio.streams import FlowControlMixin as FlowControlMixin

if sys.version_info < (3, 13):
    from ._backports.streams import StreamReader, StreamWriter, open_connection, start_server

    if sys.platform != "win32":
        from ._backports.streams import open_unix_connection, start_unix_server

__all__ = ["StreamReader", "StreamReaderProtocol", "StreamWriter", "open_connection", "start_server"]

if sys.platform != "win32":
    __all__ += ["open_unix_connection", "start_unix_server"]
