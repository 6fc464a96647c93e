"""`create_subprocess_exec` and `communicate` → `trio.run_process`; `asyncio.subprocess.PIPE` → `subprocess.PIPE`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from trioasync._tools.migrate.findings import Edit
from trioasync._tools.migrate.rules._advice import Advice, AdviceRule, advice_for
from trioasync._tools.migrate.rules._spawn import comma_between, opening

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Subprocess"]

_STARTERS = ("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell")
_CONSTANTS = ("PIPE", "DEVNULL", "STDOUT")
_PIPES = ("asyncio.subprocess.PIPE", "subprocess.PIPE")
_HELP = "nursery.start(trio.run_process, ...) for a process that is talked to while it runs"


class _Refused(Exception):
    """This process stays; the message says why."""


class _Process(NamedTuple):
    """A process that is started, communicated with, and asked for its exit status."""

    start: ast.Call
    communicate: ast.Call
    statement: ast.stmt
    name: str


class Subprocess(AdviceRule):
    """Rewrites a process that is started and communicated with in two statements on end; reports the others."""

    name = "subprocess_"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM280": "asyncio.create_subprocess_exec and communicate -> trio.run_process",
        "TAM281": "asyncio.subprocess.PIPE -> subprocess.PIPE",
        "TAM360": "a process that is talked to while it runs",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM280": "B", "TAM281": "A", "TAM360": "C"}
    traps = (
        (
            "trio.run_process gives the process an empty standard input and raises at an exit status other than "
            "0, where "
            "asyncio lets it inherit ours and does not: hence stdin=None and check=False."
        ),
        "A cancelled run_process kills the process and waits for it; asyncio leaves it running.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM280": (
            (
                "process = await asyncio.create_subprocess_exec('git', 'status', stdout=PIPE)\n"
                "output, _ = await process.communicate()"
            ),
            (
                "process = await trio.run_process(['git', 'status'], capture_stdout=True, stdin=None, check=False)\n"
                "output, _ = process.stdout, process.stderr"
            ),
        ),
        "TAM281": ("asyncio.subprocess.PIPE", "subprocess.PIPE"),
        "TAM360": (
            (
                "process = await asyncio.create_subprocess_exec('ping', host, stdout=PIPE)\n"
                "async for line in process.stdout:\n    print(line)"
            ),
            (
                "process = await nursery.start(partial(trio.run_process, ['ping', host], stdout=PIPE))\n"
                "async for line in LineReader(process.stdout):\n    print(line)"
            ),
        ),
    }
    advice: ClassVar[Mapping[str, Advice]] = {
        **advice_for("asyncio.create_subprocess_exec asyncio.create_subprocess_shell", "{} is handed on", _HELP),
        **advice_for("asyncio.subprocess.Process", "{}", "trio.Process"),
    }
    uses = frozenset([*advice, *(f"asyncio.subprocess.{name}" for name in _CONSTANTS)])

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at what starts processes, and at the constants."""
        spans = []
        for name, node in ctx.uses_of(*self.advice):
            call = ctx.parent(node)
            if name in _STARTERS and isinstance(call, ast.Call) and call.func is node:
                found = self._of_start(ctx, name, call)
                spans += [(edit.start, edit.end) for edit in found.fix.edits] if found.fix else []
                yield found
            else:
                message, what_to_do = self.advice[name]
                yield self.finding(ctx, node, message, code="TAM360", safety="C", symbol=name, help=what_to_do)
        for constant in _CONSTANTS:
            for name, node in ctx.uses_of(f"asyncio.subprocess.{constant}"):
                # Where the whole call is rewritten, a pipe goes with it.
                if not any(start <= ctx.span(node)[0] < end for start, end in spans):
                    yield self._of_constant(ctx, name, node)

    def _of_constant(self, ctx: Context, name: str, node: ast.expr) -> Finding:
        constant = name.rpartition(".")[2]
        module = ctx.needs("subprocess", node)
        if module is None:
            message = "the name subprocess means something else here"
            return self.finding(ctx, node, message, code="TAM281", safety="C", symbol=name)
        fix = ctx.fix("A", [ctx.replace(node, f"{module}.{constant}")], needs=["subprocess"])
        return self.finding(ctx, node, f"{name} -> subprocess.{constant}", code="TAM281", symbol=name, fix=fix)

    def _of_start(self, ctx: Context, name: str, call: ast.Call) -> Finding:
        try:
            process = _process(ctx, call)
            trio = ctx.needs("trio", call)
            if trio is None:
                raise _Refused("the name trio means something else here")
            edits = [
                ctx.replace(call.func, f"{trio}.run_process"),
                *_arguments(ctx, call, name),
                *_options(ctx, process),
            ]
            edits += _outcome(ctx, process)
        except _Refused as reason:
            message = f"the process stays: {reason}"
            return self.finding(ctx, call, message, code="TAM360", safety="C", symbol=name, help=_HELP)
        region = ctx.layout.lines_span(ctx.statement(call), process.statement)
        fix = ctx.fix("B", _merged(edits), needs=["trio"], region=region)
        return self.finding(ctx, call, f"{name} -> trio.run_process", code="TAM280", symbol=name, fix=fix)


