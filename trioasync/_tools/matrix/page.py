"""The section of the page "Coroutines and Tasks": each statement with its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioasync._tools.matrix.document import Section, paragraphs
from trioasync._tools.matrix.rows import of_tests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["section"]

TEXT = paragraphs(
    """
    Every statement of the page [Coroutines and Tasks](https://docs.python.org/3/library/asyncio-task.html) of asyncio's
    documentation, in the page's order, with the test that runs it; and what lies between the statements, down to the
    refusals and their messages. The examples of the page are among them, as programs.
    """
)


def section(evidence: Sequence[Evidence]) -> Section:
    """Return the table of statements."""
    return Section("Coroutines and Tasks", TEXT, (of_tests(evidence, "page", "statement", "same"),), anchor="page")
