"""Names that go when something else goes: the exceptions of queues, and the class behind `asyncio.timeout`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for
from trioasync._tools.migrate.rules.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding

__all__ = ["GoesWith"]


class GoesWith(AdviceRule):
    """Reports QueueEmpty, QueueFull and QueueShutDown where their queue stays, and asyncio.Timeout by its name."""

    name = "goes_with"
    codes: ClassVar[Mapping[str, str]] = {"TAM241": "a name that goes with a queue or a timeout"}
    traps = (
        (
            "send_nowait and receive_nowait raise trio.WouldBlock; a closed channel raises trio.EndOfChannel where "
            "it is received from, and trio.ClosedResourceError or trio.BrokenResourceError where it is sent into."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM241": (
            "try:\n    item = queue.get_nowait()\nexcept asyncio.QueueEmpty:\n    item = None",
            "try:\n    item = receive_channel.receive_nowait()\nexcept trio.WouldBlock:\n    item = None",
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            "asyncio.QueueEmpty asyncio.QueueFull", "{} goes with its queue", "a channel raises trio.WouldBlock"
        ),
        **advice_for(
            "asyncio.QueueShutDown",
            "{} goes with its queue",
            "a closed channel raises trio.EndOfChannel or trio.ClosedResourceError",
        ),
        **advice_for("asyncio.Timeout", "{}: a timeout is named by its class", "trio.CancelScope"),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use that no rewrite of a queue takes along."""
        fixes = [finding.fix for finding in Queue().check(ctx) if finding.fix is not None]
        spans = [(edit.start, edit.end) for fix in fixes for edit in fix.edits]
        for name, node in ctx.uses_of(*self.advice):
            if not any(start <= ctx.span(node)[0] < end for start, end in spans):
                yield self._advised(ctx, name, node)
