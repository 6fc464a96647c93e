"""The report as one page of HTML that needs nothing but itself: `report.html`, with the document inside."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from trioasync._tools.migrate.report_text import summary

if TYPE_CHECKING:
    from trioasync._tools.migrate.report import Document

__all__ = ["write"]


def write(document: Document) -> str:
    """Give the page."""
    page = files(__package__).joinpath("report.html").read_text("utf-8")
    head, rest = page.split("<!--SUMMARY-->")
    middle, tail = rest.split("/*DOCUMENT*/")
    # A page's script ends at the first "</script", wherever that stands: no "<" may be left.
    data = json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
    return head + html.escape(summary(document)) + middle + data + tail
