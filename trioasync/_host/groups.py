"""Exception groups that are made of cancellations only, as trio's nurseries raise them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import trio

from ..exceptions import CancelledError, ScopeCancelled

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup


def one_cancellation(errors: list[BaseException]) -> BaseException | None:
    """Return the one cancellation that exceptions amount to, or None if there are others among them."""
    ending = as_cancellation(BaseExceptionGroup("", errors))
    return None if isinstance(ending, BaseExceptionGroup) else ending


def as_cancellation(ending: BaseException) -> BaseException:
    """Return the CancelledError that an exception amounts to for the Task that ends with it, or else the exception.

    A trio nursery wraps what it raises in a group. A group made only of cancellations is a cancellation.
    """
    if isinstance(ending, BaseExceptionGroup):
        if ending.split((CancelledError, trio.Cancelled))[1] is not None:
            return ending
        leaves = list(_leaves(ending))
        plain = [leaf for leaf in leaves if not isinstance(leaf, trio.Cancelled)]
        ending = (plain or leaves)[0]
    if isinstance(ending, trio.Cancelled) and not isinstance(ending, CancelledError):
        return ScopeCancelled.translate(ending)
    return ending


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for member in group.exceptions:
        if isinstance(member, BaseExceptionGroup):
            yield from _leaves(member)
        else:
            yield member
