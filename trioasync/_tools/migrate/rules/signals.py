"""Signal handlers of the loop: in trio a task that iterates over what arrives, written by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Signals"]


class Signals(AdviceRule):
    """Reports `add_signal_handler` and `remove_signal_handler`."""

    name = "signals"
    codes: ClassVar[Mapping[str, str]] = {"TAM370": "loop.add_signal_handler: a task in trio.open_signal_receiver"}
    traps = (
        "The receiver handles signals while its block is open: open it before the program says that it is ready.",
        "A handler that cancelled all tasks is nursery.cancel_scope.cancel() in that task.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM370": (
            "loop.add_signal_handler(signal.SIGTERM, stop)",
            (
                "async def watch_signals():\n"
                "    with trio.open_signal_receiver(signal.SIGTERM) as signals:\n"
                "        async for _ in signals:\n            stop()\n\n"
                "nursery.start_soon(watch_signals)"
            ),
        )
    }
    advice: ClassVar[Mapping[str, Advice]] = advice_for(
        "loop.add_signal_handler loop.remove_signal_handler",
        "{}",
        "a task with `with trio.open_signal_receiver(...) as signals:` and `async for`",
    )
