"""`trioasync migrate`: what it shows, what it writes, what it refuses, and the exit statuses."""

import io
import os
import shutil
import stat
import subprocess
import sys

import pytest

from trioasync._tools import cli
from trioasync._tools.migrate import output

BEFORE = b"import asyncio\n\n\nasync def main():\n    await asyncio.sleep(1)\n"
IMPORTED = BEFORE.replace(b"import asyncio", b"import trioasync as asyncio")
NATIVE = BEFORE.replace(b"asyncio", b"trio")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with three files, one of them without asyncio."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "one.py").write_bytes(BEFORE)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "two.py").write_bytes(BEFORE)
    (tmp_path / "package" / "other.py").write_text("x = 1\n")
    return tmp_path


@pytest.fixture
def migrate(capfdbinary):
    """Runs `trioasync migrate`; gives the exit status, standard output and standard error."""

    def run(*arguments):
        try:
            status = cli.main(["migrate", *arguments])
        except SystemExit as ended:
            status = ended.code
        out, err = capfdbinary.readouterr()
        return status, out.decode(), err.decode()

    return run


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


@needs_git
def test_without_a_mode_a_patch_is_shown_and_nothing_is_written(project, migrate):
    """The patch is all that standard output gets, and git can apply it."""
    status, out, err = migrate("imports", ".")
    assert status == 1
    assert (project / "one.py").read_bytes() == BEFORE
    assert "2 files would change, 3 scanned, 1 without asyncio, 0 skipped, 0 failed" in err
    git(project, "init", "-q")
    subprocess.run(["git", "apply", "-"], input=out.encode(), cwd=project, check=True)
    assert (project / "one.py").read_bytes() == (project / "package" / "two.py").read_bytes() == IMPORTED


@needs_git
def test_a_patch_keeps_carriage_returns_and_says_what_has_no_newline(project, migrate):
    """It applies to such files, too."""
    odd = BEFORE.replace(b"\n", b"\r\n") + b"# asyncio"
    (project / "one.py").write_bytes(odd)
    _, out, _ = migrate("native", "one.py")
    git(project, "init", "-q")
    subprocess.run(["git", "apply", "-"], input=out.encode(), cwd=project, check=True)
    assert (project / "one.py").read_bytes() == odd.replace(b"asyncio", b"trio", 2)


def test_check_shows_the_counts_only(project, migrate):
    """For continuous integration."""
    status, out, err = migrate("native", "--check", ".")
    assert (status, out) == (1, "")
    assert "fixes would be made: TAM100 2, TAM200 2" in err
    assert (project / "one.py").read_bytes() == BEFORE


def test_write_writes(project, migrate):
    """And a second run has nothing to do."""
    assert migrate("native", "--write", ".")[0] == 0
    assert (project / "one.py").read_bytes() == (project / "package" / "two.py").read_bytes() == NATIVE
    status, out, err = migrate("native", "--diff", ".")
    assert (status, out) == (0, "")
    assert "0 files would change" in err


def test_stage_1_and_then_stage_2_come_to_the_same_as_stage_2_alone(project, migrate):
    """Each step leaves a program that the next one understands."""
    migrate("imports", "--write", "one.py")
    assert (project / "one.py").read_bytes() == IMPORTED
    migrate("native", "--write", ".")
    assert (project / "one.py").read_bytes() == (project / "package" / "two.py").read_bytes() == NATIVE


def test_a_file_s_mode_and_links_survive(project, migrate):
    """What is written has the old file's permissions; a link still is one."""
    (project / "one.py").chmod(0o751)
    (project / "link.py").symlink_to("package/two.py")
    migrate("imports", "--write", "one.py", "link.py")
    assert stat.S_IMODE((project / "one.py").stat().st_mode) == 0o751
    assert (project / "link.py").is_symlink()
    assert (project / "package" / "two.py").read_bytes() == IMPORTED
    assert not [name for name in os.listdir(project) if name.startswith(".trioasync-")]


ODD = {
    "CRLF": BEFORE.replace(b"\n", b"\r\n"),
    "BOM": b"\xef\xbb\xbf" + BEFORE,
    "latin-1": b"# coding: latin-1\n# \xe9\n" + BEFORE,
    "tabs": BEFORE.replace(b"    ", b"\t"),
    "form feed": BEFORE.replace(b"\n\n\n", b"\n\x0c\n\n"),
    "no newline": BEFORE[:-1],
    "as itself": BEFORE.replace(b"import asyncio", b"import asyncio as asyncio"),
    "twice": BEFORE.replace(b"import asyncio", b"import asyncio, asyncio.tasks, asyncio, asyncio.events"),
    "both": b"import trioasync as asyncio\n" + BEFORE,
    "everywhere": BEFORE + b"    import asyncio\n    from asyncio import sleep\n" * 5,
}


