"""Third-party packages that run on asyncio."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.known_packages import imported
from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety
    from trioasync._tools.migrate.known_packages import Package

__all__ = ["Packages"]

_BEFORE = """\
import aiohttp


async def fetch(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()
"""
_AFTER = """\
import httpx


async def fetch(url):
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text
"""


class Packages(Rule):
    """Finds imports of packages that need an asyncio loop: while there is one, a program stays on trioasync."""

    name = "packages"
    codes: ClassVar[Mapping[str, str]] = {"TAM400": "a third-party package that runs on asyncio"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM400": "C"}
    traps = (
        "On trioasync such a package works as it is, beside trio code: it need not be replaced at once.",
        "The list is of well-known packages; one that is not in it may need asyncio all the same.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {"TAM400": (_BEFORE, _AFTER)}

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every import."""
        for node in ctx.nodes(ast.Import, ast.ImportFrom):
            assert isinstance(node, (ast.Import, ast.ImportFrom))
            for package in imported(node):
                message = f"{package.name} runs on {package.runs_on}"
                yield self.finding(ctx, node, message, symbol=package.name, help=_advice(package))


def _advice(package: Package) -> str:
    if package.runs_on != "asyncio":
        return "it needs no change on trio"
    stays = "it works on trioasync, and keeps the program there"
    return f"{stays}; for trio: {package.native}" if package.native else stays
