"""A tornado application that says what it runs on; `--processes=N` serves from N forked processes."""

import asyncio
import signal
import sys

from seen import wait_in_trio, what_it_runs_on
from tornado.httpserver import HTTPServer
from tornado.process import fork_processes
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler


class Say(RequestHandler):
    async def get(self):
        self.write(await what_it_runs_on())


class Wait(RequestHandler):
    async def get(self):
        print("waiting", flush=True)
        await asyncio.sleep(float(self.get_argument("seconds")))
        self.write("waited")


async def main():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = HTTPServer(Application([("/", Say), ("/wait", Wait)]))
    server.add_socket(listening)
    await stopped.wait()
    server.stop()
    while len(asyncio.all_tasks()) > 1:  # the requests that are under way
        await asyncio.sleep(0.01)
    await server.close_all_connections()
    await wait_in_trio()
    print("cleaned up", flush=True)


listening, port = bind_unused_port()
print("port", port, flush=True)
if sys.argv[1:]:
    fork_processes(int(sys.argv[1].partition("=")[2]))
asyncio.run(main())
