"""`asyncio.Event` → `trio.Event`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._object_rule import ObjectRule, dropped
from trioasync._tools.migrate.rules._statements import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Edit, Finding
    from trioasync._tools.migrate.rules._objects import Family, Use

__all__ = ["Event"]


class Event(ObjectRule):
    """Rewrites events that are set once, and whose every use is in the same file."""

    name = "event"
    codes: ClassVar[Mapping[str, str]] = {"TAM230": "asyncio.Event -> trio.Event"}
    uses = frozenset(["asyncio.Event"])
    kinds = ("asyncio.Event",)
    native = "trio.Event"
    help = "for an event that is cleared: a new trio.Event each time, or the helper ResettableEvent"
    traps = (
        "wait() returns True in asyncio and None in trio.",
        "There is no clear(): who waits for the old event and who asks about the new one need two events.",
        "wait() on an event that is set lets others run first in trio; in asyncio it returns at once.",
        "trio wakes those who wait in no particular order, asyncio in the order in which they came.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM230": (
            "closed = asyncio.Event()\n...\nclosed.set()\n...\nawait closed.wait()\n",
            "closed = trio.Event()\n...\nclosed.set()\n...\nawait closed.wait()\n",
        )
    }

    def alone(self, ctx: Context, maker: ast.Call) -> Finding | None:
        """Rewrite `asyncio.Event().wait()`, which waits for ever."""
        attribute = ctx.parent(maker)
        call = ctx.parent(attribute) if isinstance(attribute, ast.Attribute) and attribute.attr == "wait" else None
        trio = ctx.needs("trio", maker)
        if not isinstance(call, ast.Call) or call.func is not attribute or trio is None:
            return None
        fix = ctx.fix("B", [ctx.replace(call, f"{trio}.sleep_forever()")], needs=["trio"])
        return self.finding(ctx, maker, "Event().wait() -> trio.sleep_forever()", fix=fix)

    def used(self, ctx: Context, use: Use, family: Family) -> Iterator[Edit]:
        """Check a use; none of those that may stay changes."""
        if use.member == "wait":
            if not dropped(ctx, use, elsewhere=True):
                raise Refused("what wait() returns (True in asyncio, None in trio) is used or handed on")
        elif use.member == "clear":
            raise Refused("it is cleared")
        elif use.member not in ("set", "is_set"):
            raise Refused(f"trio.Event has no {use.member}")
        yield from ()
