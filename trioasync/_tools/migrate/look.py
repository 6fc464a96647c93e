"""One look at one file: parse it, ask the rules, judge their fixes. Nothing is changed here."""

from __future__ import annotations

import ast
import gc
import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from trioasync._tools.migrate import edits
from trioasync._tools.migrate.context import Context
from trioasync._tools.migrate.ignores import not_ignored
from trioasync._tools.migrate.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.discover import Place
    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.project import Project
    from trioasync._tools.migrate.rule import Rule
    from trioasync._tools.migrate.source import Source

__all__ = ["Look", "RuleFailure", "look", "parse", "quiet", "refusal"]

_SAFETIES = {"A": ("A",), "B": ("A", "B")}


class RuleFailure(Exception):
    """A rule did not stand a file: the rule's name and what it raised."""


class Look(NamedTuple):
    """What was seen.

    Args:
        ctx: the file.
        findings: in the order in which their fixes are to be made, fixes that cannot be made left out of them.
        covered: what would no longer be there if gated fixes were made, as stretches of text.
    """

    ctx: Context
    findings: Sequence[Finding]
    covered: Sequence[tuple[int, int]]


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection while trees are built (they have no cycles to be freed), and no warnings of old code."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if enabled:
            gc.enable()


def parse(text: str) -> ast.Module:
    """Parse a module.

    Raises:
        SyntaxError: it is none, or is nested too deeply for the parser.
    """
    try:
        return ast.parse(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from None


def refusal(text: str) -> str:
    """Say why text is no program, or "": the compiler refuses what `ast` lets pass, `return` in `except*` say."""
    try:
        compile(text, "<migrated>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def look(
    source: Source,
    place: Place,
    options: Options,
    project: Project,
    *,
    gates: frozenset[str] = frozenset(),
    tree: ast.Module | None = None,
) -> Look:
    """Ask the rules about a file.

    Args:
        source: the file.
        place: where it is.
        options: what the run was asked for.
        project: what is known of the others.
        gates: the gates that are open, of "file" and "program".
        tree: the file's tree, if there is one already.

    Raises:
        SyntaxError: it cannot be parsed.
        RuleFailure: a rule raised something.
    """
    ctx = Context(
        source,
        parse(source.text) if tree is None else tree,
        path=place.path,
        options=options,
        project=project,
        module=place.module,
        is_package=place.is_package,
    )
    findings: list[Finding] = []
    covered: list[tuple[int, int]] = []
    for rule in all_rules():
        if rule.stage > options.stage or (rule.uses and not rule.uses & ctx.uses.keys()):
            continue
        for finding in not_ignored(source, _asked(rule, ctx)):
            if not options.wants(finding.code):
                continue
            if rule.gate and finding.fix is not None and rule.gate not in gates:
                covered += [(finding.start, finding.end), *((edit.start, edit.end) for edit in finding.fix.edits)]
            findings.append(_judged(rule, finding, source, options, gates))
    return Look(ctx, findings, covered)


def _asked(rule: Rule, ctx: Context) -> list[Finding]:
    try:
        return sorted(rule.check(ctx), key=lambda finding: finding.sort_key())
    except Exception as error:
        raise RuleFailure(f"rule {rule.name}: {type(error).__name__}: {error}") from error


def _judged(rule: Rule, finding: Finding, source: Source, options: Options, gates: frozenset[str]) -> Finding:
    """Take a finding's fix away where it must not or cannot be made, and say why."""
    fix = finding.fix
    if fix is None:
        return finding
    if edits.misplaced(source, fix):
        raise RuleFailure(f"rule {rule.name}: edits overlap at line {finding.line}")
    if fix.safety not in _SAFETIES[options.safety]:
        return replace(finding, blocked=f"needs --safety {fix.safety}")
    lost = edits.lost_comment(source, fix.edits)
    if lost:
        return replace(finding, fix=None, blocked=f"would lose the comment {lost!r}")
    if rule.gate and rule.gate not in gates:
        return replace(finding, blocked=f"waits until nothing else of asyncio is left in the {rule.gate}")
    return finding
