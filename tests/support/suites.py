"""Suites of tests, run by a pytest of their own as a user's machine would run them."""

import os
import re
import sys
from pathlib import Path

import pytest
from _pytest.config import default_plugins

from tests.support import preloaded

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "testing.md"
TIME_LIMIT = 60
# What a pytest imports before it does anything, and what the plugins of others import.
PYTEST = (*preloaded.MODULES, "pytest", *(f"_pytest.{name}" for name in default_plugins), "hypothesis.strategies")
IMPORTED_BEFORE = (
    "ignore:Module already imported so cannot be rewritten; _?hypothesis:pytest.PytestAssertRewriteWarning"
)
# Plugins that are not there unless a suite asks for them: where one is installed, and where it is not, all is the same.
OTHERS = ("trio", "asyncio", "anyio", "hypothesispytest")


def _example(title):
    """Return the file name and the text of an example in docs/testing.md, whose first line is `# name, title`."""
    blocks = re.findall(r"^```python\n# (\S+), ([^\n]*)\n(.*?)^```$", DOCUMENT.read_text(), flags=re.M | re.S)
    ((name, text),) = [(name, text) for name, found, text in blocks if found == title]
    return name, text


class Suite:
    """A folder with tests, in which pytest finds the plugin by the entry point that pyproject.toml declares."""

    def __init__(self, pytester, monkeypatch):
        self._pytester = pytester
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        for name in ("PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONSAFEPATH"):
            monkeypatch.delenv(name, raising=False)
        (declared,) = re.findall(
            r"^\[project\.entry-points\.pytest11\]\n((?:.+\n)+)", (ROOT / "pyproject.toml").read_text(), flags=re.M
        )
        information = pytester.mkdir("trioasync_plugin-1.dist-info")
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: trioasync-plugin\nVersion: 1\n")
        (information / "entry_points.txt").write_text(f"[pytest11]\n{declared}".replace('"', ""))

    def write(self, name, text):
        """Add a file; a text that is indented as a whole loses that."""
        self._pytester.makefile(Path(name).suffix, **{Path(name).stem: text})

    def write_example(self, title):
        """Add an example of docs/testing.md."""
        self.write(*_example(title))

    def run(self, *options, using=("trio",), settings="", through=None):
        """Run the tests with warnings as errors, and return what pytester returns of a run.

        Args:
            options: for pytest.
            using: which of `OTHERS` are there.
            settings: lines of pytest.ini.
            through: what is between python and the options; None is pytest, in a process that has imported it before.
        """
        filters = f"filterwarnings =\n    error\n    {IMPORTED_BEFORE}\n"
        self.write("pytest.ini", f"[pytest]\n{filters}{settings}")
        absent = [f"-pno:{name}" for name in OTHERS if name not in using]
        arguments = [os.fspath(each) for each in ("-rA", "-pno:cacheprovider", *absent, *options)]
        if through is not None:
            return self._pytester.run(sys.executable, *through, *arguments, timeout=TIME_LIMIT)
        program = f"import sys, pytest\nsys.exit(pytest.main({arguments}))"
        settings = {"folder": self._pytester.path, "warnings": None, "modules": PYTEST}
        done = preloaded.run(program, limit=TIME_LIMIT, **settings)
        return pytest.RunResult(done.returncode, done.stdout.splitlines(), done.stderr.splitlines(), 0)

    def passes(self, *options, tests, **settings):
        """Run the tests; so many of them pass, and nothing else happens."""
        result = self.run(*options, **settings)
        result.assert_outcomes(passed=tests)
        return result
