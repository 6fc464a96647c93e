"""All files of a run: what each says of itself, what that means for the others, and what is rewritten last.

A file is looked at by itself first. Rules that ask about other files get their answer in a second look, when all files
are known; so the order of the files does not matter, and no more than one tree is held at a time. Fixes behind a gate
are made in a third look, when it is known what is left of asyncio in every file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from trioasync._tools.migrate import foreign
from trioasync._tools.migrate.discover import place_of
from trioasync._tools.migrate.ignores import skips_file
from trioasync._tools.migrate.jobs import each
from trioasync._tools.migrate.look import RuleFailure, look, quiet
from trioasync._tools.migrate.outside import Outside, mentions_asyncio
from trioasync._tools.migrate.project import FileFacts, Project, facts_of, quick_facts
from trioasync._tools.migrate.results import Analysis, FileResult, FunctionInfo, Outcome, Use
from trioasync._tools.migrate.rewrite import residual_of, rewrite
from trioasync._tools.migrate.source import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trioasync._tools.migrate.config import Options
    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.discover import Place
    from trioasync._tools.migrate.look import Look

__all__ = ["analyse", "open_gates", "rewritten", "rewritten_text"]

# How many bytes of rewritten files wait for the others to be known; more than that are rewritten again then.
_ROOM = 16 * 2**20


# Looking


def analyse(paths: Sequence[str], options: Options, jobs: int = 1, progress: Callable[[str], object] = str) -> Analysis:
    """Look at files; never writes.

    Args:
        paths: the files.
        options: what the run was asked for.
        jobs: how many processes share the work.
        progress: called with each path when it is done.
    """
    results: dict[str, FileResult] = {}
    for result in each(partial(_looked_at, options=options, project=Project()), paths, jobs):
        results[result.path] = result
        progress(result.path)
    project = Project(_facts(results.values()))
    again = [path for path, result in results.items() if project.knows_better(path, result.asked)]
    for result in each(partial(_looked_at, options=options, project=project), again, jobs):
        results[result.path] = result
    named = (replace(result, third_party=_third_party(result, project)) for result in results.values())
    return Analysis(tuple(sorted(named, key=lambda result: result.path)))


def _third_party(result: FileResult, project: Project) -> tuple[str, ...]:
    return foreign.third_party(result.facts.imports, project) if result.facts else ()


def _facts(results: Iterable[FileResult]) -> Iterator[FileFacts]:
    for result in results:
        if result.facts is not None:
            yield replace(result.facts, residual=result.residual)


def _looked_at(path: str, options: Options, project: Project) -> FileResult:
    """Look at one file."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return FileResult(path, error=error.strerror or str(error))
    place = place_of(path)
    if not mentions_asyncio(data):
        text = data.decode("utf-8", "replace")
        return FileResult(path, text.count("\n"), facts=quick_facts(text, place), skipped="no asyncio")
    try:
        source = Source.decode(data)
        if skips_file(source):
            return FileResult(path, len(source.line_starts), skipped="asked by a comment")
        with quiet():
            return _result(look(source, place, options, project), path)
    except SyntaxError as error:
        return FileResult(path, error=f"not parsed: {error.msg}", error_line=error.lineno or 0)
    except (SourceError, RuleFailure) as error:
        return FileResult(path, error=str(error))
    except RecursionError:
        return FileResult(path, error="nested too deeply")


def _result(seen: Look, path: str) -> FileResult:
    ctx = seen.ctx
    lines = len(ctx.source.line_starts) - (ctx.source.line_starts[-1] == len(ctx.text))
    covered = [*seen.covered]
    for finding in seen.findings:
        if finding.fix is not None:
            covered += [(finding.start, finding.end), *((edit.start, edit.end) for edit in finding.fix.edits)]
    facts = facts_of(ctx)
    return FileResult(
        path,
        lines,
        findings=tuple(sorted(seen.findings, key=lambda finding: finding.sort_key())),
        uses=tuple(_uses(ctx)),
        functions=tuple(_functions(ctx)),
        residual=residual_of(seen._replace(covered=covered)),
        facts=facts,
        asked=frozenset(ctx.asked),
    )


