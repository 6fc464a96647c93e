"""What an audit reads beside Python files: settings, requirements, notebooks."""

import textwrap

import pytest

from trioasync._tools.migrate.environment import find, look


def found(path, text):
    """Return code, symbol, line and column of what is found in a file."""
    return [(f.code, f.symbol, f.line, f.column) for f in look(path, textwrap.dedent(text).lstrip("\n"))]


# Requirements


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["aiohttp", "httpx>=1"]\n', [("aiohttp", 2, 18)]),
        (
            "pyproject.toml",
            "[project]\ndependencies = [\n  \"uvloop ; sys_platform != 'win32'\",\n]\n",
            [("uvloop", 3, 4)],
        ),
        (
            "pyproject.toml",
            '[project.optional-dependencies]\ntest = ["pytest-asyncio>=1"]\n',
            [("pytest_asyncio", 2, 10)],
        ),
        ("pyproject.toml", '[dependency-groups]\ndev = ["nats-py[nkeys]~=2.0"]\n', [("nats", 2, 9)]),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.10"\naiofiles = "^24"\n', [("aiofiles", 3, 1)]),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\nQuart = { version = "1" }\n', [("quart", 2, 1)]),
        (
            "requirements.txt",
            "# aiohttp\naiohttp[speedups]==3.9  # why\n-r other.txt\nAsync-Timeout\n",
            [("aiohttp", 2, 1), ("async_timeout", 4, 1)],
        ),
        ("requirements-dev.txt", "discord.py>=2\n", [("discord", 1, 1)]),
        ("dev_requirements.in", "uvicorn\n", [("uvicorn", 1, 1)]),
        (
            "setup.cfg",
            "[options]\ninstall_requires =\n    sanic>=23\n    attrs\n\n[metadata]\nname = aiohttp\n",
            [("sanic", 3, 5)],
        ),
        ("tox.ini", "[testenv]\ndeps =\n    pytest\n    kopf\n\ncommands = uvicorn\n", [("kopf", 4, 5)]),
    ],
)
def test_a_requirement_that_runs_on_asyncio_is_found(path, text, expected):
    """In each of the places where requirements stand, under the name of the distribution."""
    assert found(path, text) == [("TAM411", *each) for each in expected]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", '[project]\nname = "aiohttp"\nkeywords = ["aiohttp"]\n'),
        ("pyproject.toml", '[project]\ndependencies = ["anyio", "aiohttp2", "my-aiohttp"]\n'),
        ("pyproject.toml", '[project]\ndependencies = []\nkeywords = ["tornado"]\n'),
        ("pyproject.toml", '[project]\ndependencies = [\n]\n\n[tool.x]\npackages = ["quart"]\n'),
        ("requirements.txt", "trio\n-e ./aiohttp\nhttps://example.org/aiohttp.whl\n"),
        ("requirements.txt", ""),
        ("tox.ini", "[testenv]\ncommands = uvicorn app\n"),
    ],
)
def test_other_names_are_no_requirements(path, text):
    """The project's own name, key words, other packages, commands."""
    assert found(path, text) == []


# Settings


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n', [("asyncio_mode", 2, 1)]),
        ("pytest.ini", "[pytest]\nasyncio_mode=strict\n", [("asyncio_mode", 2, 1)]),
        (
            "tox.ini",
            "[pytest]\n  asyncio_default_fixture_loop_scope = session\n",
            [("asyncio_default_fixture_loop_scope", 2, 3)],
        ),
        ("setup.cfg", "[tool:pytest]\nasyncio_debug = true\n", [("asyncio_debug", 2, 1)]),
        ("pytest.ini", "[pytest]\n# asyncio_mode = auto\ntrio_mode = true\n", []),
    ],
)
def test_a_setting_of_pytest_asyncio_is_found(path, text, expected):
    """In each file that pytest reads."""
    assert found(path, text) == [("TAM410", *each) for each in expected]


# Other code


def test_asyncio_in_a_notebook_or_in_cython_is_found():
    """Line by line; similar words are not asyncio."""
    assert found("a.ipynb", '{"source": ["import asyncio\\n",\n"asyncio.run(main())", "trioasync"]}\n') == [
        ("TAM420", "asyncio", 1, 21),
        ("TAM420", "asyncio", 2, 2),
    ]
    assert found("a.pyx", "cdef int x\ncimport asyncio\n") == [("TAM420", "asyncio", 2, 9)]
    assert found("a.pyx", "import trioasync\nimport asyncio_mqtt\n") == []


# Which files


def test_files_are_looked_for_in_the_folders_and_above(tmp_path, monkeypatch):
    """Up to the current directory, and neither in virtual environments nor where they are excluded."""
    names = [
        "pyproject.toml",
        "sub/pytest.ini",
        "sub/deep/a.ipynb",
        "sub/deep/requirements.txt",
        "other/tox.ini",
        "sub/.venv/requirements.txt",
        "sub/build.txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert find(["sub/deep"]) == ["pyproject.toml", "sub/deep/a.ipynb", "sub/deep/requirements.txt", "sub/pytest.ini"]
    assert find(["."]) == sorted(names[:5])
    assert find(["sub"], ["*.ipynb", "pyproject.toml"]) == ["sub/deep/requirements.txt", "sub/pytest.ini"]
