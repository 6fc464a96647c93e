"""Futures: a value that somebody sets and others wait for; a person says what takes its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Future"]


class Future(AdviceRule):
    """Reports futures, which trioasync keeps supporting: in a trio program they are an Event and an attribute."""

    name = "future"
    codes: ClassVar[Mapping[str, str]] = {"TAM330": "asyncio.Future: an Event and an attribute, or a channel"}
    traps = (
        (
            "A future is one-shot, may carry an exception, and may be cancelled by who waits for it: say which of "
            "these is used."
        ),
        "A future that another thread completes is trio.from_thread.run_sync(event.set) there.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM330": (
            (
                "self.reply = asyncio.get_running_loop().create_future()\n...\nself.reply.set_result(data)\n...\n"
                "data = await self.reply"
            ),
            (
                "self.replied, self.reply = trio.Event(), None\n...\nself.reply = data\nself.replied.set()\n...\n"
                "await self.replied.wait()\ndata = self.reply"
            ),
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            "asyncio.Future loop.create_future",
            "{}: a value that others wait for",
            "trio.Event and an attribute beside it, or a memory channel of one slot",
        ),
        **advice_for(
            "asyncio.wrap_future", "{} waits for another thread", "await trio.to_thread.run_sync(future.result)"
        ),
        **advice_for("asyncio.isfuture asyncio.InvalidStateError", "{}", "it goes with the future"),
    }
