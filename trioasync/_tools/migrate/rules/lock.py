"""`asyncio.Lock` → `trio.Lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules import _held
from trioasync._tools.migrate.rules._object_rule import ObjectRule
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Edit
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["Lock"]


class Lock(ObjectRule):
    """Rewrites locks that are held by `async with`, or from an `acquire()` to the `finally` behind it."""

    name = "lock"
    codes: ClassVar[Mapping[str, str]] = {"TAM231": "asyncio.Lock -> trio.Lock"}
    uses = frozenset(["asyncio.Lock"])
    kinds = ("asyncio.Lock",)
    native = "trio.Lock"
    help = "hold the lock by async with; for a lock that others release, use trio.Semaphore(1)"
    traps = (
        "trio's lock has an owner: if another task releases it, or the owner takes it twice, that is a RuntimeError.",
        "acquire() returns True in asyncio and None in trio.",
        "async with lets others run first in trio, even if the lock is free; trio.StrictFIFOLock keeps the order.",
        "Across a yield a lock may be released by another task: such code is left to a person.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM231": (
            "lock = asyncio.Lock()\n...\nasync with lock:\n    await change()\n",
            "lock = trio.Lock()\n...\nasync with lock:\n    await change()\n",
        )
    }

    def used(self, ctx: Context, use: Use, family: Family) -> Iterator[Edit]:
        """Check a use; none of those that may stay changes."""
        if use.member == "acquire":
            _held.check_acquired(ctx, use)
        elif use.member == "release":
            _held.check_released(ctx, use)
        elif use.member != "locked":
            raise Refused(f"trio.Lock has no {use.member}")
        yield from ()

    def check_entered(self, ctx: Context, use: Use) -> None:
        """Refuse a block that yields."""
        _held.check_block(ctx, use)
