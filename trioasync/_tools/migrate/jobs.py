"""The same work for many files, in one process or in several; results come in the order of the files."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["each"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[[Item], Result], items: Sequence[Item], jobs: int = 1) -> Iterator[Result]:
    """Do work for each item.

    Args:
        work: can be pickled.
        items: what to work on.
        jobs: how many processes share it.
    """
    if jobs <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    # To fork is by far the quickest, and safe as long as there are no other threads, whose locks a child would inherit.
    may_fork = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    method = "fork" if may_fork else "spawn"
    share = max(1, min(64, len(items) // (jobs * 4)))
    with ProcessPoolExecutor(min(jobs, len(items)), mp_context=multiprocessing.get_context(method)) as pool:
        yield from pool.map(work, items, chunksize=share)
