"""An aiohttp application that says what it runs on: started as a program, and by servers that import it."""

import asyncio
import socket

from aiohttp import web
from seen import wait_in_trio, what_it_runs_on


async def say(request):
    return web.json_response(await what_it_runs_on())


async def wait(request):
    """Say that a request has come, and answer it after some time."""
    print("waiting", flush=True)
    await asyncio.sleep(float(request.query["seconds"]))
    return web.Response(text="waited")


async def clean_up(app):
    await wait_in_trio()
    print("cleaned up", flush=True)


def make_app():
    app = web.Application()
    app.add_routes([web.get("/", say), web.get("/wait", wait)])
    app.on_cleanup.append(clean_up)
    return app


app = make_app()

if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print("port", listening.getsockname()[1], flush=True)
    web.run_app(app, sock=listening, print=None)
