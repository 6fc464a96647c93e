"""A link checker in plain asyncio: it walks a web site and reports the links that are broken. It brings a site."""

import trioasync as asyncio
import hashlib
import re
import sys

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
        self.answering = 0
        self.closing = asyncio.Event()

    async def answer(self, reader, writer):
        """Serve one connection."""
        self.answering += 1
        _method, path, _version = (await reader.readline()).decode().split()
        self.requests += 1
        if path == "/archive":
            await self.closing.wait()
        elif path in MOVED:
            writer.write(b"HTTP/1.0 302 Found\r\nLocation: " + MOVED[path].encode() + b"\r\n\r\n")
        elif path in PAGES:
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + PAGES[path].encode())
        else:
            writer.write(b"HTTP/1.0 404 Not Found\r\n\r\n")
        try:
            await writer.drain()
        except ConnectionError:
            pass  # the client has lost its patience
        finally:
            writer.close()
            self.answering -= 1

    async def close(self):
        """Let go of whoever waits for the page that never comes."""
        self.closing.set()
        while self.answering:
            await asyncio.sleep(0.001)


async def fetch(port, path):
    """Return the status of a page, and its text or where it has moved to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET " + path.encode() + b" HTTP/1.0\r\n\r\n")
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.decode().partition("\r\n\r\n")
    status = int(head.split()[1])
    return status, head.partition("Location: ")[2] if status == 302 else body


class Checker:
    """Workers that share a queue of pages to visit."""

    def __init__(self, port):
        self.port = port
        self.queue = asyncio.Queue()
        self.slots = asyncio.Semaphore(CONNECTIONS)
        self.report_lock = asyncio.Lock()
        self.found_by = {}
        self.verdicts = {}
        self.digests = {}

    def add(self, path, found_on):
        """Remember a link, and queue its page if it is new."""
        if path not in self.found_by:
            self.found_by[path] = found_on
            self.queue.put_nowait(path)

    async def visit(self, path):
        """Fetch a page and follow what it links to."""
        async with self.slots:
            try:
                status, text = await asyncio.wait_for(fetch(self.port, path), PATIENCE)
            except asyncio.TimeoutError:
                await self.record(path, "no answer")
                return
        await self.record(path, {200: "ok", 302: "moved to " + text}.get(status, "broken"))
        if status == 302:
            self.add(text, path)
        for link in re.findall(r'href="(.*?)"', text):
            self.add(link, path)
        self.digests[path] = await asyncio.to_thread(digest, text)

    async def record(self, path, verdict):
        """Write a verdict down, one worker at a time."""
        async with self.report_lock:
            await asyncio.sleep(0.001)  # as a slow file would take
            self.verdicts[path] = verdict

    async def work(self):
        """Visit what the queue gives, until cancelled."""
        while True:
            path = await self.queue.get()
            try:
                await self.visit(path)
            finally:
                self.queue.task_done()

    async def check(self, start):
        """Walk the site from a page on."""
        self.add(start, "(start)")
        workers = [asyncio.create_task(self.work()) for _ in range(WORKERS)]
        await self.queue.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def digest(text):
    """Hash a page: real work, for a thread."""
    return hashlib.sha256(text.encode()[:LARGEST]).hexdigest()[:8]


async def main():
    """Serve the site, check it, print the report."""
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0)
    checker = Checker(server.sockets[0].getsockname()[1])
    await checker.check("/")
    await site.close()
    server.close()
    await server.wait_closed()

    for path, verdict in sorted(checker.verdicts.items()):
        print(f"{path:<14} {checker.digests.get(path, '-'):<8} {verdict}")
    bad = sorted(path for path, verdict in checker.verdicts.items() if verdict in ("broken", "no answer"))
    for path in bad:
        print(f"bad link on {checker.found_by[path]}: {path}")
    print(f"{len(checker.verdicts)} pages, {site.requests} requests, {len(bad)} bad links")
    return 0 if len(bad) == 4 else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
