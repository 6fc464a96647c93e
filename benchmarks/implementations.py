"""How each implementation starts a program: one function each, in the table at the end."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType

Main = Callable[[ModuleType], Awaitable[None]]


@dataclass(frozen=True)
class Implementation:
    """A column of the table: `module` is imported, then `start(module, main)` runs `main(aio)` to its end."""

    module: str
    start: Callable[[ModuleType, Main], None]


class Unavailable(Exception):
    """The implementation cannot be used on this Python; the text is what the table says."""


def start_on_asyncio(module: ModuleType, main: Main) -> None:
    asyncio.run(main(asyncio))


def start_on_uvloop(uvloop: ModuleType, main: Main) -> None:
    uvloop.run(main(asyncio))


def start_on_trio_asyncio(trio_asyncio: ModuleType, main: Main) -> None:
    trio_asyncio.run(trio_asyncio.aio_as_trio(main), asyncio)


def start_on_trioasync(trioasync: ModuleType, main: Main) -> None:
    trioasync.run(main(trioasync))


IMPLEMENTATIONS = {
    "asyncio": Implementation("asyncio", start_on_asyncio),
    "uvloop": Implementation("uvloop", start_on_uvloop),
    "trio-asyncio": Implementation("trio_asyncio", start_on_trio_asyncio),
    "trioasync": Implementation("trioasync", start_on_trioasync),
}


def start(name: str, main: Main) -> None:
    """Run `main(aio)` on the implementation called `name`; raise Unavailable where this Python has none."""
    implementation = IMPLEMENTATIONS[name]
    if importlib.util.find_spec(implementation.module) is None:
        raise Unavailable("not installed")
    try:
        module = importlib.import_module(implementation.module)
    except Exception as import_error:
        raise Unavailable(f"does not import here ({type(import_error).__name__})") from import_error
    implementation.start(module, main)


def versions() -> dict[str, str | None]:
    """Return the installed version of trio and of each implementation that is not the standard library's."""
    found: dict[str, str | None] = {}
    for distribution in ["trio", *(name for name in IMPLEMENTATIONS if name != "asyncio")]:
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            found[distribution] = None
    return found
