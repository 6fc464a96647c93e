"""Stage 1: only import statements change, and the program means what it meant."""

import ast
import os
import subprocess
import sys
import textwrap

import pytest

from tests.tools.migrate import cases
from trioasync._tools.migrate import names
from trioasync._tools.migrate.config import Options

STAGE_1 = Options(stage=1)


def rewritten(text):
    return cases.result(text.encode(), STAGE_1).decode()


FORMS = {
    "import asyncio": "import trioasync as asyncio",
    "import asyncio as aio": "import trioasync as aio",
    "import asyncio, os": "import trioasync as asyncio, os",
    "import os, asyncio as a, asyncio": "import os, trioasync as a, trioasync as asyncio",
    "import asyncio.subprocess": "import trioasync as asyncio",
    "import asyncio.tasks, os, asyncio.events": "import trioasync as asyncio, os",
    "import asyncio\nimport asyncio.tasks\nx = 1": "import trioasync as asyncio\nx = 1",
    "import asyncio.subprocess as sp": "import trioasync.subprocess as sp",
    "import asyncio, asyncio.tasks": "import trioasync as asyncio",
    "from asyncio import sleep, Event as E": "from trioasync import sleep, Event as E",
    "from asyncio.exceptions import CancelledError": "from trioasync.exceptions import CancelledError",
    "from asyncio import *": "from trioasync import *",
    "from asyncio import(sleep)": "from trioasync import(sleep)",
    "x = 1; import asyncio; y = 2": "x = 1; import trioasync as asyncio; y = 2",
    "if x: import asyncio": "if x: import trioasync as asyncio",
    "from\tasyncio\timport\tsleep": "from\ttrioasync\timport\tsleep",
    "import asyncio # asyncio": "import trioasync as asyncio # asyncio",
    "'asyncio'; asyncio = 'import asyncio'": "'asyncio'; asyncio = 'import asyncio'",
    "import asyncio_extras, my.asyncio": "import asyncio_extras, my.asyncio",
    "from my.asyncio import x; from .asyncio import y": "from my.asyncio import x; from .asyncio import y",
    "import importlib; importlib.import_module('asyncio')": "import importlib; importlib.import_module('asyncio')",
}

if sys.version_info >= (3, 15):
    FORMS["lazy import asyncio, os"] = "lazy import trioasync as asyncio, os"
    FORMS["lazy from asyncio import sleep"] = "lazy from trioasync import sleep"


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_import_has_its_counterpart(form):
    """Down to the white space; what only looks like one stays."""
    assert rewritten(form) == FORMS[form]


@pytest.mark.parametrize("form", [form for form in FORMS if FORMS[form] != form and not form.startswith(("x", "if"))])
def test_an_import_binds_the_same_names_before_and_after(form):
    """`import asyncio.subprocess` binds asyncio; afterwards it must still be there."""

    def bound(text):
        scope = {}
        exec(text, scope)
        return {name for name in scope if name.startswith(("a", "E", "sp", "os", "sleep", "Cancelled"))}

    assert bound(form) <= bound(FORMS[form])


ELSEWHERE = {"proactor_events", "windows_events", "windows_utils"}
NEWER = set() if sys.version_info >= (3, 14) else {"tools"}


@pytest.mark.parametrize("module", sorted(names.SUBMODULES - ELSEWHERE - NEWER))
def test_the_submodules_that_are_rewritten_can_be_imported(module):
    """trioasync has each of them, where asyncio has it."""
    scope = {}
    exec(rewritten(f"import asyncio.{module} as found\nfrom asyncio import {module} as same\n"), scope)
    assert scope["found"].__name__ == f"trioasync.{module}"
    assert scope["same"] is scope["found"]


@pytest.mark.parametrize(
    "text",
    [
        "from asyncio.tasks import _no_such_name",
        "from asyncio import no_such_name",
        "import asyncio.no_such_module",
        "import os, asyncio.no_such_module as x",
        "from asyncio.no_such_module import x",
    ],
)
def test_what_trioasync_does_not_have_is_reported_and_left(text):
    """An import that fails would be worse than one of asyncio."""
    outcome = cases.rewrite(text.encode(), STAGE_1)
    assert outcome.after is None
    assert [finding.code for finding in outcome.findings] == ["TAM101"]


def test_only_lines_of_import_statements_change():
    """In a file of everything."""
    text = cases.Case("imports", "forms").before
    statements = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    allowed = {line for node in statements for line in range(node.lineno, node.end_lineno + 1)}
    changed = cases.changed_lines(text, rewritten(text))
    assert changed
    assert changed <= allowed


PROGRAM = """
    import asyncio, sys
    import asyncio.subprocess
    from asyncio import Event as Flag, gather
    from asyncio.exceptions import CancelledError

    async def child(flag, seen):
        await flag.wait()
        seen.append(asyncio.current_task().get_name())

    async def main():
        seen, flag = [], Flag()
        tasks = [asyncio.create_task(child(flag, seen), name=name) for name in "ab"]
        await asyncio.sleep(0.01)
        flag.set()
        await gather(*tasks)
        last = asyncio.create_task(asyncio.sleep(9))
        last.cancel()
        try:
            await last
        except CancelledError:
            seen.append("cancelled")
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE
        )
        seen.append((await made.communicate())[0].decode().strip())
        return seen

    print(*asyncio.run(main()), "trioasync" in asyncio.__name__)
"""


def test_a_program_does_the_same_after_stage_1(tmp_path):
    """It runs on trioasync then."""
    before = textwrap.dedent(PROGRAM).lstrip()
    seen = []
    for text in (before, rewritten(before)):
        (tmp_path / "program.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        seen.append(done.stdout.split())
    assert seen == [["a", "b", "cancelled", "42", str(flag)] for flag in (False, True)]