def test_undo_restores_every_byte(project, migrate):
    """Whatever the files were, and nothing is left beside them."""
    for name, data in ODD.items():
        (project / f"{name}.py").write_bytes(data)
    names = sorted(os.listdir(project))
    migrate("imports", "--write", ".")
    assert (project / "twice.py").read_bytes() != ODD["twice"]
    status, _, err = migrate("imports", "--undo", ".")
    assert status == 0
    assert "12 files put back" in err
    assert {name: (project / f"{name}.py").read_bytes() for name in ODD} == ODD
    assert sorted(os.listdir(project)) == names


def test_undo_works_after_several_runs(project, migrate):
    """In parts, and for a file that got another import in between."""
    migrate("imports", "--write", "one.py")
    changed = (project / "one.py").read_bytes() + b"import asyncio.events\n"
    (project / "one.py").write_bytes(changed)
    migrate("imports", "--write", ".")
    assert migrate("imports", "--undo", ".")[0] == 0
    assert (project / "one.py").read_bytes() == changed
    assert (project / "package" / "two.py").read_bytes() == BEFORE
    assert migrate("imports", "--undo", ".")[0] == 0
    assert (project / "one.py").read_bytes() == BEFORE + b"import asyncio.events\n"


def test_undo_of_an_edited_file_takes_its_imports_back(project, migrate):
    """As long as going forwards again would give what is there."""
    migrate("imports", "--write", ".")
    (project / "one.py").write_bytes(IMPORTED + b"    return 1\n")
    assert migrate("imports", "--undo", ".")[0] == 0
    assert (project / "one.py").read_bytes() == BEFORE + b"    return 1\n"


def test_undo_leaves_alone_what_it_cannot_take_back_for_certain(project, migrate):
    """And says so, with status 3."""
    migrate("imports", "--write", ".")
    edited = b"import trioasync\nasyncio = trioasync\n"
    (project / "one.py").write_bytes(edited)
    (project / "package" / "other.py").write_bytes(edited)
    status, _, err = migrate("imports", "--undo", ".")
    assert status == 3
    assert "one.py: TAM003" in err
    assert "1 file put back, 3 scanned, 1 failed" in err
    assert (project / "one.py").read_bytes() == (project / "package" / "other.py").read_bytes() == edited


@needs_git
def test_a_dirty_work_tree_is_refused(project, migrate):
    """With status 2, unless forced; what git would not be able to put back is named."""
    git(project, "init", "-q")
    status, _, err = migrate("native", "--write", ".")
    assert status == 2
    assert "not committed" in err
    assert "one.py" in err
    assert (project / "one.py").read_bytes() == BEFORE
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    (project / "package" / "other.py").write_text("x = 2\n")
    assert migrate("native", "--write", "one.py")[0] == 2
    assert migrate("native", "--diff", "one.py")[0] == 1
    assert migrate("native", "--write", "--force", "one.py")[0] == 0
    git(project, "commit", "-qam", "two")
    assert migrate("native", "--write", ".")[0] == 0
    assert (project / "package" / "two.py").read_bytes() == NATIVE


