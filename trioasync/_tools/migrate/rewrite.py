"""One file to its fixpoint: look, make what can be made, look again; on any doubt the file stays as it was."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trioasync._tools.migrate import imports_edit, todo
from trioasync._tools.migrate.edits import chosen
from trioasync._tools.migrate.ignores import skips_file
from trioasync._tools.migrate.look import RuleFailure, look, parse, quiet, refusal
from trioasync._tools.migrate.project import facts_of
from trioasync._tools.migrate.results import Outcome
from trioasync._tools.migrate.source import Source, SourceError

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.discover import Place
    from trioasync._tools.migrate.findings import Finding
    from trioasync._tools.migrate.look import Look
    from trioasync._tools.migrate.project import Project

__all__ = ["PASSES", "rewrite"]

PASSES = 10


class _Doubt(Exception):
    """The file stays as it was: code, and why."""


def rewrite(
    data: bytes, place: Place, options: Options, project: Project, gates: frozenset[str] = frozenset()
) -> Outcome:
    """Rewrite one file in memory.

    Args:
        data: its bytes.
        place: where it is.
        options: what the run was asked for.
        project: what is known of the other files.
        gates: the gates that are open to it, of "file" and "program".
    """
    try:
        source = Source.decode(data)
    except SourceError as error:
        return Outcome(place.path, data, error=str(error), error_code="TAM001")
    if skips_file(source):
        return Outcome(place.path, data, skipped="asked by a comment")
    with quiet():
        try:
            return _Rewriting(source, place, options, project, gates).outcome(data)
        except SyntaxError as error:
            line = error.lineno or 0
            return Outcome(place.path, data, error=f"not parsed: {error.msg}", error_code="TAM001", error_line=line)
        except _Doubt as doubt:
            code, reason = doubt.args
            return Outcome(place.path, data, error=reason, error_code=code)
        except RuleFailure as failure:
            return Outcome(place.path, data, error=str(failure), error_code="TAM004")
        except RecursionError:
            return Outcome(place.path, data, error="nested too deeply", error_code="TAM001")


class _Rewriting:
    def __init__(self, source: Source, place: Place, options: Options, project: Project, gates: frozenset[str]) -> None:
        self.original = source
        self.place = place
        self.options = options
        self.project = project
        self.gates = gates
        self.made: Counter[str] = Counter()
        self.needs: frozenset[str] = frozenset()
        self.added: list[str] = []
        self.asked: set[tuple[str, str]] = set()

    def outcome(self, data: bytes) -> Outcome:
        first = self._look(self.original)
        facts = facts_of(first.ctx) if self.options.stage > 1 else None
        source, seen = self._to_fixpoint(first)
        text = todo.updated(seen, self.options) if self.options.stage > 1 else source.text
        after: bytes | None = None
        if text != self.original.text:
            self._check(text)
            try:
                after = source.encode(text)
            except UnicodeEncodeError as error:
                raise _Doubt("TAM003", f"the file's encoding lacks a character: {error}") from None
        waits = any(finding.fix is not None and "waits until" in finding.blocked for finding in seen.findings)
        return Outcome(
            self.place.path,
            data,
            after,
            made=dict(self.made),
            findings=tuple(sorted(seen.findings, key=lambda finding: finding.sort_key())),
            residual=residual_of(seen) if self.options.stage > 1 else frozenset(),
            waits=waits,
            facts=facts,
            asked=frozenset(self.asked),
            helpers=frozenset(need.partition(":")[2] for need in self.needs if need.startswith("helpers:")),
        )

    def _look(self, source: Source, tree: ast.Module | None = None) -> Look:
        seen = look(source, self.place, self.options, self.project, gates=self.gates, tree=tree)
        self.asked |= seen.ctx.asked
        return seen

    def _to_fixpoint(self, seen: Look) -> tuple[Source, Look]:
        source = self.original
        used = imports_edit.used_imports(seen.ctx) if self.options.stage > 1 else frozenset()
        for _ in range(PASSES):
            findings = chosen(seen.findings)
            if not findings:
                break
            source, tree = self._applied(source, findings)
            seen = self._look(source, tree)
        else:
            if chosen(seen.findings):
                raise _Doubt("TAM002", f"still changing after {PASSES} passes")
        if self.made and self.options.stage > 1:
            used |= imports_edit.bound_by(self.added)
            edits = imports_edit.dropped(seen.ctx, used, trio_is_new="import trio" in self.added)
            if edits:
                source = source.with_text(source.apply(edits))
                seen = self._look(source, self._parsed(source))
        return source, seen

    def _applied(self, source: Source, findings: Sequence[Finding]) -> tuple[Source, ast.Module]:
        """Make fixes; if what comes out cannot be parsed, find out whose fault it is."""
        try:
            new = self._with_fixes(source, findings)
        except (SyntaxError, ValueError) as error:
            raise _Doubt("TAM003", f"{self._guilty(source, findings)} would not give a Python file: {error}") from None
        self.made.update(finding.code for finding in findings)
        for finding in findings:
            self.needs |= finding.fix.needs if finding.fix else frozenset()
        return new

    def _guilty(self, source: Source, findings: Sequence[Finding]) -> str:
        for finding in findings:
            try:
                self._with_fixes(source, [finding])
            except (SyntaxError, ValueError):
                return f"the fix of {finding.code} at line {finding.line}"
        return "the fixes together"

    def _with_fixes(self, source: Source, findings: Sequence[Finding]) -> tuple[Source, ast.Module]:
        fixes = [finding.fix for finding in findings if finding.fix is not None]
        new = source.with_text(source.apply([edit for fix in fixes for edit in fix.edits]))
        tree = parse(new.text)
        edits = imports_edit.added(
            new, tree, frozenset().union(*(fix.needs for fix in fixes)), self.options, self.place
        )
        if edits:
            self.added += [line.strip() for edit in edits for line in edit.text.split("\n")]
            new = new.with_text(new.apply(edits))
            tree = parse(new.text)
        return new, tree

    def _parsed(self, source: Source) -> ast.Module:
        try:
            return parse(source.text)
        except SyntaxError as error:
            raise _Doubt("TAM003", f"the imports would not give a Python file: {error}") from None

    def _check(self, text: str) -> None:
        """Raise a doubt unless the new text is a program, if the old one was."""
        if self.options.stage == 1:
            return  # it has been parsed again, and an import instead of an import is nothing for the compiler
        reason = refusal(text)
        if reason and not refusal(self.original.text):
            raise _Doubt("TAM003", f"the result would not be a Python program: {reason}")


def residual_of(seen: Look) -> frozenset[str]:
    """Give the names of asyncio that are left where gated fixes are not waiting to take them away."""
    left = set()
    for name, nodes in seen.ctx.uses.items():
        if name.startswith("trio."):
            continue
        for node in nodes:
            at = seen.ctx.span(node)[0]
            if not any(start <= at < end for start, end in seen.covered):
                left.add(name)
                break
    return frozenset(left)