def _process(ctx: Context, call: ast.Call) -> _Process:
    """Find the `communicate` that follows the start of a process, and nothing else that is done with it."""
    awaited = ctx.awaited(call)
    assign = ctx.parent(awaited) if awaited is not None else None
    target = assign.targets[0] if isinstance(assign, ast.Assign) and len(assign.targets) == 1 else None
    variable = ctx.variable(target) if isinstance(target, ast.Name) else None
    if not isinstance(assign, ast.Assign) or not isinstance(target, ast.Name) or variable is None:
        raise _Refused("it is not awaited and kept in a local name")
    if len(ctx.bound_nodes(variable)) != 1 or variable.scope is not ctx.function(call):
        raise _Refused("its name is not assigned once and for all")
    block = ctx.block(assign)
    following = block[block.index(assign) + 1 :][:1]
    communicate = None
    for name in ctx.references(variable):
        method = ctx.parent(name)
        attribute = method.attr if isinstance(method, ast.Attribute) else ""
        if name is target or attribute == "returncode":
            continue
        found = ctx.parent(method) if method is not None else None
        if attribute != "communicate" or not isinstance(found, ast.Call) or communicate is not None:
            raise _Refused("more is done with it than to communicate once")
        communicate = found
    if communicate is None or ctx.statement(communicate) not in following:
        raise _Refused("it is not communicated with at once")
    return _Process(call, communicate, following[0], target.id)


def _arguments(ctx: Context, call: ast.Call, name: str) -> Sequence[Edit]:
    """Put the program and its arguments into a list; a shell's command line stays as it is."""
    if not call.args or (call.keywords and ctx.span(call.keywords[0])[0] < ctx.span(call.args[-1])[0]):
        raise _Refused("its arguments are in an unusual order")
    if name.endswith("_shell"):
        if len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
            raise _Refused("its command is hidden in an argument list")
        return []
    first, last = ctx.span(call.args[0])[0], ctx.span(call.args[-1])[1]
    limit = ctx.span(call.keywords[0])[0] if call.keywords else ctx.span(call)[1] - 1
    if "(" in ctx.text[opening(ctx, call) + 1 : first] or ")" in ctx.text[last:limit]:
        raise _Refused("its arguments are in parentheses")
    return [Edit(first, first, "["), Edit(last, last, "]")]


def _options(ctx: Context, process: _Process) -> Iterator[Edit]:
    """Say what is captured, what the process reads, and that its exit status is no error."""
    call = process.start
    given = {keyword.arg: keyword for keyword in call.keywords}
    if None in given or given.keys() & {"limit", "loop", "program", "cmd", "check", "text", "universal_newlines"}:
        raise _Refused("it has options that trio.run_process has not")
    for stream in ("stdout", "stderr"):
        if stream in given and ctx.resolve(given[stream].value) in _PIPES:
            yield ctx.replace(given[stream], f"capture_{stream}=True")
    added = [*_input(ctx, process, given.get("stdin")), "check=False"]
    if ctx.symbol(call).endswith("_shell"):
        added.insert(0, "shell=True")
    last, end = max(ctx.span(part)[1] for part in [*call.args, *call.keywords]), ctx.span(call)[1] - 1
    comma = comma_between(ctx, last, end)
    if comma < 0:
        at = end if ")" in ctx.text[last:end] else last
        yield Edit(at, at, "".join(f", {option}" for option in added))
    else:
        yield Edit(comma + 1, comma + 1, "".join(f" {option}," for option in added))


def _merged(edits: Sequence[Edit]) -> Sequence[Edit]:
    """Join insertions at one place, in the order in which they are given."""
    merged: dict[tuple[int, int], str] = {}
    for edit in edits:
        merged[edit.start, edit.end] = merged.get((edit.start, edit.end), "") + edit.text
    return [Edit(*place, text) for place, text in merged.items()]


def _input(ctx: Context, process: _Process, stdin: ast.keyword | None) -> Iterator[str]:
    """Give the stdin= that is to be added; where there is one that is no pipe, it stays."""
    communicate = process.communicate
    arguments = [*communicate.args, *(keyword.value for keyword in communicate.keywords)]
    if len(arguments) > 1 or any(isinstance(argument, ast.Starred) for argument in arguments):
        raise _Refused("communicate has more than its input")
    if stdin is not None and ctx.resolve(stdin.value) in _PIPES:
        raise _Refused("it is given input")
    if arguments:
        raise _Refused("it is given input without a pipe")
    if stdin is None:
        yield "stdin=None"


def _outcome(ctx: Context, process: _Process) -> Sequence[Edit]:
    """Let what took the outcome of `communicate` take it from the finished process."""
    awaited = ctx.awaited(process.communicate)
    if awaited is None or ctx.comments(*ctx.span(awaited)):
        raise _Refused("communicate is not awaited in place")
    statement = process.statement
    if isinstance(statement, ast.Expr) and statement.value is awaited:
        if not ctx.layout.alone(statement):
            raise _Refused("communicate shares its line with others")
        return [ctx.layout.removed(statement)]
    both = f"{process.name}.stdout, {process.name}.stderr"
    plain = isinstance(statement, (ast.Assign, ast.Return)) and statement.value is awaited
    return [ctx.replace(awaited, both if plain else f"({both})")]
