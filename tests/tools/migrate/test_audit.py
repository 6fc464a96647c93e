"""`trioasync audit`: says what a code base uses, and changes nothing."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.tools.migrate.audited import FILES, audit, document, write
from trioasync._tools import cli
from trioasync._tools.matrix import facts
from trioasync._tools.migrate import known_packages
from trioasync._tools.migrate.config import Options
from trioasync._tools.migrate.engine import analyse
from trioasync._tools.migrate.survey import document_of


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The code base, as the current directory."""
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(entries, **wanted):
    """Return the one entry of a list that has these values."""
    (found,) = [each for each in entries if all(each[key] == value for key, value in wanted.items())]
    return found


def codes(doc, path):
    return [finding["code"] for finding in doc["findings"] if finding["path"] == path]


# What it says


def test_uses_are_counted_by_who_makes_them_native(code, capsys):
    """A sleep is the tool's, a task that nobody awaits a person's, and trio's own calls are native."""
    jobs = entry(document(capsys, ".")["files"], path="app/jobs.py")
    assert jobs["uses"]["native"] == 1
    assert jobs["uses"]["A"] == 1
    assert sum(jobs["uses"].values()) == 6


def test_uses_are_told_by_function(code, capsys):
    """With the qualified name, the line of the first one, and the names."""
    jobs = entry(document(capsys, ".")["files"], path="app/jobs.py")
    assert [(each["name"], each["line"], each["symbols"]) for each in jobs["functions"]] == [
        ("Jobs.nap", 6, {"asyncio.sleep": 2}),
        ("Jobs.forever", 10, {"asyncio.create_task": 1, "asyncio.get_running_loop": 1, "loop.create_future": 1}),
        ("native", 15, {}),
    ]


def test_the_share_of_native_code_is_that_of_uses(code, capsys):
    """Half native: two calls of trio's, two names of asyncio's, of which the tool can take one."""
    half = entry(document(capsys, ".")["files"], path="app/half.py")
    assert (half["native_pct"], half["reachable_pct"]) == (50, 75)
    assert half["uses"] == {"native": 2, "A": 1, "B": 0, "C": 1}


def test_a_code_base_that_uses_nothing_has_no_share(tmp_path, monkeypatch, capsys):
    """Neither 0 nor 100 would be true."""
    write(tmp_path, {"a.py": "x = 1\n"})
    monkeypatch.chdir(tmp_path)
    summary = document(capsys, ".")["summary"]
    assert (summary["scanned"], summary["files"], summary["native_pct"]) == (1, 0, None)


def test_what_trioasync_supports_is_told_of_each_name(code, capsys):
    """From the same table as everything else."""
    sleep = entry(document(capsys, ".")["symbols"], symbol="asyncio.sleep")
    assert (sleep["uses"], sleep["files"], sleep["support"], sleep["native"]) == (4, 3, "full", "trio.sleep")


def test_a_name_that_is_not_wholly_supported_comes_with_the_reason(tmp_path, monkeypatch, capsys):
    """A loop that trio does not turn, for one."""
    write(tmp_path, {"a.py": "import asyncio\nloop = asyncio.SelectorEventLoop()\nasyncio.Nonsense\n"})
    monkeypatch.chdir(tmp_path)
    symbols = document(capsys, ".")["symbols"]
    assert entry(symbols, symbol="asyncio.SelectorEventLoop")["support"] == "partial"
    assert entry(symbols, symbol="asyncio.Nonsense")["support"] == "unknown"
    text = audit(capsys, ".")[1]
    assert (
        "not wholly supported by trioasync:\n    asyncio.Nonsense: unknown\n    asyncio.SelectorEventLoop: partial, "
        in text
    )


def test_packages_that_need_asyncio_are_listed(code, capsys):
    """Wherever they are imported, in files that do not name asyncio too, with what there is for trio."""
    packages = document(capsys, ".")["dependencies"]
    assert [(each["package"], each["runs_on"], each["imported_at"]) for each in packages] == [
        ("aiohttp", "asyncio", ["app/jobs.py:2"]),
        ("websockets", "asyncio", ["app/other.py:1"]),
    ]
    assert entry(packages, package="websockets")["native"] == "trio-websocket"