def _uses(ctx: Context) -> list[Use]:
    found = []
    for name, nodes in ctx.uses.items():
        for node in nodes:
            start = ctx.span(node)[0]
            found.append(Use(name, *ctx.source.position(start), ctx.qualname(node), ctx.path))
    return sorted(found, key=lambda use: (use.line, use.column, use.name))


def _functions(ctx: Context) -> Iterator[FunctionInfo]:
    for node, is_async in ctx.definitions():
        around = ctx.qualname(node)
        name = f"{around}.{node.name}" if around else node.name
        yield FunctionInfo(name, node.lineno, node.end_lineno or node.lineno, is_async)


# Rewriting


def rewritten(
    paths: Sequence[str], options: Options, jobs: int = 1, progress: Callable[[str], object] = str
) -> Iterator[Outcome]:
    """Rewrite files in memory, each as soon as what it depends on is known.

    Args:
        paths: the files.
        options: what the run was asked for.
        jobs: how many processes share the work.
        progress: called with each path when it is done for the first time.
    """
    facts: dict[str, FileFacts] = {}
    residuals: dict[str, frozenset[str]] = {}
    asked: dict[str, Outcome | None] = {}
    room = _ROOM
    waiting: list[str] = []
    for outcome in each(partial(_rewritten, options=options, project=None), paths, jobs):
        progress(outcome.path)
        if outcome.facts is not None:
            facts[outcome.path] = outcome.facts
        if outcome.asked:
            room -= len(outcome.before) + len(outcome.after or b"")
            asked[outcome.path] = outcome if room > 0 else None
            continue
        residuals[outcome.path] = outcome.residual
        if outcome.waits:
            waiting.append(outcome.path)
        else:
            yield outcome
    project = Project(facts.values())
    again = [path for path, outcome in asked.items() if outcome is None or project.knows_better(path, outcome.asked)]
    kept = (outcome for path, outcome in asked.items() if outcome is not None and path not in set(again))
    for outcome in chain(kept, each(partial(_rewritten, options=options, project=project), again, jobs)):
        residuals[outcome.path] = outcome.residual
        if outcome.waits:
            waiting.append(outcome.path)
        else:
            yield outcome
    project = project.with_residuals(residuals)
    outside = Outside(project)
    gates = {path: open_gates(project, path, outside) for path in waiting}
    yield from each(partial(_through_gates, options=options, project=project, gates=gates), sorted(waiting), jobs)


def open_gates(project: Project, path: str, outside: Outside) -> frozenset[str]:
    """Tell which gates are open to a file."""

    def native(files: Iterable[FileFacts]) -> bool:
        return not any(facts.residual or foreign.needs_asyncio(facts.imports) for facts in files)

    found = set()
    if not project.files[path].residual:
        found.add("file")
    if native(project.reach(path)) and not outside.is_reached(path):
        found.add("program")
        if native(project.files.values()) and not outside.reaches(path):
            found.add("project")
    return frozenset(found)


def _through_gates(path: str, options: Options, project: Project, gates: dict[str, frozenset[str]]) -> Outcome:
    return _rewritten(path, options, project, gates[path])


def _rewritten(path: str, options: Options, project: Project | None, gates: frozenset[str] = frozenset()) -> Outcome:
    """Rewrite one file; without a project, say whether it should be done again with one."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return Outcome(path, error=error.strerror or str(error), error_code="TAM001")
    place = place_of(path)
    if not mentions_asyncio(data):
        facts = quick_facts(data.decode("utf-8", "replace"), place) if project is None and options.stage > 1 else None
        return Outcome(path, facts=facts, skipped="no asyncio")
    outcome = rewrite(data, place, options, project or Project(), gates)
    return replace(outcome, before=b"") if outcome.after is None else outcome


def rewritten_text(data: bytes, path: str, options: Options) -> Outcome:
    """Rewrite one file that is not read from the disk: it is its own project."""
    place: Place = place_of(path)
    if not mentions_asyncio(data):
        return Outcome(path, data, skipped="no asyncio")
    outcome = rewrite(data, place, options, Project())
    if outcome.facts is not None and outcome.waits:
        project = Project([replace(outcome.facts, residual=outcome.residual)])
        outcome = rewrite(data, place, options, project, open_gates(project, path, Outside(project)))
    return outcome