@needs_git
def test_undo_does_not_ask_git(project, migrate):
    """After stage 1 the tree is never clean."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    assert migrate("imports", "--write", ".")[0] == 0
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, check=True).stdout
    assert sorted(status.split()) == [b"M", b"M", b"one.py", b"package/two.py"]
    assert migrate("imports", "--undo", ".")[0] == 0


def test_a_file_that_cannot_be_parsed_is_reported_and_the_others_go_on(project, migrate):
    """With status 3, where it is wrong, and its bytes as they were."""
    (project / "bad.py").write_bytes(b"import asyncio\nx = (\n")
    (project / "worse.py").write_bytes(b"import asyncio\n# \xff\n")
    (project / "deep.py").write_bytes(b"import asyncio\nx = " + b"(" * 500 + b")" * 500 + b"\n")
    status, _, err = migrate("imports", "--write", ".")
    assert status == 3
    assert "bad.py:2: TAM001 not parsed" in err
    assert "worse.py: TAM001" in err
    assert "deep.py" in err
    assert "2 files changed, 6 scanned, 1 without asyncio, 0 skipped, 3 failed" in err
    assert (project / "bad.py").read_bytes() == b"import asyncio\nx = (\n"
    assert (project / "one.py").read_bytes() == IMPORTED


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["native"], "no files are named"),
        (["native", "nowhere"], "there is no nowhere"),
        (["native", "--safety", "C", "."], "invalid choice"),
        (["native", "--select", "E501", "."], "expected codes like TAM200"),
        (["imports", "--diff", "--write", "."], "not allowed with"),
        (["native", "--undo", "."], "unrecognized arguments"),
        (["elsewhere", "."], "invalid choice"),
        (["native", "--python", "three", "."], "expected a version"),
        (["native", "-j", "-1", "."], "must not be negative"),
        ([], "required"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_status_2(project, migrate, arguments, complaint):
    """And with the reason."""
    status, out, err = migrate(*arguments)
    assert (status, out) == (2, "")
    assert complaint in err


def test_what_is_left_to_a_person_is_listed(project, migrate):
    """One line each, with place, code and class; `--quiet` leaves it at the counts."""
    (project / "one.py").write_bytes(b"import asyncio\n\nnap = asyncio.sleep\n")
    err = migrate("native", "one.py")[2]
    assert "one.py:3:7: TAM200[C] asyncio.sleep is handed on (call it where it is awaited)\n" in err
    assert "left as it is: TAM200 1" in err
    err = migrate("native", "-q", "one.py")[2]
    assert "one.py:3:7" not in err
    assert "left as it is: TAM200 1" in err


def test_select_and_ignore_are_beginnings_of_codes(project, migrate):
    """Imports stay what they are where TAM100 is not wanted."""
    assert migrate("native", "--select", "tam3", ".")[0] == 0
    assert migrate("native", "--ignore", "TAM1,TAM20", ".")[0] == 0
    _, out, _ = migrate("native", "--select", "TAM100", "one.py")
    assert "+import trioasync as asyncio" in out
    assert "trio.sleep" not in out


def test_safety_b_is_asked_for(project, migrate):
    """A is what runs by itself."""
    (project / "one.py").write_bytes(BEFORE.replace(b"(1)", b"(x)"))
    _, out, err = migrate("native", "--ignore", "TAM1", "one.py")
    assert out == ""
    assert "(needs --safety B)" in err
    assert "+    await trio.sleep(max(0, x))" in migrate("native", "--safety", "B", "one.py")[1]


def test_settings_come_from_pyproject(project, migrate):
    """The command line goes first."""
    (project / "pyproject.toml").write_text(
        '[tool.trioasync]\nsafety = "B"\nexclude = [\n  "package",  # not yet\n]\nignore = ["TAM1"]\n'
    )
    (project / "one.py").write_bytes(BEFORE.replace(b"(1)", b"(x)"))
    _, out, err = migrate("native", ".")
    assert "trio.sleep(max(0, x))" in out
    assert "trioasync" not in out
    assert "1 scanned" in err
    assert migrate("native", "--safety", "A", ".")[1] == ""


@pytest.mark.parametrize("line", ["colour = 1", 'safety = "C"', 'exclude = "x"', "jobs = []", "todo = 3", "safety ="])
def test_settings_that_are_wrong_are_refused(project, migrate, line):
    """With status 2 and the file's name."""
    (project / "pyproject.toml").write_text(f"[tool.trioasync]\n{line}\n")
    status, _, err = migrate("imports", ".")
    assert status == 2
    assert "pyproject.toml" in err


def test_folders_that_are_not_the_project_s_are_left_out(project, migrate):
    """Version control, environments, builds; a file that is named is taken all the same."""
    for name in (".git", ".venv", "build", "site-packages", "other"):
        (project / name).mkdir()
        (project / name / "x.py").write_bytes(BEFORE)
    (project / "other" / "pyvenv.cfg").write_text("")
    assert "3 scanned" in migrate("imports", ".")[2]
    assert "1 scanned" in migrate("imports", "build/x.py")[2]
    assert "2 scanned" in migrate("imports", "--exclude", "two.py", ".")[2]
    assert "1 scanned" in migrate("imports", "--exclude", "package/*", ".")[2]
    assert "0 scanned" in migrate("imports", "--exclude", "one.py", "one.py")[2]


