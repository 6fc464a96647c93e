"""`asyncio.wait`: what it does depends on its tasks, so a person rewrites it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Wait"]

_CONSTANTS = "asyncio.FIRST_COMPLETED asyncio.FIRST_EXCEPTION asyncio.ALL_COMPLETED"


class Wait(AdviceRule):
    """Reports `wait` and its constants: its arguments are tasks, which belong to a nursery from their start."""

    name = "wait"
    codes: ClassVar[Mapping[str, str]] = {"TAM310": "asyncio.wait: a nursery, a race or a scope"}
    traps = (
        "ALL_COMPLETED is what the end of a nursery's block does; FIRST_EXCEPTION is what a nursery does at an error.",
        "FIRST_COMPLETED is a race: the winner cancels nursery.cancel_scope. asyncio leaves the losers running.",
        "timeout= is trio.move_on_after around the nursery; asyncio's wait leaves the tasks running when it is over.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM310": (
            (
                "done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)\n"
                "for task in pending:\n    task.cancel()\nresult = done.pop().result()"
            ),
            "result = await race(*(partial(fetch, mirror) for mirror in mirrors))",
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for(
            "asyncio.wait",
            "wait for tasks: a nursery waits for what it has started",
            "ALL_COMPLETED: a nursery's block; FIRST_COMPLETED: race(); timeout: trio.move_on_after around it",
        ),
        **advice_for(_CONSTANTS, "{}", "it goes with wait"),
    }
