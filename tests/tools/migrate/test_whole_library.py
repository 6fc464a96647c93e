"""The standard library as input: nothing crashes, what comes out are programs, and a second run has nothing to do.

By default a sample of the files that use asyncio; with TRIOASYNC_LONG=1 all files, and what is installed.
"""

import ast
import os
import random
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests.tools.migrate import cases
from trioasync._tools.migrate import discover, engine, look
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.source import Source

LONG = bool(os.environ.get("TRIOASYNC_LONG"))
LIBRARY = sysconfig.get_path("stdlib")
ROOT = Path(__file__).parents[3]
SETTINGS = {
    "imports": Options(stage=1),
    "native A": Options(safety="A"),
    "native B": Options(safety="B", timeout_style="native", todo=True),
}


def sample():
    """Files of the standard library that have to do with asyncio, or all files there are."""
    if LONG:
        return discover.find_files([LIBRARY, sysconfig.get_path("purelib")])
    folders = [
        Path(LIBRARY),
        Path(LIBRARY, "asyncio"),
        Path(LIBRARY, "unittest"),
        Path(LIBRARY, "test", "test_asyncio"),
    ]
    found = [str(path) for folder in folders for path in sorted(folder.glob("*.py")) if b"asyncio" in path.read_bytes()]
    return sorted(random.Random(6).sample(found, min(8, len(found))))


@pytest.fixture(scope="module")
def files():
    return sample()


def test_an_audit_of_the_library_finds_no_file_that_breaks_a_rule(files):
    """What cannot be read are files that Python cannot read either."""
    analysis = engine.analyse(files, Options(safety="B"))
    assert len(analysis.files) == len(files)
    for result in analysis.files:
        if result.error and not result.error.startswith("not parsed"):
            with pytest.raises((SyntaxError, UnicodeDecodeError)):
                compile(Path(result.path).read_bytes(), result.path, "exec")
    assert sum(len(result.uses) for result in analysis.files) > 100


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_what_comes_out_of_the_library_are_programs_and_final(files, options, tmp_path):
    """No fix has to be taken back, no comment is lost, and the second run changes nothing."""
    copies, changed = [], 0
    for path in files:
        copies.append(str(tmp_path / path.lstrip("/")))
        Path(copies[-1]).parent.mkdir(parents=True, exist_ok=True)
        Path(copies[-1]).write_bytes(Path(path).read_bytes())
    for outcome in engine.rewritten(copies, options):
        assert outcome.error_code in ("", "TAM001"), (outcome.path, outcome.error)
        if outcome.after is None:
            continue
        changed += 1
        before, after = Source.decode(outcome.before), Source.decode(outcome.after)
        assert not look.refusal(after.text), outcome.path
        there = "\n".join(comment.text for comment in after.comments())
        assert not [comment for comment in before.comments() if comment.text.rstrip() not in there], outcome.path
        if options.stage == 1:
            assert_only_imports_changed(before.text, after.text)
        Path(outcome.path).write_bytes(outcome.after)
    assert changed
    again = [outcome for outcome in engine.rewritten(copies, options) if outcome.after is not None]
    assert [(outcome.path, outcome.made) for outcome in again] == []


def assert_only_imports_changed(before, after):
    statements = [node for node in ast.walk(ast.parse(before)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    allowed = {line for node in statements for line in range(node.lineno, node.end_lineno + 1)}
    assert cases.changed_lines(before, after) <= allowed


def test_both_stages_of_a_fixture_can_follow_each_other():
    """Stage 1 and then stage 2 come to the same as stage 2 alone, and are final."""
    options = SETTINGS["native B"]
    every = cases.all_cases()
    for case in every if LONG else random.Random(6).sample(every, min(40, len(every))):
        if sys.version_info >= case.python and not case.settings.get("helpers"):
            imported = cases.result(case.before.encode(), SETTINGS["imports"])
            after = cases.result(imported, options)
            assert after == cases.result(case.before.encode(), options), case.path
            assert cases.result(after, options) == after, case.path


def test_a_hundred_thousand_lines_take_a_few_times_as_long_as_parsing_them(files):
    """Measured against the parser, for a busy machine slows both; benchmarks/migrate.py has the seconds."""

    def seconds(work):
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            work()
            best = min(best, time.process_time() - start)
        return best

    def parse():
        with look.quiet():
            for path in files:
                ast.parse(Path(path).read_bytes())

    parsed = seconds(parse)
    if not LONG:
        assert seconds(lambda: engine.analyse(files, Options(safety="B"))) < 12 * parsed
        assert seconds(lambda: list(engine.rewritten(files, Options(stage=1)))) < 8 * parsed


def test_the_benchmark_runs():
    """On a few lines."""
    command = [sys.executable, str(ROOT / "benchmarks" / "migrate.py"), "--lines", "200", "--native"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=True)
    assert done.stdout.count("s per 100,000 lines") == 4
