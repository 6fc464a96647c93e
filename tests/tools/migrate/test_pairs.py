"""Executable pairs: what a program observes on asyncio, on trioasync, and rewritten on trio and on trioasync.

A pair is a `pair.run.py` among the fixtures. It has an async function `main` that returns what it has observed, or a
function `start` that runs the program by itself; `SINCE` is the first Python whose asyncio has what it uses, and
`NATIVE_SINCE` the first for which it becomes native: before 3.11 asyncio.TimeoutError is an exception of its own.
Time is virtual unless `CLOCK` says "real".
"""

import ast
import sys
import types
from dataclasses import replace

import pytest
import trio.testing

from tests.support.sides import STOCK, TRIO, prepare
from tests.tools.migrate.cases import FOLDER, findings
from trioasync._tools.migrate import engine, helpers
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.rules import all_rules

# Programs may use what asyncio deprecates from 3.14 on.
pytestmark = pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction':DeprecationWarning")

PAIRS = [pytest.param(path, id=path.parent.name) for path in sorted(FOLDER.glob("*/pair.run.py"))]
# Naming the codes asks for suggestions as well, which are otherwise not made.
EVERYTHING = Options(
    stage=2,
    safety="B",
    select=tuple(code for rule in all_rules() for code in rule.codes),
    python=sys.version_info[:2],
)


def module(source, path):
    """The program, executed up to its end, not run yet."""
    program = types.ModuleType("program")
    exec(compile(source, path, "exec"), vars(program))
    return program


def rewritten(path, options):
    """What the tool makes of a program, and whether anything of asyncio is left."""
    outcome = engine.rewritten_text(path.read_bytes(), "program.py", options)
    assert not outcome.error
    assert outcome.after is not None
    return outcome.after.decode()


def on_asyncio(main, clock):
    """Run an async function on stock asyncio, on virtual time or real."""
    return prepare(STOCK, clock)[1].run(main())


def on_trioasync(main, clock):
    """Run an async function in a Task of trioasync."""
    return prepare(TRIO, clock)[1].run(main())


def on_trio(main, clock):
    """Run an async function on trio."""
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0) if clock == "virtual" else None)


def observed(program, run):
    """What the program observes, run by one of these, or by itself."""
    return program.start() if hasattr(program, "start") else run(program.main, getattr(program, "CLOCK", "virtual"))


def skip_where_it_stays(program):
    """Skip what keeps asyncio on this Python."""
    if sys.version_info < getattr(program, "NATIVE_SINCE", (3, 10)):
        pytest.skip("asyncio.TimeoutError keeps its handler on asyncio")


def imported(source):
    """The top-level packages that a source imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    return names


@pytest.fixture(autouse=True)
def helper_functions(monkeypatch):
    """The file that the tool would have put beside the program."""
    monkeypatch.setitem(sys.modules, "_trio_helpers", helpers)


@pytest.mark.parametrize("path", PAIRS)
def test_a_program_observes_the_same_before_and_after(path):
    """On asyncio, on trioasync, natively on trio, and natively in a Task of trioasync."""
    before = module(path.read_text(), path)
    skip_where_it_stays(before)
    expected = observed(module(rewritten(path, Options(stage=1)), path), on_trioasync)
    after = rewritten(path, EVERYTHING)
    observations = {
        "after, on trio": observed(module(after, path), on_trio),
        "after, mixed": observed(module(after, path), on_trioasync),
    }
    if sys.version_info >= getattr(before, "SINCE", (3, 10)):
        observations["before, on asyncio"] = observed(before, on_asyncio)
    assert observations == dict.fromkeys(observations, expected)


@pytest.mark.parametrize("path", PAIRS)
def test_each_rule_s_rewrite_stands_alone(path):
    """With one rule's rewrites and all the rest left as it was, the program runs on trioasync and observes the same."""
    before = module(rewritten(path, Options(stage=1)), path)
    expected = observed(before, on_trioasync)
    rules = {finding.name for finding in findings(path.read_bytes(), EVERYTHING) if finding.fix and not finding.blocked}
    for rule in all_rules():
        if rule.stage == 2 and rule.name in rules:
            after = rewritten(path, replace(EVERYTHING, select=("TAM100", *rule.codes)))
            assert observed(module(after, path), on_trioasync) == expected, rule.name
    assert rules


@pytest.mark.parametrize("path", PAIRS)
def test_a_rewritten_program_imports_no_asyncio(path):
    """All of it has become native."""
    skip_where_it_stays(module(path.read_text(), path))
    assert imported(rewritten(path, EVERYTHING)) & {"asyncio", "trioasync"} == set()