@pytest.fixture
def matrix(monkeypatch):
    """A compatibility matrix with two libraries in it."""
    libraries = {
        "aiohttp": {"3.9": ["3.1", 40, 0], "3.10": ["3.2", 40, 0], "3.11": ["3.3", 39, 1]},
        "pyzmq": {"3.13": ["27", 9, 0]},
    }
    monkeypatch.setattr(facts, "read", lambda: {"libraries": libraries})
    known_packages.libraries.cache_clear()
    yield
    known_packages.libraries.cache_clear()


def test_packages_come_with_what_the_compatibility_matrix_says(code, capsys, matrix):
    """The version that does the same on trioasync, on the newest Python on which one does."""
    dependencies = document(capsys, ".")["dependencies"]
    assert [(each["package"], each["tested"]) for each in dependencies] == [("aiohttp", "3.2"), ("websockets", "")]
    assert "    aiohttp (asyncio, 3.2 tested on trioasync), imported at app/jobs.py:2" in audit(capsys, ".")[1]


def test_a_package_is_found_in_the_matrix_under_its_name_there(matrix):
    """What is imported as zmq.asyncio is the library pyzmq."""
    assert known_packages.tested(known_packages.table()["zmq.asyncio"]) == "27"


def test_the_matrix_of_this_installation_can_be_read():
    """By Python a version, and two counts, for each library."""
    entries = [entry for by_python in known_packages.libraries().values() for entry in by_python.values()]
    assert [[type(value) for value in entry] for entry in entries] == [[str, int, int]] * len(entries)
    assert all(isinstance(known_packages.tested(package), str) for package in known_packages.table().values())


def test_settings_requirements_and_notebooks_are_found(code, capsys):
    """The project's own name is no requirement, and a package that runs on trio as well is fine."""
    doc = document(capsys, ".")
    assert codes(doc, "pyproject.toml") == ["TAM411", "TAM410"]
    assert entry(doc["findings"], code="TAM411")["start"] == {"line": 4, "col": 6}
    assert entry(doc["findings"], code="TAM410")["symbol"] == "asyncio_mode"
    assert codes(doc, "book.ipynb") == ["TAM420"]


def test_settings_above_the_folder_that_is_audited_are_found(code, capsys):
    """They are the folder's as well."""
    assert codes(document(capsys, "app"), "pyproject.toml") == ["TAM411", "TAM410"]
    assert codes(document(capsys, "app/jobs.py"), "pyproject.toml") == []


def test_names_in_strings_of_tests_are_found(code, capsys):
    """What `mock.patch` replaces is found by its name."""
    found = [
        finding for finding in document(capsys, "tests")["findings"] if finding["text"].startswith("with mock.patch")
    ]
    assert [finding["safety"] for finding in found] == ["C"]


def test_a_file_that_cannot_be_parsed_is_reported_and_the_others_go_on(code, capsys):
    """The exit status tells."""
    status, text, _ = audit(capsys, "--format", "json", ".")
    doc = json.loads(text)
    assert [error["path"] for error in doc["errors"]] == ["app/broken.py"]
    assert len(doc["files"]) == 3
    assert status == 3


def test_a_virtual_environment_is_left_out(code, capsys):
    """It is not the project's code."""
    assert not any(each["path"].startswith("venv") for each in document(capsys, ".")["files"])


# What keeps files


def test_what_keeps_a_file_from_being_native_is_counted(tmp_path, monkeypatch, capsys):
    """By files, and by files that nothing else keeps."""
    task = "import asyncio\nasync def main():\n    asyncio.ensure_future(x)\n"
    write(tmp_path, {"a.py": task, "b.py": task + "    asyncio.Nonsense(2)\n"})
    monkeypatch.chdir(tmp_path)
    blockers = {each["code"]: (each["files"], each["alone"]) for each in document(capsys, ".")["summary"]["blockers"]}
    assert blockers.pop("asyncio.Nonsense") == (1, 0)
    assert list(blockers.values()) == [(2, 1)]


# How it says it


def test_the_summary_and_the_files_agree(code, capsys):
    """What the whole has is what its parts have."""
    doc = document(capsys, ".")
    for kind, number in doc["summary"]["uses"].items():
        assert sum(file["uses"][kind] for file in doc["files"]) == number
    for file in doc["files"]:
        for kind, number in file["uses"].items():
            assert sum(function["uses"][kind] for function in file["functions"]) == number
    assert doc["summary"]["by_code"] == Counter(finding["code"] for finding in doc["findings"])
    assert doc["summary"]["by_class"] == {
        kind: sum(finding["safety"] == kind for finding in doc["findings"]) for kind in "ABC"
    }
    assert sum(each["uses"] for each in doc["symbols"]) == sum(doc["summary"]["uses"].values()) - 3