def test_standard_input_is_rewritten_as_the_file_it_is_said_to_be(project, migrate, monkeypatch):
    """The patch by default, the whole text with --write."""

    def given():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BEFORE.replace(b"\n", b"\r\n"))))

    given()
    status, out, _ = migrate("imports", "--stdin-filename", "package/x.py")
    assert status == 1
    assert "+++ b/package/x.py" in out
    given()
    status, out, _ = migrate("imports", "--write", "--stdin-filename", "package/x.py")
    assert status == 0
    assert out == IMPORTED.decode().replace("\n", "\r\n")
    given()
    status, out, _ = migrate("native", "--check", "--stdin-filename", "package/x.py")
    assert (status, out) == (1, "")


def test_several_processes_do_what_one_does(project, migrate):
    """The same bytes on standard output and standard error."""
    for number in range(20):
        text = b"# coding: latin-1\n" + BEFORE * (number % 3 + 1) + b"nap = asyncio.sleep\n"
        (project / f"f{number}.py").write_bytes(text if number % 7 else b"import asyncio\nx = (\n")
    one = migrate("native", "--safety", "B", "-j1", ".")
    assert one[0] == 3
    assert migrate("native", "--safety", "B", "-j4", ".") == one


def test_todo_comments_are_put_once_and_taken_away_again(project, migrate):
    """Above the statement, as far in as it is."""
    text = b"import asyncio\n\n\ndef f():\n    if x:\n        return (\n            asyncio.sleep\n        )\n"
    (project / "one.py").write_bytes(text)
    migrate("native", "--ignore", "TAM1", "--todo", "--write", "one.py")
    once = (project / "one.py").read_bytes()
    todo = b"        # TODO(trioasync TAM200): asyncio.sleep is handed on; call it where it is awaited\n"
    assert once == text.replace(b"        return", todo + b"        return")
    migrate("native", "--ignore", "TAM1", "--todo", "--write", "one.py")
    assert (project / "one.py").read_bytes() == once
    (project / "one.py").write_bytes(once.replace(b"            asyncio.sleep\n", b"            1\n"))
    migrate("native", "--ignore", "TAM1", "--todo", "--write", "one.py")
    assert todo not in (project / "one.py").read_bytes()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_bar_is_for_terminals_and_long_runs(stream, monkeypatch):
    """A file or a pipe gets none, and neither does a run that is over in a second."""
    now = 0.0
    monkeypatch.setattr(output.time, "monotonic", lambda: now)
    shown = stream()
    progress = output.Progress(100, shown)
    now = 0.9
    progress("a.py")
    assert shown.getvalue() == ""
    now = 1.1
    progress("b.py")
    progress.clear()
    assert ("2/100 b.py" in shown.getvalue()) == shown.isatty()
    assert shown.getvalue().endswith(" \r") == shown.isatty()


def test_help_names_the_stages_and_their_options(migrate):
    """For who does not know them."""
    assert "imports" in migrate("--help")[1]
    out = migrate("native", "--help")[1]
    assert all(option in out for option in ("--diff", "--check", "--write", "--safety", "--todo", "--helpers"))


def test_helpers_are_copied_once_into_the_outermost_package(project, migrate):
    """A script gets them beside itself; what is written can be imported and runs on trio."""
    text = (
        "import asyncio\n\n\nasync def one():\n    return 1\n\n\nasync def main():\n"
        "    return await asyncio.gather(one(), one())\n"
    )
    (project / "package" / "__init__.py").write_text("")
    (project / "package" / "inner").mkdir()
    (project / "package" / "inner" / "__init__.py").write_text("")
    for name in ("one.py", "package/two.py", "package/inner/three.py"):
        (project / name).write_text(text)
    assert migrate("native", "--safety", "B", "--write", ".")[0] == 0
    copies = sorted(path.relative_to(project).as_posix() for path in project.rglob("_trio_helpers.py"))
    assert copies == ["_trio_helpers.py", "package/_trio_helpers.py"]
    assert "from .._trio_helpers import" in (project / "package" / "inner" / "three.py").read_text()
    program = "import trio, one, package.two, package.inner.three as three\n"
    program += "print(*[trio.run(module.main) for module in (one, package.two, three)])\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(project), *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[1,", "1]"] * 3
    assert migrate("native", "--safety", "B", "--check", ".")[0] == 0
