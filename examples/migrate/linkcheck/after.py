"""A link checker: it walks a web site and reports the links that are broken. It brings a site."""

import hashlib
import math
import re
import sys
from functools import partial

import trio

PAGES = {
    "/": 'home <a href="/guide"> <a href="/news"> <a href="/archive"> <a href="/old">',
    "/guide": 'guide <a href="/guide/start"> <a href="/guide/tasks"> <a href="/">',
    "/guide/start": 'first steps <a href="/guide/tasks"> <a href="/downloads">',
    "/guide/tasks": 'tasks <a href="/guide/start"> <a href="/guide/faq">',
    "/news": 'news <a href="/news/1"> <a href="/news/2"> <a href="/guide">',
    "/news/1": 'a story <a href="/news/2">',
    "/news/2": 'another story <a href="/news/3">',
    "/archive": "a page that never comes",
    "/mirror": "the same story",
}
MOVED = {"/old": "/news/1"}
WORKERS = 4
CONNECTIONS = 3
PATIENCE = 1.0
LARGEST = 1000


class Site:
    """A web server with a few pages, one of which never answers."""

    def __init__(self):
        self.requests = 0

    async def answer(self, stream):
        """Serve one connection."""
        request = b""
        while b"\r\n" not in request:
            request += await stream.receive_some()
        _method, path, _version = request.decode().split()
        self.requests += 1
        if path == "/archive":
            await trio.sleep_forever()
        elif path in MOVED:
            answer = b"HTTP/1.0 302 Found\r\nLocation: " + MOVED[path].encode() + b"\r\n\r\n"
        elif path in PAGES:
            answer = b"HTTP/1.0 200 OK\r\n\r\n" + PAGES[path].encode()
        else:
            answer = b"HTTP/1.0 404 Not Found\r\n\r\n"
        try:
            await stream.send_all(answer)
        except trio.BrokenResourceError:
            pass  # the client has lost its patience


async def fetch(port, path):
    """Return the status of a page, and its text or where it has moved to."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(b"GET " + path.encode() + b" HTTP/1.0\r\n\r\n")
        answer = b"".join([part async for part in stream])
    head, _, body = answer.decode().partition("\r\n\r\n")
    status = int(head.split()[1])
    return status, head.partition("Location: ")[2] if status == 302 else body


class Checker:
    """Workers that share a channel of pages to visit."""

    def __init__(self, port):
        self.port = port
        self.send, self.receive = trio.open_memory_channel(math.inf)
        self.unfinished = 0
        self.slots = trio.Semaphore(CONNECTIONS)
        self.report_lock = trio.Lock()
        self.found_by = {}
        self.verdicts = {}
        self.digests = {}

    def add(self, path, found_on):
        """Remember a link, and send its page to the workers if it is new."""
        if path not in self.found_by:
            self.found_by[path] = found_on
            self.unfinished += 1
            self.send.send_nowait(path)

    async def visit(self, path):
        """Fetch a page and follow what it links to."""
        async with self.slots:
            try:
                with trio.fail_after(PATIENCE):
                    status, text = await fetch(self.port, path)
            except trio.TooSlowError:
                await self.record(path, "no answer")
                return
        await self.record(path, {200: "ok", 302: "moved to " + text}.get(status, "broken"))
        if status == 302:
            self.add(text, path)
        for link in re.findall(r'href="(.*?)"', text):
            self.add(link, path)
        self.digests[path] = await trio.to_thread.run_sync(digest, text, abandon_on_cancel=True)

    async def record(self, path, verdict):
        """Write a verdict down, one worker at a time."""
        async with self.report_lock:
            await trio.sleep(0.001)  # as a slow file would take
            self.verdicts[path] = verdict

    async def work(self):
        """Visit what the channel gives, until the last page is done."""
        async for path in self.receive:
            await self.visit(path)
            self.unfinished -= 1
            if not self.unfinished:
                self.send.close()

    async def check(self, start):
        """Walk the site from a page on."""
        self.add(start, "(start)")
        async with trio.open_nursery() as nursery:
            for _ in range(WORKERS):
                nursery.start_soon(self.work)


def digest(text):
    """Hash a page: real work, for a thread."""
    return hashlib.sha256(text.encode()[:LARGEST]).hexdigest()[:8]


async def main():
    """Serve the site, check it, print the report."""
    site = Site()
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, site.answer, 0, host="127.0.0.1"))
        checker = Checker(listener.socket.getsockname()[1])
        await checker.check("/")
        nursery.cancel_scope.cancel()

    for path, verdict in sorted(checker.verdicts.items()):
        print(f"{path:<14} {checker.digests.get(path, '-'):<8} {verdict}")
    bad = sorted(path for path, verdict in checker.verdicts.items() if verdict in ("broken", "no answer"))
    for path in bad:
        print(f"bad link on {checker.found_by[path]}: {path}")
    print(f"{len(checker.verdicts)} pages, {site.requests} requests, {len(bad)} bad links")
    return 0 if len(bad) == 4 else 1


if __name__ == "__main__":
    sys.exit(trio.run(main))
