"""docs/servers.md says what is true, and `trioasync.servers` imports nothing that it is not asked for."""

import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

import trioasync.servers
from tests.libraries.processes import LIMIT, get, python
from tests.libraries.ways import needs

DOCUMENTATION = Path(trioasync.__file__).parents[1] / "docs" / "servers.md"


def programs():
    """Return the Python programs in the documentation."""
    return re.findall(r"^```python\n(.*?)^```$", DOCUMENTATION.read_text(), flags=re.M | re.S)


def test_every_name_is_documented_and_every_documented_name_is_there():
    """What the documentation takes from `trioasync.servers` is what `__all__` lists."""
    named = set(re.findall(r"trioasync\.servers[.:](\w+)", DOCUMENTATION.read_text()))
    assert named == set(trioasync.servers.__all__)


@pytest.mark.parametrize(
    ("name", "imported"),
    [("hosted", []), ("AiohttpWorker", ["aiohttp", "gunicorn"]), ("UvicornWorker", ["gunicorn", "uvicorn"])],
)
def test_only_what_is_asked_for_is_imported(name, imported):
    """A worker class brings its server, and nothing else does."""
    for module in imported:
        needs(module)
    program = f"""
import sys
from trioasync.servers import {name}
print([each for each in ["aiohttp", "gunicorn", "hypercorn", "uvicorn"] if each in sys.modules])
"""
    printed = subprocess.run(python("-c", program), capture_output=True, text=True, check=True, timeout=LIMIT).stdout
    assert printed == f"{imported}\n"


def test_a_name_that_is_not_there_is_an_attribute_error():
    """gunicorn tells it as it tells of any class that it does not find."""
    with pytest.raises(AttributeError, match=r"module 'trioasync\.servers' has no attribute 'Nonsense'"):
        trioasync.servers.Nonsense  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize(
    ("application", "error"), [("json.nothing", AttributeError), ("no_such_module.app", ModuleNotFoundError)]
)
def test_an_application_that_is_not_there_is_an_error(application, error):
    """`hosted` raises what says so."""
    try:
        with pytest.raises(error):
            trioasync.servers.hosted(application)
    finally:
        trioasync.uninstall()


def test_the_application_of_the_documentation(start, tmp_path):
    """It answers in time, and its nursery does the work after the answer."""
    needs("uvicorn")
    needs("fastapi")
    (tmp_path / "shop.py").write_text(programs()[0])
    command = "-m uvicorn --port 0 --loop trioasync:new_event_loop shop:app"
    server = start(*python(*command.split()))
    url = server.printed(r"Uvicorn running on (http://127.0.0.1:\d+)")[1]
    assert get(urllib.request.Request(f"{url}/orders/book", method="POST")) == '{"placed":"book"}'
    server.printed("packed book")
    server.stop()
    assert "Application shutdown complete." in server.text()


def test_the_server_in_a_program_of_the_documentation(start):
    """It serves from inside of a trio program, until Ctrl-C."""
    needs("uvicorn")
    server = start(*python("-c", programs()[-1].replace('lifespan="off"', 'lifespan="off", port=0')))
    url = server.printed(r"Uvicorn running on (http://127.0.0.1:\d+)")[1]
    assert get(url) == "from a trio program\n"
    server.stop()
    assert "Finished server process" in server.text()
