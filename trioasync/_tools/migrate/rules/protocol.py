"""Protocols, transports and readiness callbacks: trioasync runs them as they are; a native form is another program."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Protocol"]


class Protocol(AdviceRule):
    """Reports protocols, transports, and the methods of the loop that work on descriptors, sockets and pipes."""

    name = "protocol"
    codes: ClassVar[Mapping[str, str]] = {"TAM341": "protocols and transports: keep them on trioasync"}
    traps = (
        "A protocol is a set of callbacks; in trio it is a task that reads a stream and calls the same functions.",
        "Flow control by pause_writing is what send_all does by itself: it returns when there is room.",
        "add_reader becomes a task that waits in trio.lowlevel.wait_readable.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM341": (
            "loop.add_reader(fd, on_readable)",
            (
                "async def watch():\n    while True:\n        await trio.lowlevel.wait_readable(fd)\n        "
                "on_readable()\n\n"
                "nursery.start_soon(watch)"
            ),
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            """asyncio.BaseProtocol asyncio.Protocol asyncio.BufferedProtocol asyncio.DatagramProtocol
            asyncio.SubprocessProtocol""",
            "{}: callbacks that a loop calls",
            "keep it on trioasync; natively it is a task that reads a stream",
        ),
        **advice_for(
            """asyncio.BaseTransport asyncio.Transport asyncio.ReadTransport asyncio.WriteTransport
            asyncio.DatagramTransport asyncio.SubprocessTransport""",
            "{}",
            "keep it on trioasync; natively it is a trio.abc.Stream or a trio.socket",
        ),
        **advice_for(
            """loop.create_connection loop.create_server loop.create_unix_connection loop.create_unix_server
            loop.create_datagram_endpoint loop.connect_accepted_socket loop.connect_read_pipe loop.connect_write_pipe
            loop.subprocess_exec loop.subprocess_shell loop.start_tls""",
            "{} makes a transport for a protocol",
            "keep it on trioasync, or read and write a trio stream in a task",
        ),
        **advice_for(
            "loop.sendfile loop.sock_sendfile asyncio.SendfileNotAvailableError",
            "{}: trio has no sendfile",
            "read in trio.to_thread.run_sync and send_all",
        ),
        **advice_for(
            "loop.add_reader loop.add_writer loop.remove_reader loop.remove_writer",
            "{}: a callback when a descriptor is ready",
            "a task that waits in trio.lowlevel.wait_readable or wait_writable",
        ),
        **advice_for(
            """loop.sock_accept loop.sock_connect loop.sock_recv loop.sock_recv_into loop.sock_recvfrom
            loop.sock_recvfrom_into loop.sock_sendall loop.sock_sendto""",
            "{} works on a socket of the standard library",
            "a trio.socket has the same method, awaited",
        ),
    }
