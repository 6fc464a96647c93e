"""What an audit finds beside Python files: settings of test runners, notebooks, Cython."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trioasync._tools.migrate.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trioasync._tools.migrate.context import Context
    from trioasync._tools.migrate.findings import Finding, Safety

__all__ = ["Environment"]


class Environment(Rule):
    """Names what belongs to asyncio in files that are not Python; the audit reads those itself."""

    name = "environment"
    codes: ClassVar[Mapping[str, str]] = {
        "TAM410": "a setting for a test runner of asyncio",
        "TAM411": "a requirement that runs on asyncio",
        "TAM420": "asyncio in a file that is not plain Python",
    }
    safety: ClassVar[Mapping[str, Safety]] = {"TAM410": "C", "TAM411": "C", "TAM420": "C"}
    traps = ("Nothing of this is rewritten. docs/testing.md tells how each test runner comes to run on trio.",)
    examples: ClassVar[Mapping[str, tuple[str, str]]] = {
        "TAM410": (
            '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n',
            '[tool.pytest.ini_options]\ntrio_mode = "true"\n',
        ),
        "TAM411": ('dependencies = ["aiofiles>=24"]\n', 'dependencies = ["trio>=0.31"]\n'),
        "TAM420": ("", ""),
    }

    def check(self, ctx: Context) -> Iterator[Finding]:
        """Find nothing: this is not about Python files."""
        yield from ()
