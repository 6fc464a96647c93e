"""A Python source as its bytes have it: encoding, byte order mark and newlines survive every edit.

Python's lines end at "\\n", "\\r\\n" and "\\r" only; `str.splitlines` knows others (a form feed is one), hence a table
of our own. The columns of `ast` count bytes of UTF-8, whatever the file's encoding; offsets here count characters.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from trioasync._tools.migrate.findings import Edit

__all__ = ["Comment", "Source", "SourceError"]

_NEWLINE = re.compile(r"\r\n|\r|\n")


class SourceError(Exception):
    """The bytes are not a Python source that can be read and written back as it is."""


class Comment(NamedTuple):
    """A comment and where it stands."""

    start: int
    end: int
    text: str


class Source:
    """The text of one file.

    Args:
        text: without a byte order mark, newlines as they are in the file.
        encoding: as the file's first two lines declare it.
        mark: the byte order mark, or nothing.
    """

    def __init__(self, text: str, encoding: str = "utf-8", mark: bytes = b"") -> None:
        self.text = text
        self.encoding = encoding
        self.mark = mark

    @classmethod
    def decode(cls, data: bytes) -> Source:
        """Read the bytes of a file.

        Raises:
            SourceError: the encoding is unknown or wrong, or would not give the same bytes again.
        """
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
            encoding = "utf-8" if encoding == "utf-8-sig" else encoding
            text = data[len(mark) :].decode(encoding)
        except (SyntaxError, UnicodeError, LookupError) as error:
            raise SourceError(str(error)) from None
        source = cls(text, encoding, mark)
        if encoding != "utf-8" and source.encode() != data:
            raise SourceError(f"encoding {encoding!r} does not give the same bytes again")
        return source

    def encode(self, text: str | None = None) -> bytes:
        """Give the bytes of `text` (by default this source's own) in this file's encoding.

        Raises:
            UnicodeEncodeError: the encoding has no such character.
        """
        return self.mark + (self.text if text is None else text).encode(self.encoding)

    def with_text(self, text: str) -> Source:
        """Give the same file with another text."""
        return Source(text, self.encoding, self.mark)

    @cached_property
    def newline(self) -> str:
        """The newline that this file uses most."""
        breaks = _NEWLINE.findall(self.text)
        return max(("\n", "\r\n", "\r"), key=breaks.count) if breaks else "\n"

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """The offset of each line's first character; line 1 is at index 0."""
        return [0, *(found.end() for found in _NEWLINE.finditer(self.text))]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    def offset(self, line: int, column: int) -> int:
        """Give the offset of a position as `ast` counts: lines from 1, columns in bytes of UTF-8."""
        start = self.line_starts[line - 1]
        if self._ascii:
            return start + column
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        content = self.text[start:end]
        if content.isascii():
            return start + column
        return start + len(content.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Give the offsets of a node, without parentheses around it and without decorators."""
        return (
            self.offset(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.offset(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def position(self, offset: int) -> tuple[int, int]:
        """Give the line and the column, both from 1 and in characters, of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line_span(self, line: int) -> tuple[int, int]:
        """Give the offsets of a line, newline included."""
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.line_starts[line - 1], end

    def line(self, line: int) -> str:
        """Give a line without its newline."""
        start, end = self.line_span(line)
        return self.text[start:end].rstrip("\r\n")

    @cached_property
    def tokens(self) -> Sequence[tokenize.TokenInfo]:
        """The tokens; empty where the tokenizer gives up although the parser did not."""
        lines = (self.line(number) + "\n" for number in range(1, len(self.line_starts) + 1))
        try:
            return list(tokenize.generate_tokens(lambda: next(lines, "")))
        except (tokenize.TokenError, SyntaxError):
            return []

    @cached_property
    def _comments(self) -> Sequence[Comment]:
        if "#" not in self.text:
            return []
        starts = self.line_starts
        return [
            Comment(starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1], token.string)
            for token in self.tokens
            if token.type == tokenize.COMMENT
        ]

    def comments(self, start: int = 0, end: int | None = None) -> Sequence[Comment]:
        """Give the comments that begin between two offsets."""
        stop = len(self.text) if end is None else end
        if "#" not in self.text[start:stop]:
            return []
        return [comment for comment in self._comments if start <= comment.start < stop]

    @cached_property
    def lines_inside_strings(self) -> frozenset[int]:
        """The lines whose first character belongs to a string: they keep their indentation."""
        inside: set[int] = set()
        open_strings: list[int] = []
        for token in self.tokens:
            kind = tokenize.tok_name[token.type]
            if kind == "STRING":
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
            elif kind.endswith("STRING_START"):
                open_strings.append(token.start[0])
            elif kind.endswith("STRING_END"):
                inside.update(range(open_strings.pop() + 1, token.end[0] + 1))
        return frozenset(inside)

    def apply(self, edits: Sequence[Edit]) -> str:
        """Give the text with edits made; they must not overlap. Newlines of what is new are this file's own.

        Raises:
            ValueError: the edits overlap or lie outside of the text.
        """
        pieces: list[str] = []
        done = 0
        for edit in sorted(edits):
            if not done <= edit.start <= edit.end <= len(self.text):
                raise ValueError(f"edit {edit} overlaps another or lies outside of the text")
            text = _NEWLINE.sub("\n", edit.text)
            pieces += self.text[done : edit.start], text if self.newline == "\n" else text.replace("\n", self.newline)
            done = edit.end
        return "".join([*pieces, self.text[done:]])
