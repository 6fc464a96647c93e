"""docs/migrating.md is true: its commands are run one after the other, its edits made, and what is printed compared.

TRIOASYNC_REGEN=1 writes what is printed into the page, where it says something else; "..." has to be put in again then.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "migrating.md"
REGENERATE = bool(os.environ.get("TRIOASYNC_REGEN"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Shell:
    """A folder with the checkout's examples, and `python` and `trioasync` on the path."""

    def __init__(self, folder):
        self.folder = folder
        binaries = folder / ".bin"
        binaries.mkdir()
        for name, command in {"python": "", "trioasync": "-m trioasync"}.items():
            script = binaries / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
            script.chmod(0o755)
        (folder / "examples").symlink_to(ROOT / "examples")
        path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}

    def run(self, command):
        """Return what a command prints, errors included."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 1), done.stdout
        return done.stdout

    def edit(self, patch):
        """Make an edit that is shown as removed and added lines."""
        path = self.folder / "nightly.py"
        lines = patch.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        text = path.read_text()
        assert text.count(old) == 1, patch
        path.write_text(text.replace(old, new))


def matches(expected, actual):
    """Whether a text is as expected, where a line "..." stands for any lines."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*".join(parts), actual) is not None


def follow(text, shell):
    """Do what the page says; return the page with what was printed in the place of what it said otherwise."""

    def told(block):
        kind, content = block.groups()
        if kind == "diff":
            shell.edit(content)
        if kind != "console":
            return block.group()
        parts = re.split(r"^\$ (.*)\n", content, flags=re.MULTILINE)[1:]
        shown = []
        for command, expected in zip(parts[::2], parts[1::2], strict=True):
            actual = shell.run(command)
            shown.append(f"$ {command}\n{expected if matches(expected, actual) else actual}")
        return f"```console\n{''.join(shown)}```"

    return BLOCK.sub(told, text)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the page tells the tool that 3.10 is not supported")
def test_the_page_prints_what_it_says(tmp_path):
    """From the first command to the last, and at the end there is a trio program."""
    text = PAGE.read_text(encoding="utf-8")
    shell = Shell(tmp_path)
    told = follow(text, shell)
    if REGENERATE:
        PAGE.write_text(told, encoding="utf-8")
    assert told == text
    assert "asyncio" not in (tmp_path / "nightly.py").read_text().split('"""', 2)[2]


def test_every_command_of_the_tool_is_on_the_page():
    """In a block that is run."""
    commands = " ".join(
        content for kind, content in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == "console"
    )
    for command in ("run", "audit", "explain", "migrate imports", "migrate native"):
        assert f"$ trioasync {command} " in commands


@pytest.mark.parametrize(
    "content", [content for kind, content in BLOCK.findall(PAGE.read_text("utf-8")) if kind == "python"]
)
def test_its_code_is_python(content):
    """As a body of a coroutine."""
    assert ast.parse("async def f(self):\n" + re.sub(r"^", "    ", content, flags=re.MULTILINE)).body


def test_its_settings_are_settings(tmp_path, monkeypatch):
    """The tool takes each of them."""
    from trioasync._tools.migrate.config import load

    (settings,) = [content for kind, content in BLOCK.findall(PAGE.read_text("utf-8")) if kind == "toml"]
    (tmp_path / "pyproject.toml").write_text(settings)
    options = load([str(tmp_path)], {})
    assert (options.safety, options.timeout_style, options.python, options.jobs) == ("B", "native", (3, 11), 4)
    assert (options.ignore, options.exclude) == (("TAM230",), ("third_party",))


def test_its_links_lead_somewhere():
    """Every relative link names a file."""
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", PAGE.read_text("utf-8")) if "://" not in target]
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []
