"""Takes a statement apart: what stays of it goes into a block, what does not leaves its comments behind."""

from __future__ import annotations

import ast
import functools
import keyword
import re
import tokenize
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.source import Source

__all__ = ["Refused", "following", "lifted", "one_line", "parentheses", "reduced"]

Span = tuple[int, int]


class Refused(Exception):
    """A condition of a rewrite does not hold; the text says which, as part of a sentence."""


def reduced(ctx: Context, statement: ast.stmt, outer: ast.expr, inner: ast.expr, deeper: str) -> str:
    """Give the lines of a statement, one step further in, with `inner` in the place of `outer`.

    Args:
        ctx: the file.
        statement: alone on its lines.
        outer: an expression in it; parentheses around it go with it.
        inner: a part of `outer`.
        deeper: the step of indentation.
    """
    first, last = ctx.layout.lines_span(statement)
    start, end = ctx.span(outer)
    base = ctx.layout.indent(statement)
    before = base + deeper + _moved(ctx, (first + len(base), start), base, base + deeper)
    kept = ctx.span(inner)
    column, begin = ctx.source.position(kept[0])[1] - 1, len(before) - before.rfind("\n") - 1
    if _is_aligned(ctx.text[slice(*kept)], column) and "\t" not in before:
        text = _moved(ctx, kept, " " * column, " " * begin)
    else:
        text = _moved(ctx, kept, _line_indent(ctx, kept[0]), _line_indent(ctx, start) + deeper)
    if not _is_whole(text):
        text = f"({text})"
    return before + text + _moved(ctx, (end, last), base, base + deeper)


def _is_aligned(text: str, column: int) -> bool:
    """Tell whether an expression's further lines are aligned with what stands behind its first bracket."""
    first, *others = text.splitlines()
    if not others or first.partition("#")[0].rstrip().endswith(("(", "[", "{")):
        return False
    return all(line.startswith(" " * (column + 1)) or not line.strip() for line in others)


def _line_indent(ctx: Context, offset: int) -> str:
    line = ctx.source.line(ctx.source.position(offset)[0])
    return line[: len(line) - len(line.lstrip())]


def _is_whole(text: str) -> bool:
    """Tell whether an expression needs no parentheses around it to go over several lines."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _moved(ctx: Context, span: Span, old: str, new: str) -> str:
    """Give a part of the text with its lines, but for the first, moved from one indentation to another.

    Lines that begin inside of a string stay.
    """
    start, end = span
    number = ctx.source.position(start)[0]
    pieces: list[str] = []
    while True:
        line_end = min(ctx.source.line_span(number)[1], end)
        piece = ctx.text[start:line_end]
        whole = not pieces or number in ctx.source.lines_inside_strings or not piece.strip()
        pieces.append(piece if whole else new + piece[len(old) :] if piece.startswith(old) else piece)
        if line_end >= end:
            return "".join(pieces)
        start, number = line_end, number + 1


def lifted(ctx: Context, span: Span, kept: Sequence[Span], indent: str) -> str:
    """Give the comments in a part of the text that are not in what is kept of it, as lines of their own."""
    return "".join(
        f"{indent}{comment.text}\n"
        for comment in ctx.comments(*span)
        if not any(start <= comment.start < end for start, end in kept)
    )


def parentheses(ctx: Context, node: ast.expr) -> Span:
    """Give the span of an expression with all the parentheses that belong to it alone."""
    start, end = ctx.span(node)
    starts, tokens = _tokens(ctx.source)
    first, last = bisect_left(starts, start), bisect_left(starts, end) - 1
    while first > 1 and last + 1 < len(tokens):
        if tokens[first - 1].text != "(" or tokens[last + 1].text != ")" or _calls(tokens[first - 2]):
            break
        first, last = first - 1, last + 1
        start, end = tokens[first].start, tokens[last].start + 1
    return start, end


def following(ctx: Context, offset: int) -> Token | None:
    """Give the first token behind an offset that is neither a comment nor a line break within brackets."""
    starts, tokens = _tokens(ctx.source)
    index = bisect_left(starts, offset)
    return tokens[index] if index < len(tokens) else None


_SKIPPED = frozenset([tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER])


class Token(NamedTuple):
    """A token and where it begins."""

    start: int
    text: str
    kind: int


@functools.lru_cache(maxsize=1)
def _tokens(source: Source) -> tuple[Sequence[int], Sequence[Token]]:
    """Give the tokens of a file that mean something, ends of statements included, and where each begins."""
    tokens = [
        Token(source.line_starts[token.start[0] - 1] + token.start[1], token.string, token.type)
        for token in source.tokens
        if token.type not in _SKIPPED
    ]
    return [token.start for token in tokens], tokens


def _calls(before: Token) -> bool:
    """Tell whether a parenthesis behind this token opens the arguments of a call."""
    if before.kind == tokenize.NAME:
        return not keyword.iskeyword(before.text)
    return before.text in (")", "]", "}") or before.kind == tokenize.STRING


def one_line(ctx: Context, node: ast.expr) -> str:
    """Give an expression's text on one line.

    Raises:
        Refused: there are comments, continuations or long strings in it.
    """
    text = ctx.source_of(node)
    if "\n" not in text and "\r" not in text:
        return text
    if "#" in text or "\\" in text or '"""' in text or "'''" in text:
        raise Refused("the expression goes over several lines: give it a name first")
    joined = re.sub(r"\s*[\r\n]+\s*", " ", text)
    return re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", joined)
