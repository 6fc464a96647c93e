"""Names of asyncio in strings: what is patched, logged to or imported by name."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Strings"]

_NAME = re.compile(r"asyncio(\.[A-Za-z_]\w*)*")
_PATCHERS = frozenset(["patch", "setattr", "delattr", "multiple", "spy", "stub"])
_IMPORTERS = frozenset(["import_module", "__import__", "importorskip", "find_spec", "reload"])


class Strings(Rule):
    """Reports strings that are a dotted name of asyncio's, where the program does something with them."""

    name = "strings"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM030": "a name of asyncio's is patched by a string",
        "TAM031": "asyncio's logger is named",
        "TAM032": "asyncio is imported by a string",
        "TAM033": "a string names asyncio",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM030": "C", "TAM031": "C", "TAM032": "C", "TAM033": "C"}
    traps = (
        (
            "A patch of asyncio.sleep does not reach a module that imports trioasync or trio: patch the name where "
            "it is used."
        ),
        "trioasync logs to asyncio's logger, so that the logger's name stays right as long as asyncio code is left.",
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM030": ('mock.patch("asyncio.sleep")', 'mock.patch("package.module.trio.sleep")'),
        "TAM031": ('logging.getLogger("asyncio")', 'logging.getLogger("asyncio")  # until no asyncio is left'),
        "TAM032": ('importlib.import_module("asyncio")', 'importlib.import_module("trioasync")'),
        "TAM033": ('filterwarnings("ignore", module="asyncio")', ""),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at every string."""
        for node in ctx.bindings.by_type.get(ast.Constant, ()):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and value.startswith("asyncio") and _NAME.fullmatch(value):
                finding = self._of_string(ctx, node, value)
                if finding is not None:
                    yield finding

    def _of_string(self, ctx: Context, node: ast.AST, value: str) -> Finding | None:
        above = ctx.parent(node)
        if isinstance(above, (ast.Expr, ast.JoinedStr, ast.FormattedValue)):
            return None
        if isinstance(above, ast.keyword):
            above = ctx.parent(above)
        function = above.func if isinstance(above, ast.Call) else None
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        around = function.value if isinstance(function, ast.Attribute) else None
        if called in _PATCHERS or (isinstance(around, ast.Attribute) and around.attr == "patch"):
            message, code, what_to_do = f"{value} is patched", "TAM030", "patch the name in the module that uses it"
        elif called == "getLogger":
            message, code, what_to_do = f"the logger {value}", "TAM031", "keep it while asyncio code is left"
        elif called in _IMPORTERS:
            message, code, what_to_do = f"{value} is imported by its name", "TAM032", "import trioasync instead"
        else:
            message, code, what_to_do = f"a string names {value}", "TAM033", "look whether it must follow the imports"
        symbol = value if "." in value else ""
        return self.finding(ctx, node, message, code=code, safety="C", symbol=symbol, help=what_to_do)
