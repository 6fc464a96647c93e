"""The engine: which fixes are made together, what makes a file stay as it was, and what files know of each other."""

import ast
import random

import pytest

from tests.tools.migrate import cases
from trioasync._tools.migrate import discover, edits, engine, look, rewrite
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.findings import Edit, Finding, Fix
from trioasync._tools.migrate.project import Project, quick_facts
from trioasync._tools.migrate.rule import Rule

OPTIONS = Options(safety="B")


class Renaming(Rule):
    """Renames one name to another; for the tests."""

    name = "renaming"
    codes = {"TAM900": "old -> new"}

    def __init__(self, old="old", new="new", *, gate="", needs=(), safety="A", edits=None):
        self.old, self.new, self.gate, self.needs, self.fix_safety = old, new, gate, needs, safety
        self.edits = edits

    def check(self, ctx):
        for name in ctx.bindings.names.get(self.old, ()):
            made = self.edits(ctx, name) if self.edits else [ctx.replace(name, self.new)]
            yield self.finding(ctx, name, "renamed", fix=ctx.fix(self.fix_safety, made, needs=self.needs))


@pytest.fixture
def run(monkeypatch):
    """Rewrites a text with rules of the test's own."""

    def with_rules(text, *rules, options=OPTIONS):
        monkeypatch.setattr(look, "all_rules", lambda: rules)
        return engine.rewritten_text(b"# asyncio\n" + text.encode(), "case.py", options)

    return with_rules


def after(outcome):
    assert not outcome.error
    return outcome.after.decode().removeprefix("# asyncio\n")


# Fixes


def finding(*spans, region=None):
    fix = Fix("A", tuple(Edit(*span, "") for span in spans), region=region)
    return Finding("TAM900", "x", "A", "", 0, 0, 1, 1, 1, 1, fix=fix)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ([(0, 3)], [(3, 6)], False),
        ([(0, 3)], [(2, 6)], True),
        ([(0, 9)], [(2, 6)], True),
        ([(2, 6)], [(0, 9)], True),
        ([(3, 3)], [(3, 3)], True),
        ([(3, 3)], [(3, 6)], False),
        ([(3, 6)], [(3, 3)], False),
        ([(0, 3)], [(3, 3)], False),
        ([(0, 6)], [(3, 3)], True),
        ([(3, 3)], [(0, 6)], True),
        ([(0, 1), (8, 9)], [(4, 5)], False),
        ([(0, 1), (8, 9)], [(4, 5), (7, 9)], True),
    ],
)
def test_fixes_that_meet_are_not_made_together(one, other, meet):
    """The second waits for the next look at the file; insertions beside a replacement do not meet it."""
    assert len(edits.chosen([finding(*one), finding(*other)])) == (1 if meet else 2)


def test_a_region_keeps_the_others_out():
    """Whichever of the two comes first."""
    whole, inside = finding((0, 0), (5, 5), region=(0, 9)), finding((3, 4))
    assert edits.chosen([whole, inside]) == [whole]
    assert edits.chosen([inside, whole]) == [inside]
    assert len(edits.chosen([whole, finding((9, 12))])) == 2


def test_chosen_fixes_never_overlap():
    """Against the plain definition, at random."""
    for seed in range(300):
        draw = random.Random(seed)
        given = []
        for _ in range(draw.randrange(2, 12)):
            start = draw.randrange(20)
            given.append(finding((start, start + draw.randrange(4))))
        spans = [(f.fix.edits[0].start, f.fix.edits[0].end) for f in edits.chosen(given)]
        for index, (start, end) in enumerate(spans):
            for other_start, other_end in spans[index + 1 :]:
                assert max(start, other_start) >= min(end, other_end)
                assert (start, end) != (other_start, other_end)
                for point, (low, high) in (
                    ((start, end), (other_start, other_end)),
                    ((other_start, other_end), (start, end)),
                ):
                    assert not (point[0] == point[1] and low < point[0] < high)


def test_fixes_that_follow_from_each_other_are_all_made(run):
    """The file is looked at again until nothing is left."""
    assert after(run("old = 1\n", Renaming("old", "middle"), Renaming("middle", "new"))) == "new = 1\n"


def test_fixes_that_go_round_in_circles_leave_the_file_alone(run):
    """After ten passes."""
    outcome = run("old = 1\n", Renaming("old", "new"), Renaming("new", "old"))
    assert (outcome.after, outcome.error_code) == (None, "TAM002")


