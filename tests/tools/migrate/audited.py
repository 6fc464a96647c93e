"""A small code base for the tests of the audit, and what runs the audit in it."""

import json
import os
import textwrap

from trioasync._tools import cli

FILES = {
    "app/__init__.py": "",
    "app/jobs.py": """
        import asyncio
        import aiohttp  # é

        class Jobs:
            async def nap(self):
                await asyncio.sleep(1)
                await asyncio.sleep(0)

            async def forever(self):
                asyncio.create_task(self.nap())
                await asyncio.get_running_loop().create_future()

        async def native():
            import trio
            await trio.sleep(1)
        """,
    "app/half.py": """
        import trio
        import trioasync as asyncio

        async def both(lock: asyncio.Barrier):
            await trio.sleep(1); await trio.sleep(2)
            await asyncio.sleep(3)
        """,
    "app/broken.py": "import asyncio\ndef (:\n",
    "app/other.py": "from websockets import serve\nx = 1\n",
    "app/plain.py": "print('nothing of the kind')\n",
    "tests/test_jobs.py": """
        import asyncio
        from unittest import mock

        def test_sleep():
            with mock.patch("asyncio.sleep"):
                asyncio.run(asyncio.sleep(5))
        """,
    "pyproject.toml": """
        [project]
        name = "aiohttp"
        dependencies = [
            "aiohttp[speedups] >= 3",
            "httpx",
        ]

        [tool.pytest.ini_options]
        asyncio_mode = "auto"
        """,
    "book.ipynb": '{"cells": [{"source": ["import asyncio"]}]}\n',
    "venv/pyvenv.cfg": "",
    "venv/left_out.py": "import asyncio\nasyncio.sleep(1)\n",
}


def write(folder, files=None):
    """Write the code base (or other files) into a folder."""
    for name, text in (FILES if files is None else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def audit(capsys, *arguments):
    """Run `trioasync audit` and return its status, its output and what it says besides."""
    status = cli.main(["audit", *map(os.fspath, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def document(capsys, *arguments):
    """Return the report as the JSON document."""
    return json.loads(audit(capsys, "--format", "json", *arguments)[1])
