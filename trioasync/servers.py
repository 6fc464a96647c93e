"""Names for servers that run an application in worker processes: docs/servers.md says which goes where.

A server that takes the function that makes its loop needs nothing of this: that name is `trioasync:new_event_loop`.
Here are gunicorn's worker classes, made when they are asked for, so that only what is in use is imported:

    AiohttpWorker   aiohttp's worker, for aiohttp.web applications
    AsgiWorker      gunicorn's own worker for ASGI applications (gunicorn 24)
    UvicornWorker   uvicorn's worker, for ASGI applications

and `hosted`, for a server that takes nothing but the name of the application.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from typing import Any

from . import install

__all__ = ["AiohttpWorker", "AsgiWorker", "UvicornWorker", "hosted"]  # noqa: F822 - the classes are made by __getattr__


def hosted(application: str) -> Any:
    """Return an application by its name, in a process whose loops are hosted by trio from now on.

    `hypercorn 'trioasync.servers:hosted("shop.app")'` is `hypercorn shop:app`, on trio.

    Args:
        application: where the application is, as "package.module.name" or "package.module:name".

    Raises:
        ImportError: if there is no such module.
        AttributeError: if the module has no such name.
    """
    install()
    return pkgutil.resolve_name(application)


class _Hosted:
    """Goes before a worker class of gunicorn's: the loops of its processes are hosted by trio."""

    cfg: Any

    def init_process(self) -> None:
        """Begin in the new process, which has made no loop yet."""
        install()
        super().init_process()  # type: ignore[misc]  # the worker class's


class _HostedAsgi(_Hosted):
    def init_process(self) -> None:
        """Begin, with the loop that asyncio makes: left to itself this worker takes uvloop's where it is installed."""
        self.cfg.set("asgi_loop", "asyncio")
        super().init_process()


class _HostedUvicorn(_Hosted):
    CONFIG_KWARGS = {"loop": "asyncio", "http": "auto"}  # noqa: RUF012 - as the worker class has it; its loop is "auto"


_WORKERS: dict[str, tuple[type, list[str]]] = {
    "AiohttpWorker": (_Hosted, ["aiohttp.worker:GunicornWebWorker"]),
    "AsgiWorker": (_HostedAsgi, ["gunicorn.workers.gasgi:ASGIWorker"]),
    # uvicorn's own is deprecated in favour of the one in the package uvicorn-worker.
    "UvicornWorker": (_HostedUvicorn, ["uvicorn_worker:UvicornWorker", "uvicorn.workers:UvicornWorker"]),
}


def __getattr__(name: str) -> Any:
    if name not in _WORKERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    hosted_as, worker_classes = _WORKERS[name]
    worker = type(name, (hosted_as, _first_of(worker_classes)), {"__module__": __name__})
    globals()[name] = worker
    return worker


def _first_of(names: list[str]) -> Any:
    """Return the first of some objects whose module is there."""
    *preferred, last = names
    for name in preferred:
        if importlib.util.find_spec(name.partition(":")[0]) is not None:
            return pkgutil.resolve_name(name)
    return pkgutil.resolve_name(last)