def test_positions_are_in_characters(code, capsys):
    """Columns count characters, and the text of the finding is there."""
    found = entry(document(capsys, ".")["findings"], code="TAM400")
    assert (found["start"], found["end"]) == ({"line": 2, "col": 1}, {"line": 2, "col": 15})
    assert found["text"] == "import aiohttp  # é"


def test_the_edits_of_a_fix_are_where_they_say(code, capsys):
    """Making them by their lines and columns gives trio's sleep."""
    found = entry(document(capsys, ".")["findings"], path="app/half.py", symbol="asyncio.sleep")
    (edit,) = found["fix"]["edits"]
    line = Path("app/half.py").read_text().splitlines()[edit["start"]["line"] - 1]
    after = line[: edit["start"]["col"] - 1] + edit["text"] + line[edit["end"]["col"] - 1 :]
    assert after == "    await trio.sleep(3)"


def test_the_order_of_the_paths_and_of_the_jobs_does_not_matter(code, capsys):
    """The document is the same, byte for byte."""
    names = [name for name in FILES if name.endswith(".py") and not name.startswith("venv")]
    shuffled = random.Random(1).sample(names, len(names))
    first = audit(capsys, "--format", "json", *names)[1]
    assert audit(capsys, "--format", "json", *shuffled)[1] == first
    assert audit(capsys, "--format", "json", "-j", "2", *names)[1] == first


def test_paths_are_relative_to_the_current_directory(code, capsys):
    """However they were given."""
    assert audit(capsys, "--format", "json", code)[1] == audit(capsys, "--format", "json", ".")[1]
    assert audit(capsys, "--format", "json", "app/../app")[1] == audit(capsys, "--format", "json", "app")[1]


def test_a_fingerprint_stays_when_the_line_moves(code, capsys):
    """And differs between two places."""
    before = [finding["fingerprint"] for finding in document(capsys, "app/jobs.py")["findings"]]
    path = Path("app/jobs.py")
    path.write_text("# one more line\n\n" + path.read_text())
    after = document(capsys, "app/jobs.py")["findings"]
    assert [finding["fingerprint"] for finding in after] == before
    assert len({finding["fingerprint"] for finding in after}) == len({(f["code"], f["text"]) for f in after})


def test_nothing_is_written(code, capsys):
    """Every file has the bytes and the time that it had."""

    def state():
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in code.rglob("*") if path.is_file()}

    before = state()
    for form in ("text", "json", "sarif", "md", "html"):
        audit(capsys, "--format", form, ".")
    assert state() == before


# The command


def test_findings_fail_only_on_request(code, capsys):
    """By the class that is named, or a harder one."""
    good = ("app/half.py", "app/other.py")
    assert audit(capsys, *good)[0] == 0
    assert audit(capsys, "--fail-on", "A", "app/half.py")[0] == 1
    Path("app/a.py").write_text("import trioasync as asyncio\nasync def f():\n    await asyncio.sleep(1)\n")
    assert [audit(capsys, "--fail-on", kind, "app/a.py")[0] for kind in ("A", "B", "C", "never")] == [1, 0, 0, 0]


def test_a_report_can_go_to_a_file(code, capsys):
    """Then standard output stays empty, and the summary is said beside it."""
    status, out, err = audit(capsys, "--format", "html", "-o", "report.html", "app/jobs.py")
    assert (status, out) == (0, "")
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert err.startswith("1 file scanned, 15 lines")


