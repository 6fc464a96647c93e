"""`asyncio.as_completed`: a channel that the tasks of a nursery send into, written by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AsCompleted"]


class AsCompleted(AdviceRule):
    """Reports `as_completed`, of which a channel gives the same order: who ends first comes first."""

    name = "as_completed"
    codes: ClassVar[Mapping[str, str]] = {"TAM311": "asyncio.as_completed: a memory channel and a nursery"}
    traps = (
        (
            "An error in asyncio's form is raised where its future is awaited, and the others go on; in a "
            "nursery it cancels "
            "the others unless each task catches it and sends it."
        ),
        "timeout= is a scope around the nursery.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM311": (
            "for next_one in asyncio.as_completed([fetch(url) for url in urls]):\n    print(await next_one)",
            (
                "async def fetch_into(channel, url):\n    async with channel:\n        await channel.send(await "
                "fetch(url))\n\n"
                "async with trio.open_nursery() as nursery:\n"
                "    sender, receiver = trio.open_memory_channel(0)\n"
                "    async with sender:\n"
                "        for url in urls:\n            nursery.start_soon(fetch_into, sender.clone(), url)\n"
                "    async for page in receiver:\n        print(page)"
            ),
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = advice_for(
        "asyncio.as_completed",
        "as_completed: results in the order in which they come",
        "let each task of a nursery send its result into a memory channel, and read that with `async for`",
    )
