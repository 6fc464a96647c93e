"""The Barrier of asyncio 3.11, for Python 3.10."""

from __future__ import annotations

import asyncio
import enum

from ..exceptions import BrokenBarrierError

__all__ = ("Barrier",)


class _State(enum.Enum):
    """What a Barrier does with who comes now; the values word its repr."""

    FILLING = "filling"  # waits with the others
    DRAINING = "draining"  # waits until the last one of this round has gone
    RESETTING = "resetting"  # the same, while those of this round leave with an error
    BROKEN = "broken"  # is refused


class Barrier:
    """Holds tasks back until `parties` of them have come, then lets them all go (asyncio 3.15).

    Raises ValueError if `parties` is less than one.
    """

    def __init__(self, parties: int) -> None:
        if parties < 1:
            raise ValueError("parties must be >= 1")
        self._parties = parties
        self._state = _State.FILLING
        self._count = 0  # the tasks of this round, from their coming to their going
        self._changed = asyncio.Condition()

    def __repr__(self) -> str:
        waiters = "" if self.broken else f", waiters:{self.n_waiting}/{self.parties}"
        return f"<{super().__repr__()[1:-1]} [{self._state.value}{waiters}]>"

    async def __aenter__(self) -> int:
        return await self.wait()

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def wait(self) -> int:
        """Wait for the other tasks and return this one's number, from 0 to `parties - 1`, each given once per round.

        Raises BrokenBarrierError if the barrier is broken, or is reset or aborted meanwhile.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._state not in (_State.DRAINING, _State.RESETTING))
            if self._state is _State.BROKEN:
                raise BrokenBarrierError("Barrier aborted")
            number = self._count
            self._count += 1
            try:
                await self._fill(number)
            finally:
                self._count -= 1
                self._leave()
            return number

    async def reset(self) -> None:
        """Make the barrier new; tasks that wait at it get BrokenBarrierError."""
        async with self._changed:
            self._state = _State.RESETTING if self._count else _State.FILLING
            self._changed.notify_all()

    async def abort(self) -> None:
        """Break the barrier: tasks that wait at it, now or later, get BrokenBarrierError."""
        async with self._changed:
            self._state = _State.BROKEN
            self._changed.notify_all()

    @property
    def parties(self) -> int:
        """Return how many tasks it takes to pass."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """Return how many tasks wait at the barrier to be let go."""
        return self._count if self._state is _State.FILLING else 0

    @property
    def broken(self) -> bool:
        """Tell whether the barrier is broken."""
        return self._state is _State.BROKEN

    async def _fill(self, number: int) -> None:
        if number + 1 == self._parties:
            self._state = _State.DRAINING
            self._changed.notify_all()
            return
        await self._changed.wait_for(lambda: self._state is not _State.FILLING)
        if self._state is not _State.DRAINING:
            raise BrokenBarrierError("Abort or reset of barrier")

    def _leave(self) -> None:
        if self._count:
            return
        if self._state is not _State.BROKEN:
            self._state = _State.FILLING
        self._changed.notify_all()