def test_a_fix_that_breaks_the_file_takes_all_of_them_back(run):
    """And it is named."""
    outcome = run("x = old\ny = bad\n", Renaming(), Renaming("bad", "1 +"))
    assert (outcome.after, outcome.error_code) == (None, "TAM003")
    assert "TAM900 at line 3" in outcome.error


def test_what_the_compiler_refuses_is_taken_back(run):
    """Although it can be parsed: `return` in a module."""
    outcome = run("old\n", Renaming(new="return"))
    assert (outcome.after, outcome.error_code) == (None, "TAM003")


def test_a_character_that_the_encoding_lacks_leaves_the_file_alone(run):
    """Its bytes could not be written."""
    outcome = run("# coding: latin-1\nold = 1\n", Renaming(new="ζ"))
    assert (outcome.after, outcome.error_code) == (None, "TAM003")


def test_a_rule_that_fails_leaves_the_file_alone(run):
    """With the rule's name; the other files go on."""

    class Failing(Renaming):
        name = "failing"

        def check(self, ctx):
            raise KeyError("x")

    outcome = run("old = 1\n", Renaming(), Failing())
    assert (outcome.after, outcome.error_code) == (None, "TAM004")
    assert "failing: KeyError" in outcome.error


def test_a_fix_whose_edits_overlap_is_a_failure_of_its_rule(run):
    """The span check."""
    twice = Renaming(edits=lambda ctx, name: [ctx.replace(name, "a"), ctx.replace(name, "b")])
    assert run("old = 1\n", twice).error_code == "TAM004"


@pytest.mark.parametrize(
    ("new", "made"),
    [("1", False), ("1  # why", True), ("(1  # why\n)", True), ("1  # wh", False)],
)
def test_a_comment_is_never_dropped(run, new, made):
    """A fix over a comment is made only if its new text has the comment."""
    whole = Renaming(edits=lambda ctx, name: [Edit(ctx.span(name)[0], ctx.text.index(")") + 1, new)])
    outcome = run("old(  # why\n)\n", whole)
    if made:
        assert after(outcome) == new + "\n"
    else:
        assert outcome.after is None
        assert outcome.findings[0].blocked == "would lose the comment '# why'"


def test_a_sign_in_a_string_is_no_comment(run):
    """The tokenizer knows."""
    whole = Renaming(edits=lambda ctx, name: [Edit(ctx.span(name)[0], ctx.text.index(")") + 1, "1")])
    assert after(run("old('# why')\n", whole)) == "1\n"


def test_a_fix_of_class_b_is_made_on_request(run):
    """It is found either way."""
    outcome = run("old = 1\n", Renaming(safety="B"), options=Options())
    assert outcome.after is None
    assert [found.blocked for found in outcome.findings] == ["needs --safety B"]
    assert after(run("old = 1\n", Renaming(safety="B"))) == "new = 1\n"


# Imports


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("old\n", "import trio\n\n\nnew\n"),
        ('"""Doc."""\n\nold\n', '"""Doc."""\n\nimport trio\n\nnew\n'),
        ('"""Doc."""\nfrom __future__ import annotations\nold\n',
         '"""Doc."""\nfrom __future__ import annotations\nimport trio\nnew\n'),
        ("import os\nimport asyncio\nimport sys\nold\nasyncio\n",
         "import os\nimport asyncio\nimport trio\nimport sys\nnew\nasyncio\n"),
        ("import os\n\nx = 1\nimport sys\nold\n", "import os\nimport trio\n\nx = 1\nimport sys\nnew\n"),
        ("import trio\nold\n", "import trio\nnew\n"),
        ("import asyncio; old; asyncio\n", "import asyncio; new; asyncio\nimport trio\n"),
        ("import asyncio, \\\n  os\nasyncio; old", "import asyncio, \\\n  os\nimport trio\nasyncio; new"),
        ("import asyncio; old; asyncio", "import asyncio; new; asyncio\nimport trio"),
        ("try:\n    import asyncio\nexcept E:\n    pass\nold; asyncio\n",
         "import trio\n\n\ntry:\n    import asyncio\nexcept E:\n    pass\nnew; asyncio\n"),
    ],
)  # fmt: skip
def test_an_import_is_added_where_a_person_would_put_it(run, before, expected):
    """After that of asyncio, after the first imports, after the docstring; never twice, never inside of a line."""
    assert after(run(before, Renaming(new="trio", needs=["trio"]))) == expected.replace("new", "trio")


