"""`asyncio.TimeoutError` → `TimeoutError` where Python 3.10 is supported, too: last, and everywhere at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.rules.timeout_errors import TimeoutErrors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["TimeoutErrorsLast"]


class TimeoutErrorsLast(TimeoutErrors):
    """Gives the error of timeouts its own name, once nothing is left in the project that raises asyncio's."""

    name = "timeout_errors_last"
    codes: ClassVar[Mapping[str, str]] = {"TAM213": "asyncio.TimeoutError -> TimeoutError, with Python 3.10"}
    safety: ClassVar[Mapping[str, Safety]] = {"TAM213": "B"}
    gate: ClassVar[Literal["", "file", "program", "project"]] = "project"
    traps = (
        "On Python 3.10 asyncio.TimeoutError is a class of its own, which a handler of TimeoutError does not know.",
        "So it stays as long as anything in the project uses asyncio, and then goes everywhere at once.",
        "A project that needs Python 3.11 or later says so (python, or requires-python) and need not wait.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM213": (
            "try:\n    await answer()\nexcept asyncio.TimeoutError:\n    raise asyncio.TimeoutError from None\n",
            "try:\n    await answer()\nexcept TimeoutError:\n    raise TimeoutError from None\n",
        )
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of asyncio.TimeoutError."""
        if ctx.options.python < (3, 11):
            yield from self.renamed(ctx, "B")
