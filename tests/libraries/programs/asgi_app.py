"""An ASGI application without a framework that says what it runs on, for the servers that import it."""

import asyncio
import json
from urllib.parse import parse_qs

from seen import wait_in_trio, what_it_runs_on


async def app(scope, receive, send):
    await {"lifespan": live, "http": respond, "websocket": echo}[scope["type"]](scope, receive, send)


async def live(scope, receive, send):
    await receive()
    await wait_in_trio()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await wait_in_trio()
    print("cleaned up", flush=True)
    await send({"type": "lifespan.shutdown.complete"})


async def respond(scope, receive, send):
    if scope["path"] == "/wait":
        print("waiting", flush=True)
        await asyncio.sleep(float(parse_qs(scope["query_string"].decode())["seconds"][0]))
        text = "waited"
    else:
        text = json.dumps(await what_it_runs_on())
    headers = [(b"content-length", b"%d" % len(text)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def echo(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await wait_in_trio()
        await send({"type": "websocket.send", "text": message["text"].upper()})
