"""Rules that know no rewrite: a table says what a name is, and what a person does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding

__all__ = ["Advice", "AdviceRule", "advice_for"]


class Advice(NamedTuple):
    """What to say of a name.

    Args:
        message: what it is here, one line.
        help: what a person does.
    """

    message: str
    help: str


def advice_for(names: str, message: str, what_to_do: str) -> dict[str, Advice]:
    """Give the same advice for several names; in `message`, {} is the name."""
    return {name: Advice(message.format(name), what_to_do) for name in names.split()}


class AdviceRule(Rule):
    """A rule that reports every use of the names in its table.

    Attributes:
        advice: by canonical name.
    """

    advice: ClassVar[Mapping[str, Advice]] = {}

    def __init_subclass__(cls) -> None:
        """A rule is asked about files that use a name of its table, and what it does not rewrite is a person's."""
        super().__init_subclass__()
        cls.uses = cls.uses or frozenset(cls.advice)
        cls.safety = {**dict.fromkeys(cls.codes, "C"), **cls.safety}

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every use of a name in the table."""
        for name, node in ctx.uses_of(*self.advice):
            yield self._advised(ctx, name, node)

    def _advised(self, ctx: Context, name: str, node: ast.expr) -> Finding:
        advice = self.advice[name]
        return self.finding(ctx, node, advice.message, safety="C", symbol=name, help=advice.help)
