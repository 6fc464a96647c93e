"""Keeps a server at full load over many connections and prints what it saw as one line of JSON.

It is started by load_child.py. It uses sockets and a selector and nothing else, so that it needs less of its processor
than any server in Python needs of its own.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import time
from statistics import quantiles

WARM_UP = 1.0  # seconds of load before the measurement
STALL = 5.0  # seconds; no answer after the load may take as long
CHUNK = 65536

ECHO = b"an echo of sixty-four bytes, line end included, for each turn.\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"


class Connection:
    """One connection: it sends a request as soon as the answer to the one before is there."""

    request: bytes

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.sent_at = 0.0

    def send(self, now: float) -> None:
        self.sent_at = now
        sent = self.socket.send(self.request)  # smaller than any socket's buffer
        assert sent == len(self.request)

    def receive(self) -> bool:
        """Take what has come in, and return whether it completes the answer; raise OSError if it is a wrong one."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the server has closed a connection")
        self.answer += data
        if not self.complete():
            return False
        self.answer = b""
        return True

    def complete(self) -> bool:
        """Return whether the answer is complete; raise OSError if it is wrong."""
        raise NotImplementedError


class EchoConnection(Connection):
    request = ECHO

    def complete(self) -> bool:
        if len(self.answer) < len(ECHO):
            return False
        if self.answer != ECHO:
            raise OSError("the server has sent something else than what it was sent")
        return True


class HttpConnection(Connection):
    request = GET
    # The length of a whole answer, known from the first one.
    length = 0

    def complete(self) -> bool:
        self.length = self.length or self._announced_length()
        if not self.length or len(self.answer) < self.length:
            return False
        if len(self.answer) > self.length or not self.answer.startswith(b"HTTP/1.1 200 OK\r\n"):
            raise OSError(f"the server has answered {self.answer[:200]!r}")
        return True

    def _announced_length(self) -> int:
        head, end, _ = self.answer.partition(b"\r\n\r\n")
        found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if end and not found:
            raise OSError(f"the server has answered {self.answer[:200]!r}")
        return len(head) + len(end) + int(found[1]) if end and found else 0


KINDS = {"echo": EchoConnection, "http": HttpConnection}


class Load:
    """All the connections, and what was counted in the time of the measurement."""

    def __init__(self, connections: list[Connection]) -> None:
        self._selector = selectors.DefaultSelector()
        for connection in connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.latencies: list[float] = []
        self.errors: list[str] = []

    def start(self) -> None:
        for key in list(self._selector.get_map().values()):
            key.data.send(time.monotonic())

    def run_until(self, end: float) -> None:
        """Keep the load up until `end`, a time of `time.monotonic`."""
        while (now := time.monotonic()) < end:
            for key, _ in self._selector.select(end - now):
                self._advance(key.data)

    def _advance(self, connection: Connection) -> None:
        try:
            if connection.receive():
                now = time.monotonic()
                self.latencies.append(now - connection.sent_at)
                connection.send(now)
        except OSError as error:
            self.errors.append(str(error))
            self._selector.unregister(connection.socket)

    def finish(self) -> None:
        """Wait for the answers that are under way, and close the connections."""
        connections = self._selector.get_map()
        end = time.monotonic() + STALL
        while connections and time.monotonic() < end:
            for key, _ in self._selector.select(STALL):
                if key.data.receive():
                    self._selector.unregister(key.fileobj)
                    key.data.socket.close()
        self.errors += [f"no answer within {STALL:g} seconds"] * len(connections)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("port", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    load = Load([KINDS[arguments.kind](arguments.port) for _ in range(arguments.connections)])
    load.start()
    load.run_until(time.monotonic() + WARM_UP)
    load.latencies.clear()
    begin, cpu = time.monotonic(), time.process_time()
    load.run_until(begin + arguments.seconds)
    end = time.monotonic()
    answer = {
        "begin": begin,
        "end": end,
        "rate": len(load.latencies) / (end - begin),
        "p99": quantiles(load.latencies, n=100)[-1] if len(load.latencies) > 1 else 0.0,
        "cpu": (time.process_time() - cpu) / (end - begin),
    }
    load.finish()
    print(json.dumps({**answer, "errors": load.errors}))


if __name__ == "__main__":
    main()
