"""A crawler in plain asyncio. It starts the site that it crawls, and checks what it found.

python examples/crawler.py             on asyncio
trioasync run examples/crawler.py      on trio, unchanged
"""

import asyncio
import hashlib
import re
import sys

SITE = {  # path: (seconds until the answer, page)
    "/": (0, 'home: <a href="/docs"> <a href="/news"> <a href="/slow">'),
    "/docs": (0.02, 'docs: <a href="/docs/tasks"> <a href="/docs/streams"> <a href="/">'),
    "/docs/tasks": (0.01, 'tasks: <a href="/docs/streams">'),
    "/docs/streams": (0.03, 'streams: <a href="/docs"> <a href="/missing">'),
    "/news": (0.02, 'news: <a href="/docs/tasks"> <a href="/news/1"> <a href="/news/2">'),
    "/news/1": (0.01, "first story"),
    "/news/2": (0.02, 'second story: <a href="/news/1">'),
    "/slow": (60, "nobody waits for this"),
}
EXPECTED = dict.fromkeys(SITE, "200") | {"/slow": "timeout", "/missing": "404"}
WORKERS, CONNECTIONS, PATIENCE = 4, 3, 1.0


async def serve(reader, writer):
    """The site's side of one connection."""
    try:
        _method, path, _version = (await reader.readline()).decode().split()
        delay, page = SITE.get(path, (0, "no such page"))
        await asyncio.wait_for(reader.read(), delay)  # comes to an end early when the client hangs up
    except asyncio.TimeoutError:
        status = "200 OK" if path in SITE else "404 Not Found"
        writer.write(f"HTTP/1.0 {status}\r\nContent-Length: {len(page)}\r\n\r\n{page}".encode())
        await writer.drain()
    finally:
        writer.close()


async def fetch(port, path):
    """Return the status and the text of a page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        head, _, page = (await reader.read()).decode().partition("\r\n\r\n")
        return head.split()[1], page
    finally:
        writer.close()


class Crawler:
    def __init__(self, port):
        self.port = port
        self.status, self.pages = {}, {}
        self.todo = asyncio.Queue()
        self.slots = asyncio.Semaphore(CONNECTIONS)

    def add(self, path):
        if path not in self.status:
            self.status[path] = "queued"
            self.todo.put_nowait(path)

    async def visit(self, path):
        async with self.slots:
            try:
                self.status[path], page = await asyncio.wait_for(fetch(self.port, path), PATIENCE)
            except asyncio.TimeoutError:
                self.status[path] = "timeout"
                return
        if self.status[path] == "200":
            self.pages[path] = page
            for link in re.findall(r'href="(.*?)"', page):
                self.add(link)

    async def worker(self):
        while True:
            path = await self.todo.get()
            await self.visit(path)
            self.todo.task_done()

    async def crawl(self, start):
        workers = [asyncio.create_task(self.worker()) for _ in range(WORKERS)]
        self.add(start)
        await self.todo.join()
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
        return all(isinstance(end, asyncio.CancelledError) for end in ended)


async def words(page):
    """Count the words of a page in another process."""
    program = "import sys; print(len(sys.stdin.read().split()))"
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    counter = await asyncio.create_subprocess_exec(sys.executable, "-c", program, **pipes)
    output, _ = await counter.communicate(page.encode())
    return int(output)


async def digest(path, page):
    """Hash a page in a thread."""
    return path, (await asyncio.to_thread(hashlib.sha256, page.encode())).hexdigest()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    crawler = Crawler(server.sockets[0].getsockname()[1])
    print("crawling with", WORKERS, "workers over", CONNECTIONS, "connections")
    all_cancelled = await crawler.crawl("/")
    server.close()
    await server.wait_closed()
    for path, status in sorted(crawler.status.items()):
        print(f"  {status:<8} {path}")

    pages = sorted(crawler.pages.items())
    digests = dict([await done for done in asyncio.as_completed([digest(*page) for page in pages])])
    counts = await asyncio.gather(*(words(page) for _, page in pages[:3]))
    for (path, page), count in zip(pages[:3], counts, strict=True):
        print(f"  {path}: {count} words, {digests[path][:8]}")
        assert count == len(page.split())

    right = crawler.status == EXPECTED and len(digests) == len(EXPECTED) - 2 and all_cancelled
    print("as expected" if right else f"wrong: expected {EXPECTED}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
