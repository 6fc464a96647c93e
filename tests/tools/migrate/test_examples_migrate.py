"""Five programs on their way from asyncio to trio: what the tool makes of them, and that they run at each stage.

TRIOASYNC_REGEN=1 writes the tool's results and the numbers in the README anew, to be read before they are committed.
"""

import difflib
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trioasync._tools import cli
from trioasync._tools.migrate import helpers
from trioasync._tools.migrate.config import load
from trioasync._tools.migrate.engine import analyse

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "migrate"
PROGRAMS = sorted(path.parent.name for path in EXAMPLES.glob("*/before.py"))
STAGES = ["before", "imports", "native", "after"]
REGENERATE = bool(os.environ.get("TRIOASYNC_REGEN"))

program = pytest.mark.parametrize("program", PROGRAMS)


def source(program, stage):
    return (EXAMPLES / program / f"{stage}.py").read_text(encoding="utf-8")


def code(program, stage):
    """Return the text of a stage without the explanation on top."""
    return source(program, stage).split('"""', 2)[2]


def migrated(folder, before, *arguments):
    """Return what a stage of the tool makes of a program; `folder` keeps the files that it writes beside."""
    shutil.copy(EXAMPLES / "pyproject.toml", folder)
    path = folder / "program.py"
    path.write_text(before, encoding="utf-8")
    assert cli.main(["migrate", *arguments, "--write", "--force", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def compare(program, stage, text):
    if REGENERATE:
        (EXAMPLES / program / f"{stage}.py").write_text(text, encoding="utf-8")
    assert text == source(program, stage)


def changed_lines(before, after):
    """Count the lines that a stage has put in or replaced."""
    matcher = difflib.SequenceMatcher(a=before.splitlines(), b=after.splitlines(), autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


# What the tool does


@program
def test_the_first_stage_is_what_the_tool_writes(program, tmp_path):
    """Only the import is another."""
    compare(program, "imports", migrated(tmp_path, source(program, "before"), "imports"))
    assert changed_lines(source(program, "before"), source(program, "imports")) == 1


@program
def test_the_second_stage_is_what_the_tool_writes(program, tmp_path):
    """And once more changes nothing; the helper functions that it uses are put beside it."""
    native = migrated(tmp_path, source(program, "imports"), "native")
    compare(program, "native", native)
    assert migrated(tmp_path, native, "native") == native
    if "_trio_helpers" in native:
        assert (tmp_path / "_trio_helpers.py").read_bytes() == (EXAMPLES / program / "_trio_helpers.py").read_bytes()


@program
def test_the_helpers_are_the_tools(program):
    """Where a program has them, they are a copy."""
    if "_trio_helpers" in source(program, "after"):
        if REGENERATE:
            shutil.copy(helpers.__file__, EXAMPLES / program / "_trio_helpers.py")
        assert (EXAMPLES / program / "_trio_helpers.py").read_bytes() == Path(helpers.__file__).read_bytes()
    else:
        assert not (EXAMPLES / program / "_trio_helpers.py").exists()


@program
def test_a_finished_program_has_nothing_of_asyncio(program):
    """Where it began, it knew nothing of trio."""
    assert "trio" not in code(program, "before")
    assert "asyncio" not in code(program, "after")


@program
def test_the_tool_has_nothing_to_add_to_a_finished_program(program, tmp_path):
    """It is native for the tool, too."""
    assert migrated(tmp_path, source(program, "after"), "native") == source(program, "after")


# What the programs do


def start(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@program
def test_a_program_does_the_same_at_each_stage(program):
    """On asyncio, unchanged on trioasync, with another import, with the tool's rewrites, and on trio alone."""
    paths = {stage: str(EXAMPLES / program / f"{stage}.py") for stage in STAGES}
    running = [start(path) for path in paths.values()]
    running.append(start("-m", "trioasync", "run", paths["before"]))
    ends = []
    for process in running:
        out, err = process.communicate(timeout=60)
        ends.append((process.returncode, out, err))
    assert ends == [(0, ends[0][1], "")] * 5
    assert ends[0][1].count("\n") >= 5


# What is said of them


def row(program):
    texts = [source(program, stage) for stage in STAGES]
    counts = [changed_lines(before, after) for before, after in itertools.pairwise(texts)]
    return f"| [{program}]({program}) | {len(texts[0].splitlines())} | " + " | ".join(map(str, counts)) + " |"


@program
def test_the_numbers_in_the_readme_are_right(program):
    """Lines of the program, and lines changed by each stage and by hand."""
    readme = EXAMPLES / "README.md"
    if REGENERATE:
        text = re.sub(rf"^\| \[{program}\].*$", row(program), readme.read_text(encoding="utf-8"), flags=re.MULTILINE)
        readme.write_text(text, encoding="utf-8")
    assert row(program) in readme.read_text(encoding="utf-8").splitlines()


@program
def test_the_readme_lists_the_edits_by_hand(program):
    """Each program has a section, with what was done by hand for each code that the tool had left."""
    section = re.search(
        rf"^## {program}\n(.*?)(?=^## |\Z)", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.S | re.M
    ).group(1)
    left = analyse([str(EXAMPLES / program / "native.py")], load([str(EXAMPLES)], {})).files[0].findings
    assert {finding.code for finding in left} <= set(re.findall(r"TAM\d+", section))
    by_hand = changed_lines(code(program, "native"), code(program, "after"))
    assert len(re.findall(r"^\* ", section, re.M)) >= (2 if by_hand > 20 else 1)
