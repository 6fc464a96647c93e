"""A port scanner in plain asyncio: finds out which ports of a host answer, and with what. It brings a host along."""

import asyncio
import contextlib
import random
import socket

BANNERS = {"ssh": b"SSH-2.0-example\r\n", "smtp": b"220 mail.example\r\n", "pop": b"+OK ready\r\n"}
AT_A_TIME = 8
CONNECT_LIMIT = 2.0
BANNER_LIMIT = 0.5


class Host:
    """A machine with some services: three that greet, one that is silent, one that hangs up."""

    def __init__(self):
        self.servers = []
        self.busy = 0
        self.names = {}
        self.silent = asyncio.Event()

    async def start(self):
        """Open a port for each service."""
        for name, banner in BANNERS.items():
            await self.open(name, self.greet(banner))
        await self.open("silent", self.be_silent)
        await self.open("rude", self.hang_up)

    async def open(self, name, service):
        """Open one port."""

        async def serve(reader, writer):
            self.busy += 1
            try:
                await service(writer)
            finally:
                writer.close()
                self.busy -= 1

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.servers.append(server)
        self.names[server.sockets[0].getsockname()[1]] = name

    async def stop(self):
        """Close all ports."""
        self.silent.set()
        while self.busy:
            await asyncio.sleep(0.001)
        for server in self.servers:
            server.close()
            await server.wait_closed()

    def greet(self, banner):
        """Make a service that sends a banner."""

        async def service(writer):
            writer.write(banner)
            with contextlib.suppress(ConnectionError):
                await writer.drain()

        return service

    async def be_silent(self, writer):
        """A service that waits for the client to begin."""
        await self.silent.wait()

    async def hang_up(self, writer):
        """A service that does not like to be called."""


class Progress:
    """Counts the ports that are done, for whoever waits for half of them."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.changed = asyncio.Condition()

    async def step(self):
        """Count one port."""
        async with self.changed:
            self.done += 1
            self.changed.notify_all()

    async def half(self):
        """Return when half of the ports are done."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.done * 2 >= self.total)
        return f"half of {self.total} ports done"


class Scanner:
    """Looks at ports, some at a time."""

    def __init__(self, ports):
        self.ports = ports
        self.slots = asyncio.Semaphore(AT_A_TIME)
        self.progress = Progress(len(ports))
        self.open_ports = {}

    async def connect(self, port):
        """Return the two ends of a connection, or None where nobody answers."""
        try:
            return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), CONNECT_LIMIT)
        except (asyncio.TimeoutError, ConnectionError):
            return None

    async def banner(self, reader):
        """Return the first line that a service sends, if it sends one."""
        try:
            line = await asyncio.wait_for(reader.readline(), timeout=BANNER_LIMIT)
        except asyncio.TimeoutError:
            return "(says nothing)"
        except ConnectionError:
            return "(hangs up)"
        return line.decode().strip() or "(hangs up)"

    async def probe(self, port):
        """Look at one port."""
        async with self.slots:
            connection = await self.connect(port)
            if connection is not None:
                reader, writer = connection
                self.open_ports[port] = await self.banner(reader)
                writer.close()
        await self.progress.step()

    async def scan(self):
        """Look at all ports, and report half-way."""
        _, report = await asyncio.gather(self.probe_all(), self.progress.half())
        return report

    async def probe_all(self):
        """Look at all ports."""
        await asyncio.gather(*(self.probe(port) for port in self.ports))


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
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({address[0] for *_, address in found})


async def main():
    """Scan the host and print what is open."""
    host = Host()
    await host.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with closed_ports(40) as closed:
        ports = [*host.names, *closed]
        random.shuffle(ports)
        scanner = Scanner(ports)
        try:
            report = await asyncio.shield(scanner.scan())
        finally:
            await host.stop()
    took = loop.time() - begun

    print("scanned", ", ".join(await resolve("127.0.0.1")))
    print(report)
    for port, banner in sorted(scanner.open_ports.items(), key=lambda each: host.names[each[0]]):
        print(f"{host.names[port]:<7} {banner}")
    print("in good time" if took < 5 else f"it took {took:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
