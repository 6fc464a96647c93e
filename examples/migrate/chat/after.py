"""A chat server, with scripted visitors that talk to it over TCP."""

import contextlib
from functools import partial

import trio
from _trio_helpers import LineReader

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
        self.streams = {}
        self.history = []
        self.lock = trio.Lock()
        self.changed = trio.Condition()

    async def say(self, speaker, text):
        """Send a line to everybody in the room."""
        line = f"{speaker}: {text}"
        async with self.lock:
            self.history.append(line)
            for stream in list(self.streams.values()):
                with contextlib.suppress(trio.BrokenResourceError):
                    await stream.send_all(line.encode() + b"\n")

    async def enter(self, name, stream):
        """Let somebody in."""
        self.streams[name] = stream
        async with self.changed:
            self.changed.notify_all()

    async def leave(self, name):
        """Let somebody out."""
        del self.streams[name]
        async with self.changed:
            self.changed.notify_all()

    async def wait_for_people(self, count):
        """Return when exactly so many people are here."""
        async with self.changed:
            while len(self.streams) != count:
                await self.changed.wait()


class Server:
    """The connections to a room."""

    def __init__(self, room):
        self.room = room
        self.refused = []
        self.connections = trio.Semaphore(10, max_value=10)

    async def serve(self, stream):
        """One visitor, from the first line to the last."""
        async with self.connections:
            reader = LineReader(stream)
            name = (await reader.readline()).decode().strip()
            if name in BORES:
                self.refused.append(name)
                await stream.send_all(b"*: you are not welcome\n")
            else:
                await self.entertain(name, reader, stream)

    async def entertain(self, name, reader, stream):
        """Pass on what a visitor says until the connection ends, or nothing is said for long."""
        await self.room.enter(name, stream)
        try:
            while True:
                with trio.fail_after(IDLE):
                    line = await reader.readline()
                if not line:
                    break
                await self.room.say(name, line.decode().strip())
        except trio.TooSlowError:
            await self.room.say("*", f"{name} has fallen asleep")
        finally:
            with trio.CancelScope(shield=True):
                await self.room.leave(name)


class Visitor:
    """One end of a conversation: says its lines when told to, and writes down what it hears."""

    def __init__(self, name):
        self.name = name
        self.heard = []
        self.turn = trio.Event()
        self.done = trio.Event()

    async def visit(self, port, lines):
        """Come in, wait for the turn, say the lines, stay until told to go."""
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream, trio.open_nursery() as nursery:
            await stream.send_all(self.name.encode() + b"\n")
            nursery.start_soon(self.listen, LineReader(stream))
            await self.turn.wait()
            for line in lines:
                await stream.send_all(line.encode() + b"\n")
                await self.hear(f"{self.name}: {line}")
            await self.done.wait()
            await stream.send_eof()

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
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(BORES[0].encode() + b"\n")
        return (await LineReader(stream).readline()).decode().strip()


async def main():
    """Run the server and everybody who talks to it."""
    room = Room()
    chat = Server(room)
    visitors = {name: Visitor(name) for name in SCRIPTS}
    async with trio.open_nursery() as server:
        (listener,) = await server.start(partial(trio.serve_tcp, chat.serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(conversation, room, visitors)
            for name, visitor in visitors.items():
                nursery.start_soon(visitor.visit, port, SCRIPTS[name])
        refusal = await be_refused(port)
        server.cancel_scope.cancel()

    for line in room.history:
        print(line)
    for name, visitor in sorted(visitors.items()):
        print(name, "heard", len(visitor.heard), "lines, all" if visitor.heard == room.history else "lines, not all")
    print(f"{chat.refused[0]} was told: {refusal}")


if __name__ == "__main__":
    trio.run(main)
