"""`Task.cancelling` and `Task.uncancel` (asyncio 3.11) for a Python whose Task does not count its cancellations."""

from __future__ import annotations

import sys
from typing import Any

from .._stdlib import CTask, T_co

if sys.version_info >= (3, 11):
    CountingTask = CTask
else:

    class CountingTask(CTask[T_co]):
        """asyncio's Task, counting the cancellations that were asked for and not taken back."""

        __slots__ = ("_num_cancels_requested",)

        def cancelling(self) -> int:
            """Return how many cancellations were asked for and not taken back (asyncio 3.11)."""
            return getattr(self, "_num_cancels_requested", 0)

        def uncancel(self) -> int:
            """Take one request for cancellation back, and return how many remain (asyncio 3.11)."""
            self._num_cancels_requested = max(self.cancelling() - 1, 0)
            return self._num_cancels_requested

        def cancel(self, msg: Any = None) -> bool:
            """Ask the Task to stop by a CancelledError (asyncio 3.9).

            Args:
                msg: the message of the CancelledError.

            Returns:
                whether the Task can still be cancelled.
            """
            if self.done():
                return super().cancel(msg)  # which spares a failed task its "never retrieved"
            self._num_cancels_requested = self.cancelling() + 1
            return super().cancel(msg)