@pytest.mark.parametrize("arguments", [["--format", "xml", "."], ["--fail-on", "D", "."], ["--ignore", "E501", "."]])
def test_a_wrong_command_line_is_status_2(code, capsys, arguments):
    """With the usage and a word about it."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", *arguments])
    assert ended.value.code == 2
    assert "trioasync audit: error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no files are named; '.' is this folder"),
        (["nowhere"], "nowhere: there is no such file"),
        (["-o", "no/such/folder", "app"], "no/such/folder: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_status_2(code, capsys, arguments, said):
    """With a word about it, and no report."""
    assert audit(capsys, *arguments) == (2, "", f"trioasync audit: {said}\n")


def test_a_wrong_setting_is_status_2(code, capsys):
    """Settings are those of pyproject.toml."""
    Path("pyproject.toml").write_text("[tool.trioasync]\ncolour = 1\n")
    status, _, err = audit(capsys, "app")
    assert status == 2
    assert "[tool.trioasync] has no setting 'colour'" in err


def test_codes_are_reported_on_request(code, capsys):
    """By the beginning of the code, in Python files and in others; settings can say it as well."""
    assert {f["code"] for f in document(capsys, "--select", "TAM4", ".")["findings"]} == {
        "TAM400",
        "TAM410",
        "TAM411",
        "TAM420",
    }
    assert not any(f["code"] >= "TAM4" for f in document(capsys, "--ignore", "TAM4", ".")["findings"])
    Path("pyproject.toml").write_text('[tool.trioasync]\nselect = ["TAM200"]\nexclude = ["tests"]\n')
    doc = document(capsys, ".")
    assert doc["summary"]["by_code"] == {"TAM200": 2}


def test_files_can_be_left_out(code, capsys):
    """Settings of an excluded folder, too."""
    doc = document(capsys, ".", "--exclude", "app", "--exclude", "*.toml")
    assert {each["path"] for each in doc["files"]} == {"tests/test_jobs.py"}
    assert {f["path"] for f in doc["findings"]} == {"tests/test_jobs.py", "book.ipynb"}


def test_settings_files_that_cannot_be_read_are_reported(code, capsys):
    """Like any other file."""
    Path("tox.ini").write_bytes(b"\xff")
    doc = document(capsys, "tests")
    assert [error["path"] for error in doc["errors"]] == ["tox.ini"]
    assert doc["summary"]["scanned"] == 1


def test_a_document_needs_no_command(code):
    """It is made from what the engine found."""
    made = document_of(analyse(["app/half.py"], Options(safety="B")).files)
    assert made["files"][0]["path"] == "app/half.py"


def test_a_package_is_no_dependency_of_itself(tmp_path, monkeypatch, capsys):
    """Who audits aiohttp itself does not hear that it needs aiohttp."""
    write(tmp_path, {"aiohttp/__init__.py": "", "aiohttp/web.py": "import asyncio\nimport aiohttp\nimport uvloop\n"})
    monkeypatch.chdir(tmp_path)
    doc = document(capsys, ".")
    assert [each["package"] for each in doc["dependencies"]] == ["uvloop"]
    assert [finding["symbol"] for finding in doc["findings"] if finding["code"] == "TAM400"] == ["uvloop"]


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("import aiohttp.web as web", "aiohttp"),
        ("import os, uvicorn", "uvicorn"),
        ("from redis import asyncio as redis", "redis.asyncio"),
        ("from redis.asyncio.client import Redis", "redis.asyncio"),
        ("from sqlalchemy.ext.asyncio import create_async_engine", "sqlalchemy.ext.asyncio"),
        ("    import httpx", "httpx"),
    ],
)
@pytest.mark.parametrize("asyncio_too", [True, False])
def test_a_package_is_known_by_its_import(tmp_path, monkeypatch, capsys, line, package, asyncio_too):
    """In whatever form, in files that use asyncio and in others; of some packages a part needs it."""
    before = "x = 1\nif x:\n" if line.startswith(" ") else "x = 1\n\n"
    write(tmp_path, {"a.py": f"{before}{line}\n" + "import asyncio\n" * asyncio_too})
    monkeypatch.chdir(tmp_path)
    (found,) = document(capsys, ".")["dependencies"]
    assert (found["package"], found["imported_at"]) == (package, ["a.py:3"])


@pytest.mark.parametrize(
    "line", ["import redis", "from sqlalchemy import orm", "from .aiohttp import x", "import asynchttp"]
)
def test_what_needs_no_asyncio_is_no_finding(tmp_path, monkeypatch, capsys, line):
    """Other parts of such packages, relative imports, and similar names."""
    write(tmp_path, {"p/__init__.py": "", "p/a.py": f"import asyncio\n{line}\n", "p/b.py": f"{line}\n"})
    monkeypatch.chdir(tmp_path)
    assert document(capsys, ".")["dependencies"] == []
