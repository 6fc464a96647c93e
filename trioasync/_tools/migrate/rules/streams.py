"""Streams and servers of asyncio: two objects become one, and callbacks change their signature, so a person does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Streams"]


class Streams(AdviceRule):
    """Reports connections, servers, readers and writers."""

    name = "streams"
    codes: ClassVar[Mapping[str, str]] = {"TAM340": "asyncio streams: trio.open_tcp_stream and trio.serve_tcp"}
    traps = (
        "write() and drain() become send_all(), read(n) becomes receive_some(n), both with b'' at the end.",
        "readline, readexactly and readuntil are those of the helper LineReader.",
        "get_extra_info('peername') is stream.socket.getpeername(); ssl= is trio.open_ssl_over_tcp_stream.",
        "A broken connection is trio.BrokenResourceError or trio.ClosedResourceError instead of ConnectionError.",
        "trio has no helper for a Unix listener: bind a trio.socket and give trio.serve_listeners its SocketListener.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM340": (
            (
                "async def serve(reader, writer):\n"
                "    while line := await reader.readline():\n"
                "        writer.write(line)\n        await writer.drain()\n"
                "    writer.close()\n\n"
                "server = await asyncio.start_server(serve, host, port)\nawait server.serve_forever()"
            ),
            (
                "async def serve(stream):\n"
                "    reader = LineReader(stream)\n"
                "    while line := await reader.readline():\n        await stream.send_all(line)\n\n"
                "await trio.serve_tcp(serve, port, host=host)"
            ),
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            "asyncio.open_connection",
            "open_connection gives two objects, trio's stream is one",
            "trio.open_tcp_stream(host, port); with ssl= trio.open_ssl_over_tcp_stream",
        ),
        **advice_for("asyncio.open_unix_connection", "open_unix_connection", "trio.open_unix_socket(path)"),
        **advice_for(
            "asyncio.start_server",
            "start_server calls back with a reader and a writer",
            "nursery.start(trio.serve_tcp, handler, port), and the handler takes one stream",
        ),
        **advice_for(
            "asyncio.start_unix_server",
            "start_unix_server: trio has no helper for Unix listeners",
            "bind a trio.socket and give trio.serve_listeners its trio.SocketListener",
        ),
        **advice_for(
            "asyncio.StreamReader asyncio.StreamWriter",
            "{}",
            "trio.abc.Stream, and the helper LineReader for lines and exact counts",
        ),
        **advice_for("asyncio.StreamReaderProtocol", "{} joins streams and protocols", "keep it on trioasync"),
        **advice_for("asyncio.Server asyncio.AbstractServer", "{}", "a nursery in which trio.serve_listeners runs"),
        **advice_for("asyncio.IncompleteReadError", "{}", "the helper's IncompleteRead, where LineReader reads"),
        **advice_for("asyncio.LimitOverrunError", "{}", "LineReader raises ValueError at its limit"),
    }
