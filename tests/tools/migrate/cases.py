"""The fixtures of the rules: `<rule>/<case>.py`, what becomes of it in `<case>.out.py`, settings in `<case>.toml`."""

import ast
import difflib
import functools
import io
import tokenize
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from trioasync._tools.migrate import discover, engine, look, toml
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.project import Project
from trioasync._tools.migrate.rules import all_rules
from trioasync._tools.migrate.source import Source

FOLDER = Path(__file__).parent / "fixtures"


class Case(NamedTuple):
    """A fixture."""

    rule: str
    name: str

    @property
    def path(self):
        return FOLDER / self.rule / f"{self.name}.py"

    @property
    def out_path(self):
        return FOLDER / self.rule / f"{self.name}.out.py"

    @property
    def before(self):
        return self.path.read_bytes().decode()

    @property
    def after(self):
        return self.out_path.read_bytes().decode() if self.out_path.exists() else self.before

    @property
    def settings(self):
        file = self.path.with_suffix(".toml")
        return toml.read("[case]\n" + file.read_text(), ("case",))["case"] if file.exists() else {}

    @property
    def options(self):
        settings = self.settings
        chosen = {name: settings[name] for name in ("safety", "timeout_style", "helpers", "todo") if name in settings}
        if "target_python" in settings:
            chosen["python"] = tuple(int(part) for part in settings["target_python"].split("."))
        rule = next(rule for rule in all_rules() if rule.name == self.rule)
        select = () if settings.get("all_rules") else tuple(rule.codes)
        return Options(**{"stage": rule.stage, "safety": "B", "select": select, **chosen})

    @property
    def python(self):
        return tuple(int(part) for part in self.settings.get("python", "3.10").split("."))


@functools.cache
def all_cases():
    """Every fixture, in order."""
    return [
        Case(path.parent.name, path.stem)
        for path in sorted(FOLDER.glob("*/*.py"))
        if not path.name.endswith((".out.py", ".run.py"))
    ]


def rewrite(data, options, name="case.py"):
    """What the tool makes of the bytes of a file that is a project of its own."""
    outcome = engine.rewritten_text(data, name, options)
    assert not outcome.error, outcome.error
    return outcome


def result(data, options):
    """The bytes that come out, the same ones if nothing changes."""
    outcome = rewrite(data, options)
    return data if outcome.after is None else outcome.after


def findings(data, options):
    """What the rules say of a file."""
    source = Source.decode(data)
    with look.quiet():
        seen = look.look(source, discover.Place("case.py", "case", False, 0), options, Project())
    return seen.findings


def comments(text):
    """The comments of a text, each with how often it is there."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def changed_lines(before, after):
    """The numbers of the lines of a text that are others or none in another text, which adds none."""
    old, new = before.split("\n"), after.split("\n")
    found = set()
    for kind, start, end, at, to in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            assert to - at <= end - start
            found |= set(range(start + 1, end + 1))
    return found


def shape(text):
    """A text's tree, without places."""
    return ast.dump(ast.parse(text))
