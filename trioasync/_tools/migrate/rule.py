"""What a rule is: one module in `rules/`, one class, one folder of fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.findings import Finding

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Fix, Safety

__all__ = ["Rule"]


class Rule:
    """Looks at one file and says what it found there; it never changes anything itself.

    A subclass has no state: one instance serves all files.

    Attributes:
        name: the rule's name, its module's and its fixture folder's: "sleep".
        codes: the codes it gives, each with what it is in one line.
        stage: 1 rewrites imports, 2 rewrites asyncio to trio; an audit runs all rules.
        safety: of its findings by code, "B" for a code that is not named.
        uses: canonical names; the rule is only asked about files that use one of them. Empty: asked about all.
        gate: the fixes wait until nothing else of asyncio is left in the "file"; in the "program", which is the file,
            what it imports, and what that imports; or in the "project", which is all files of the run.
        traps: what a person must know about the rewrite, in sentences.
        examples: by code, a program's text before and after; for what a person must do, after is the template.
    """

    name: ClassVar[str]
    codes: ClassVar[Mapping[str, str]]
    stage: ClassVar[int] = 2
    safety: ClassVar[Mapping[str, Safety]] = {}
    uses: ClassVar[frozenset[str]] = frozenset()
    gate: ClassVar[Literal["", "file", "program", "project"]] = ""
    traps: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Give what there is to say about a file, in any order."""
        raise NotImplementedError

    def finding(
        self,
        ctx: Context,
        node: ast.AST,
        message: str,
        *,
        code: str = "",
        safety: Safety | None = None,
        symbol: str = "",
        function: str | None = None,
        fix: Fix | None = None,
        help: str = "",
    ) -> Finding:
        """Make a finding at a node.

        Args:
            ctx: the file.
            node: what the finding is about.
            message: one line, lower case, without a full stop.
            code: one of `codes`; the first by default.
            safety: the fix's by default, else the code's, and "C" for a finding without a fix.
            symbol: the canonical name that is used; by default what `node`, or what it calls, resolves to.
            function: qualified name of the function around it, if it is known already.
            fix: the edits.
            help: one line for a person.
        """
        code = code or next(iter(self.codes))
        start, end = ctx.span(node)
        line, column = ctx.source.position(start)
        end_line, end_column = ctx.source.position(end)
        if safety is None:
            safety = fix.safety if fix else self.safety.get(code, "C")
        return Finding(
            code=code,
            name=self.name,
            safety=safety,
            message=" ".join(message.split()),  # it may quote code of several lines
            start=start,
            end=end,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            symbol=symbol or ctx.symbol(node),
            function=ctx.qualname(node) if function is None else function,
            path=ctx.path,
            fix=fix,
            help=help,
        )
