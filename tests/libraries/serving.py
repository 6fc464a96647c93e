"""ASGI applications served by uvicorn inside of the program under test, in its own loop."""

import asyncio
import contextlib
import socket

from tests.libraries.ways import needs

uvicorn = needs("uvicorn")


@contextlib.asynccontextmanager
async def serving(app, *, tls=None, **options):
    """Serve an ASGI application on a port of the system's choice, and give its URL; `tls` are certificates."""
    listening = socket.create_server(("127.0.0.1", 0))
    files = {"ssl_certfile": tls.key_and_chain, "ssl_keyfile": tls.key_and_chain} if tls else {}
    settings = {"log_config": None, "timeout_graceful_shutdown": 5, "ws": "websockets-sansio"} | files | options
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    # It accepts connections once the application has started; what comes before waits in the backlog.
    running = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