def test_names_out_of_modules_are_imported_too(run):
    """Helpers come from the copy in the project, or from the package."""
    rule = Renaming(new="partial(race, math)", needs=["functools:partial", "helpers:race", "math"])
    text = "import os\nold\n"
    expected = "import os\nfrom functools import partial\n{}import math\npartial(race, math)\n"
    assert after(run(text, rule)) == expected.format("from _trio_helpers import race\n")
    own = "from trioasync._tools.migrate.helpers import race\n"
    assert after(run(text, rule, options=Options(helpers="import"))) == expected.format(own)


UNUSED = {
    "import asyncio\nasyncio\n": "new\n",
    "import asyncio, os\nasyncio\n": "import os\nnew\n",
    "import os, asyncio\nasyncio\n": "import os\nnew\n",
    "from asyncio import a, b, c\nb\n": "from asyncio import a, c\nnew\n",
    "from asyncio import (\n    a,\n    b,\n)\nb\n": "from asyncio import (\n    a,\n)\nnew\n",
    "def f():\n    import asyncio\n\n    asyncio\n": "def f():\n    new\n",
    "import asyncio\n__all__ = ['asyncio']\nasyncio\n": "import asyncio\n__all__ = ['asyncio']\nnew\n",
    "import asyncio as asyncio\nasyncio\n": "import asyncio as asyncio\nnew\n",
    "import asyncio  # noqa\nasyncio\n": "import asyncio  # noqa\nnew\n",
    "import asyncio\nx: 'asyncio.Event'\nasyncio\n": "import asyncio\nx: 'asyncio.Event'\nnew\n",
    "if x:\n    import asyncio\nasyncio\n": "if x:\n    import asyncio\nnew\n",
    "import asyncio\nimport asyncio.tasks as t\nasyncio\n": "import asyncio.tasks as t\nnew\n",
    '"""asyncio.run"""\nimport asyncio\nasyncio\n': '"""asyncio.run"""\nnew\n',
}


@pytest.mark.parametrize("before", UNUSED)
def test_an_import_that_nothing_needs_any_more_is_dropped(run, before):
    """Unless it is exported, spoken of, commented, or alone in its block; what was unused before stays."""
    rules = [Renaming("asyncio", "new"), Renaming("b", "new")]
    assert after(run(before, *rules)) == UNUSED[before]


def test_an_added_import_takes_the_place_of_the_dropped_one(run):
    """Its comment stays."""
    text = "import asyncio  # why\nimport os\nasyncio\n"
    assert after(run(text, Renaming("asyncio", "trio", needs=["trio"]))) == "import trio  # why\nimport os\ntrio\n"


# Files


