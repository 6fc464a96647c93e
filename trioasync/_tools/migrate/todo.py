"""TODO comments above what a person must do: put once, and taken away when it is done."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from trioasync._tools.migrate.findings import Edit

if TYPE_CHECKING:
    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.look import Look

__all__ = ["updated"]

_TODO = re.compile(r"# TODO\(trioasync (TAM\d+)\): ")


def updated(seen: Look, options: Options) -> str:
    """Give the text with its TODO comments brought up to date, or as it is if none are asked for."""
    source = seen.ctx.source
    if not options.todo:
        return source.text
    wanted = _wanted(seen)
    edits: list[Edit] = []
    for comment in source.comments():
        match = _TODO.match(comment.text)
        line = source.position(comment.start)[0]
        if match is None or not options.wants(match.group(1)) or source.line(line).strip() != comment.text.strip():
            continue
        key = (_line_below(seen, line), match.group(1))
        if key in wanted:
            del wanted[key]
        else:
            edits.append(Edit(*source.line_span(line), ""))
    lines: dict[int, str] = {}
    for (line, code), finding in sorted(wanted.items()):
        text = source.line(line)
        indent = text[: len(text) - len(text.lstrip())]
        advice = finding.help.split("\n")[0]
        what = f"{finding.message}; {advice}" if advice else finding.message
        lines[line] = lines.get(line, "") + f"{indent}# TODO(trioasync {code}): {what}\n"
    edits += [Edit(source.line_starts[line - 1], source.line_starts[line - 1], text) for line, text in lines.items()]
    return source.apply(edits)


def _wanted(seen: Look) -> dict[tuple[int, str], Finding]:
    """Give what a person must do by the line above which the comment belongs, and the code."""
    wanted: dict[tuple[int, str], Finding] = {}
    first_lines = _first_lines(seen)
    for finding in seen.findings:
        if finding.safety == "C" and finding.fix is None:
            line = first_lines.get(finding.line, 1)
            if line == 1 or not seen.ctx.source.line(line - 1).endswith("\\"):
                wanted.setdefault((line, finding.code), finding)
    return wanted


def _first_lines(seen: Look) -> dict[int, int]:
    """Give for each line the one on which the innermost statement or clause that is on it begins."""
    ranges = [
        (seen.ctx.layout.first_line(node), node.end_lineno or 0)  # type: ignore[arg-type,attr-defined]
        for kind, nodes in seen.ctx.bindings.by_type.items()
        if issubclass(kind, (ast.stmt, ast.excepthandler))
        for node in nodes
    ]
    lines: dict[int, int] = {}
    for first, last in sorted(ranges, key=lambda span: (span[0], -span[1])):
        lines.update(dict.fromkeys(range(first, last + 1), first))
    return lines


def _line_below(seen: Look, line: int) -> int:
    """Give the line of code under a block of TODO comments."""
    source = seen.ctx.source
    while line < len(source.line_starts) and _TODO.match(source.line(line).strip()):
        line += 1
    return line
