"""What makes a test run in an asyncio loop: markers, classes and fixtures."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Literal

from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Tests"]

_MARKER = "pytest.mark.asyncio"
_CASE = "unittest.IsolatedAsyncioTestCase"


class Tests(Rule):
    """Rewrites the plain marker of pytest-asyncio once no asyncio is left; reports fixtures and unittest's classes."""

    name = "tests_"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM380": "tests that run in an asyncio loop",
        "TAM381": "pytest.mark.asyncio -> pytest.mark.trio",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM380": "C", "TAM381": "B"}
    gate: ClassVar[Literal["", "file", "program", "project"]] = "program"
    traps = (
        "pytest.mark.trio needs the package pytest-trio; settings as asyncio_mode or loop_scope have no counterpart.",
        (
            "While asyncio is left, pytest.mark.trioasync runs a test as a Task, and pytest-asyncio's own "
            "settings can run "
            "its tests on trioasync."
        ),
        (
            "Fixtures of pytest-asyncio that are async generators become async fixtures of pytest-trio, which "
            "may not be "
            "shared by several tests: their scope is the function."
        ),
    )
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM380": (
            "class TestClient(unittest.IsolatedAsyncioTestCase):\n    async def test_get(self): ...",
            "@pytest.mark.trio\nasync def test_get(): ...",
        ),
        "TAM381": ("@pytest.mark.asyncio\nasync def test_get(): ...", "@pytest.mark.trio\nasync def test_get(): ..."),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Look at markers, base classes and fixtures."""
        if "pytest" not in ctx.text and "unittest" not in ctx.text:
            return
        for marker in ctx.attributes("asyncio"):
            if ctx.resolve(marker) == _MARKER:
                yield self._of_marker(ctx, marker)
        for node in ctx.nodes(ast.ClassDef):
            assert isinstance(node, ast.ClassDef)
            for base in node.bases:
                if (ctx.resolve(base) or "").endswith("IsolatedAsyncioTestCase"):
                    message = f"{node.name}: unittest runs its tests in an asyncio loop"
                    what_to_do = "functions marked pytest.mark.trio; until then unittest's loop can be trioasync's"
                    yield self.finding(ctx, base, message, code="TAM380", safety="C", symbol=_CASE, help=what_to_do)
        yield from self._of_fixtures(ctx)

    def _of_marker(self, ctx: Context, node: ast.Attribute) -> Finding:
        above = ctx.parent(node)
        if isinstance(above, ast.Call) and above.func is node and (above.args or above.keywords):
            message = "pytest.mark.asyncio with settings"
            what_to_do = "pytest.mark.trio, or pytest.mark.trioasync while asyncio is left, without the settings"
            return self.finding(ctx, node, message, code="TAM380", safety="C", symbol=_MARKER, help=what_to_do)
        end = ctx.span(node)[1]
        if not ctx.text.endswith("asyncio", 0, end):
            return self.finding(ctx, node, "pytest.mark.asyncio", code="TAM380", safety="C", symbol=_MARKER)
        edit = ctx.replace(node, f"{ctx.source_of(node.value)}.trio")
        fix = ctx.fix("B", [edit])
        message = "pytest.mark.asyncio -> pytest.mark.trio"
        return self.finding(ctx, node, message, code="TAM381", symbol=_MARKER, fix=fix)

    def _of_fixtures(self, ctx: Context) -> Iterator[Finding]:
        for name in ctx.bindings.imported_names(["pytest_asyncio"]):
            for node in ctx.bindings.names.get(name, []):
                if isinstance(node.ctx, ast.Load) and (ctx.resolve(node) or "").startswith("pytest_asyncio"):
                    message = "pytest_asyncio: a fixture that runs in the test's asyncio loop"
                    what_to_do = "an async fixture of pytest-trio: @pytest.fixture on an async function"
                    yield self.finding(
                        ctx, node, message, code="TAM380", safety="C", symbol="pytest_asyncio", help=what_to_do
                    )
