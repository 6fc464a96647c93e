"""The matrix as a whole: its sections in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioasync._tools.matrix import cpython, differences, libraries, methods, mixing, names, page, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.matrix.document import Section
    from trioasync._tools.matrix.evidence import Evidence

__all__ = ["TITLE", "sections"]

TITLE = "Compatibility matrix"

# After what says how it is read.
ORDER = (summary, page, names, methods, mixing, cpython, libraries, differences)


def sections(evidence: Sequence[Evidence]) -> list[Section]:
    """Return the whole matrix."""
    return [summary.how_to_read(), *(each.section(evidence) for each in ORDER)]
