"""A chat server in plain asyncio, with scripted visitors that talk to it over TCP."""

import trioasync as asyncio
import trio
import contextlib

IDLE = 5.0
SCRIPTS = {
    "ada": ["hello", "how is the engine?", "good"],
    "bob": ["hi ada", "it turns"],
    "cyd": ["(reads along)"],
}
BORES = ["late"]


class Room:
    """Who is in the room, and what has been said there."""

    def __init__(self):
        self.writers = {}
        self.history = []
        self.lock = trio.Lock()
        self.changed = trio.Condition()

    async def say(self, speaker, text):
        """Send a line to everybody in the room."""
        line = f"{speaker}: {text}"
        async with self.lock:
            self.history.append(line)
            for writer in list(self.writers.values()):
                with contextlib.suppress(ConnectionError):
                    writer.write(line.encode() + b"\n")
                    await writer.drain()

    async def enter(self, name, writer):
        """Let somebody in."""
        self.writers[name] = writer
        async with self.changed:
            self.changed.notify_all()

    async def leave(self, name):
        """Let somebody out."""
        del self.writers[name]
        async with self.changed:
            self.changed.notify_all()

    async def wait_for_people(self, count):
        """Return when exactly so many people are here."""
        async with self.changed:
            while not (len(self.writers) == count):
                await self.changed.wait()


class Server:
    """The connections to a room."""

    def __init__(self, room):
        self.room = room
        self.refused = []
        self.busy = 0
        self.connections = trio.Semaphore(10, max_value=10)

    async def serve(self, reader, writer):
        """One visitor, from the first line to the last."""
        self.busy += 1
        async with self.connections:
            try:
                name = (await reader.readline()).decode().strip()
                if name in BORES:
                    self.refused.append(name)
                    writer.write(b"*: you are not welcome\n")
                    await writer.drain()
                else:
                    await self.entertain(name, reader, writer)
            finally:
                writer.close()
                self.busy -= 1

    async def entertain(self, name, reader, writer):
        """Pass on what a visitor says until the connection ends, or nothing is said for long."""
        await self.room.enter(name, writer)
        try:
            while True:
                with trio.fail_after(IDLE):
                    line = await reader.readline()
                if not line:
                    break
                await self.room.say(name, line.decode().strip())
        except (trio.TooSlowError, TimeoutError):
            await self.room.say("*", f"{name} has fallen asleep")
        finally:
            await self.room.leave(name)

    async def wait_until_idle(self):
        """Return when no connection is served any more."""
        while self.busy:
            await trio.sleep(0.001)


class Visitor:
    """One end of a conversation: says its lines when told to, and writes down what it hears."""

    def __init__(self, name):
        self.name = name
        self.heard = []
        self.turn = trio.Event()
        self.done = trio.Event()

    async def visit(self, port, lines):
        """Come in, wait for the turn, say the lines, stay until told to go."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(self.name.encode() + b"\n")
            ears = asyncio.create_task(self.listen(reader))
            await self.turn.wait()
            for line in lines:
                writer.write(line.encode() + b"\n")
                await writer.drain()
                await self.hear(f"{self.name}: {line}")
            await self.done.wait()
            writer.write_eof()
            await ears
        finally:
            writer.close()

    async def listen(self, reader):
        """Write down every line until the server closes the connection."""
        while True:
            line = await reader.readline()
            if not line:
                return
            self.heard.append(line.decode().strip())

    async def hear(self, line):
        """Return when a line has come back."""
        while line not in self.heard:
            await trio.sleep(0.001)


async def conversation(room, visitors):
    """Give each visitor the turn in order of the alphabet, then send them home."""
    await room.wait_for_people(len(visitors))
    for name in sorted(visitors):
        visitors[name].turn.set()
        await visitors[name].hear(f"{name}: {SCRIPTS[name][-1]}")
    for name in sorted(visitors):
        for line in room.history:
            await visitors[name].hear(line)
    for visitor in visitors.values():
        visitor.done.set()
    await room.wait_for_people(0)


async def be_refused(port):
    """Come in under a name that the server does not like, and return what it says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(BORES[0].encode() + b"\n")
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()


async def main():
    """Run the server and everybody who talks to it."""
    room = Room()
    chat = Server(room)
    server = await asyncio.start_server(chat.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    visitors = {name: Visitor(name) for name in SCRIPTS}
    await asyncio.gather(
        conversation(room, visitors),
        *(visitor.visit(port, SCRIPTS[name]) for name, visitor in visitors.items()),
    )
    refusal = await be_refused(port)
    await chat.wait_until_idle()
    server.close()
    await server.wait_closed()

    for line in room.history:
        print(line)
    for name, visitor in sorted(visitors.items()):
        print(name, "heard", len(visitor.heard), "lines, all" if visitor.heard == room.history else "lines, not all")
    print(f"{chat.refused[0]} was told: {refusal}")


if __name__ == "__main__":
    asyncio.run(main())
