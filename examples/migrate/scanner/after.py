"""A port scanner: finds out which ports of a host answer, and with what. It brings a host along."""

import contextlib
import random
import socket
from functools import partial

import trio
from _trio_helpers import LineReader

BANNERS = {"ssh": b"SSH-2.0-example\r\n", "smtp": b"220 mail.example\r\n", "pop": b"+OK ready\r\n"}
AT_A_TIME = 8
CONNECT_LIMIT = 2.0
BANNER_LIMIT = 0.5


class Host:
    """A machine with some services: three that greet, one that is silent, one that hangs up."""

    def __init__(self):
        self.names = {}

    async def start(self, nursery):
        """Open a port for each service; they are closed when the nursery is cancelled."""
        for name, banner in BANNERS.items():
            await self.open(nursery, name, self.greet(banner))
        await self.open(nursery, "silent", self.be_silent)
        await self.open(nursery, "rude", self.hang_up)

    async def open(self, nursery, name, service):
        """Open one port."""
        (listener,) = await nursery.start(partial(trio.serve_tcp, service, 0, host="127.0.0.1"))
        self.names[listener.socket.getsockname()[1]] = name

    def greet(self, banner):
        """Make a service that sends a banner."""

        async def service(stream):
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.send_all(banner)

        return service

    async def be_silent(self, stream):
        """A service that waits for the client to begin."""
        await trio.sleep_forever()

    async def hang_up(self, stream):
        """A service that does not like to be called."""


class Progress:
    """Counts the ports that are done, for whoever waits for half of them."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.changed = trio.Condition()

    async def step(self):
        """Count one port."""
        async with self.changed:
            self.done += 1
            self.changed.notify_all()

    async def half(self):
        """Return when half of the ports are done."""
        async with self.changed:
            while not (self.done * 2 >= self.total):
                await self.changed.wait()
        return f"half of {self.total} ports done"


class Scanner:
    """Looks at ports, some at a time."""

    def __init__(self, ports):
        self.ports = ports
        self.slots = trio.Semaphore(AT_A_TIME)
        self.progress = Progress(len(ports))
        self.open_ports = {}

    async def connect(self, port):
        """Return a connection, or None where nobody answers."""
        try:
            with trio.fail_after(CONNECT_LIMIT):
                return await trio.open_tcp_stream("127.0.0.1", port)
        except (trio.TooSlowError, OSError):
            return None

    async def banner(self, stream):
        """Return the first line that a service sends, if it sends one."""
        try:
            with trio.fail_after(BANNER_LIMIT):
                line = await LineReader(stream).readline()
        except trio.TooSlowError:
            return "(says nothing)"
        except trio.BrokenResourceError:
            return "(hangs up)"
        return line.decode().strip() or "(hangs up)"

    async def probe(self, port):
        """Look at one port."""
        async with self.slots:
            stream = await self.connect(port)
            if stream is not None:
                async with stream:
                    self.open_ports[port] = await self.banner(stream)
        await self.progress.step()

    async def scan(self):
        """Look at all ports, and report half-way."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.probe_all)
            return await self.progress.half()

    async def probe_all(self):
        """Look at all ports."""
        async with trio.open_nursery() as nursery:
            for port in self.ports:
                nursery.start_soon(self.probe, port)


@contextlib.contextmanager
def closed_ports(count):
    """Give some ports that are taken, but where nobody listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in sockets]


async def resolve(name):
    """Return the addresses of a host."""
    found = await trio.socket.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({address[0] for *_, address in found})


async def main():
    """Scan the host and print what is open."""
    host = Host()
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        await host.start(nursery)
        with closed_ports(40) as closed:
            ports = [*host.names, *closed]
            random.shuffle(ports)
            scanner = Scanner(ports)
            with trio.CancelScope(shield=True):
                report = await scanner.scan()
        nursery.cancel_scope.cancel()
    took = trio.current_time() - begun

    print("scanned", ", ".join(await resolve("127.0.0.1")))
    print(report)
    for port, banner in sorted(scanner.open_ports.items(), key=lambda each: host.names[each[0]]):
        print(f"{host.names[port]:<7} {banner}")
    print("in good time" if took < 5 else f"it took {took:.1f} s")


if __name__ == "__main__":
    trio.run(main)