FILES = {
    "package/__init__.py": "",
    "package/work.py": "import asyncio\nasync def job(): pass\ndef call(): pass\nasync def gen():\n    yield\n",
    "package/main.py": "from . import work\nfrom .work import job as j\nimport asyncio\n"
    "work.job(); j(); work.call(); work.gen()\n",
    "package/far.py": "async def far(): pass\ndef near(): pass\nclass C:\n  def m(self): self.x.pulse()\n",
    "package/last.py": "import asyncio\nfrom package.far import far, near\nfar(); near()\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text(text)
        return discover.find_files(["."])

    return write


def test_files_know_of_each_other_whatever_their_order(project, monkeypatch):
    """Whether a function is async is known where it is imported; of a file without asyncio, only that one is not."""

    class Asks(Rule):
        name = "asks"
        codes = {"TAM901": "a call"}

        def check(self, ctx):
            for call in ctx.nodes(ast.Call):
                yield self.finding(ctx, call, str(ctx.is_async(call.func)), symbol=ctx.source_of(call.func))

    monkeypatch.setattr(look, "all_rules", lambda: [Asks()])
    files = project(FILES)
    for order in (files, files[::-1]):
        analysis = engine.analyse(order, OPTIONS)
        found = {(f.path, f.symbol): f.message for result in analysis.files for f in result.findings}
        assert found == {
            ("package/main.py", "work.job"): "True",
            ("package/main.py", "j"): "True",
            ("package/main.py", "work.call"): "False",
            ("package/main.py", "work.gen"): "False",
            ("package/last.py", "far"): "None",
            ("package/last.py", "near"): "False",
        }
        assert [result.path for result in analysis.files] == files


def test_an_analysis_says_what_each_file_uses(project):
    """With places and functions; files without asyncio are counted all the same."""
    files = project({
        "a.py": "import asyncio, aiohttp, os\n\nclass C:\n    async def f(self):\n        await asyncio.sleep(1)\n",
        "b.py": "import aiohttp, a\n",
        "c.py": "import asyncio\nx = (\n",
    })  # fmt: skip
    a, b, c = engine.analyse(files, OPTIONS).files
    assert [(use.name, use.line, use.column, use.function) for use in a.uses] == [("asyncio.sleep", 5, 15, "C.f")]
    assert [(f.name, f.line, f.end_line, f.is_async) for f in a.functions] == [("C.f", 4, 5, True)]
    assert (a.lines, a.third_party, a.residual) == (5, ("aiohttp",), frozenset())
    assert (b.lines, b.third_party, b.skipped) == (1, ("aiohttp",), "no asyncio")
    assert c.error.startswith("not parsed")
    assert c.error_line == 2


GATED = {  # to whom it is open
    "file": {"free.py", "imports_rest.py", "imports_free.py", "foreign.py"},
    "program": {"free.py", "imports_free.py"},
    "project": set(),
}


@pytest.mark.parametrize("gate", GATED)
def test_gated_fixes_wait_for_what_is_left_of_asyncio(gate, project, monkeypatch):
    """In the file; in what it imports, too, and in packages that need asyncio; in any file at all."""
    files = project({
        "free.py": "import asyncio\nasyncio.run\n",
        "rest.py": "import asyncio\nasyncio.run; asyncio.Future\n",
        "imports_rest.py": "import asyncio, rest\nasyncio.run\n",
        "imports_free.py": "import asyncio\nfrom free import x\nasyncio.run\n",
        "foreign.py": "import asyncio, aiohttp\nasyncio.run\n",
    })  # fmt: skip

    monkeypatch.setattr(look, "all_rules", lambda: [Runs(gate)])
    outcomes = {outcome.path: outcome for outcome in engine.rewritten(files, OPTIONS)}
    assert sorted(outcomes) == files
    assert {path for path, outcome in outcomes.items() if outcome.after is not None} == GATED[gate]
    blocked = {finding.blocked for outcome in outcomes.values() for finding in outcome.findings}
    assert blocked == {f"waits until nothing else of asyncio is left in the {gate}"}


def test_the_facts_of_a_file_without_asyncio_come_from_its_text():
    """Rather too many attributes than too few, and no promise for `async def`."""
    place = discover.Place("package/far.py", "package.far", False, 1)
    facts = quick_facts(
        FILES["package/far.py"] + "from . import work\nimport os.path as p, sys\nfrom ..x import y\n", place
    )
    assert facts.functions == {"far": None, "near": False}
    assert {"x", "pulse"} <= facts.attributes
    assert facts.imports >= {"package.work", "os.path", "sys"}


def test_attributes_of_other_files_are_known():
    """`self.x` counts as another file's where the class does not set it."""
    texts = {"one.py": "class A:\n  def f(self): self.x = 1; self.x; self.y\n", "two.py": "a.z\n"}
    facts = []
    for path, text in texts.items():
        outcome = rewrite.rewrite(text.encode(), discover.Place(path, path[:-3], False, 0), OPTIONS, Project())
        facts.append(outcome.facts)
    project = Project(facts)
    elsewhere = {name for name in "xyz" if project.attribute_elsewhere("three.py", name)}
    assert elsewhere == {"y", "z"}
    assert not project.attribute_elsewhere("two.py", "z")


def test_module_names_follow_the_packages(project):
    """Up to the outermost folder with an `__init__.py`."""
    project({"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "", "d/e.py": ""})
    assert discover.place_of("a/b/c.py") == ("a/b/c.py", "a.b.c", False, 2)
    assert discover.place_of("a/b/__init__.py") == ("a/b/__init__.py", "a.b", True, 2)
    assert discover.place_of("d/e.py") == ("d/e.py", "e", False, 0)


def test_a_helper_s_import_is_relative_inside_of_a_package(project, monkeypatch):
    """The copy of the helpers is in the outermost one."""
    files = project({"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "# asyncio\nold\n"})
    monkeypatch.setattr(look, "all_rules", lambda: [Renaming(new="race", needs=["helpers:race"])])
    (outcome,) = [outcome for outcome in engine.rewritten(files, OPTIONS) if outcome.after]
    assert outcome.after == b"# asyncio\nfrom .._trio_helpers import race\n\n\nrace\n"
    assert outcome.helpers == {"race"}


def test_a_file_without_asyncio_is_not_parsed(project):
    """It may be anything."""
    (result,) = engine.analyse(project({"x.py": "this is ( no Python\n"}), OPTIONS).files
    assert (result.error, result.skipped) == ("", "no asyncio")


def test_cases_have_each_a_rule():
    """A folder of fixtures that no rule is named after would be run by nobody."""
    names = {rule.name for rule in look.all_rules()}
    assert {case.rule for case in cases.all_cases()} <= names


def test_an_import_that_a_later_fix_makes_superfluous_goes_again(run):
    """Also one that was added on the way; one that nobody used before stays."""
    rules = [Renaming(new="subprocess.PIPE", needs=["subprocess"]), Renaming("subprocess", "x")]
    text = "import asyncio\nimport math\nimport time\ntime.x = asyncio\nold = 1\n"
    assert after(run(text, rules[0])) == text.replace("old", "subprocess.PIPE").replace(
        "asyncio\nimport m", "asyncio\nimport subprocess\nimport m"
    )
    assert after(run(text, *rules)) == text.replace("old", "x.PIPE")
    assert after(run("import time, math\ntime\nold\n", Renaming("time", "x"))) == "import math\nx\nold\n"


class Runs(Rule):
    """Rewrites `asyncio.run`; the gate is the test's."""

    name = "runs"
    codes = {"TAM902": "run"}

    def __init__(self, gate):
        self.gate = gate

    def check(self, ctx):
        for _, node in ctx.uses_of("asyncio.run"):
            yield self.finding(ctx, node, "run", fix=ctx.fix("A", [ctx.replace(node, "trio.run")]))


SURROUNDED = {
    "pyproject.toml": "",
    "main.py": "import asyncio, between\nasyncio.run\n",
    "between.py": "import rest\n",
    "rest.py": "import asyncio\nasyncio.Future\n",
    "alone.py": "import asyncio, os\nasyncio.run\n",
    "called.py": "import asyncio\nasyncio.run\n",
    "tests/caller.py": "import asyncio\nfrom called import x\n",
}


@pytest.mark.parametrize(
    ("gate", "open_to"), [("program", {"alone.py", "called.py"}), ("project", {"alone.py"}), ("file", "all")]
)
def test_files_that_were_not_named_count_as_well(gate, open_to, project, monkeypatch):
    """A hook names one file: what it imports, and what imports it, is looked for on the disk."""
    project(SURROUNDED)
    monkeypatch.setattr(look, "all_rules", lambda: [Runs(gate)])
    for path in ("main.py", "alone.py", "called.py"):
        (outcome,) = engine.rewritten([path], OPTIONS)
        assert (outcome.after is not None) == (open_to == "all" or path in open_to), path


def test_files_that_do_not_fit_into_memory_are_rewritten_again(project, monkeypatch):
    """Their number changes nothing."""
    files = project({f"f{number}.py": "import asyncio\nfrom f0 import job\nold(job())\n" for number in range(9)})

    class Asks(Renaming):
        def check(self, ctx):
            ctx.project.is_async("f0.job")
            yield from super().check(ctx)

    monkeypatch.setattr(look, "all_rules", lambda: [Asks()])
    usual = list(engine.rewritten(files, OPTIONS))
    monkeypatch.setattr(engine, "_ROOM", 200)
    assert sorted(usual, key=lambda o: o.path) == sorted(engine.rewritten(files, OPTIONS), key=lambda o: o.path)
    assert all(outcome.after for outcome in usual)


def test_a_message_that_quotes_several_lines_is_one_line(run):
    """So is the TODO comment made of it, and of advice only the first line."""

    class Quotes(Renaming):
        def check(self, ctx):
            for name in ctx.bindings.names["old"]:
                yield self.finding(ctx, name, "a list:\n[\n  1\n]", safety="C", help="do this\nor that")

    outcome = run("old\n", Quotes(), options=Options(todo=True))
    assert after(outcome) == "# TODO(trioasync TAM900): a list: [ 1 ]; do this\nold\n"
