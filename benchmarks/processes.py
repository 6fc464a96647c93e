"""Starts the measuring processes and reads their answers."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIMIT = 60.0  # seconds; a program that takes longer is said to hang


def run_script(python: str, script: str, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Run `script` of this directory on `python`, with this checkout's trioasync in front of any installed one.

    Raises subprocess.TimeoutExpired after `limit` seconds, when the process has been killed.
    """
    search_path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [python, str(HERE / script), *arguments],
        env={**os.environ, "PYTHONPATH": search_path},
        capture_output=True,
        text=True,
        timeout=limit,
    )


def ask(python: str, script: str, *arguments: str, limit: float = LIMIT) -> dict[str, Any]:
    """Return the JSON that `script` prints as its last line, or a note that says why there is none."""
    try:
        finished = run_script(python, script, *arguments, limit=limit)
    except subprocess.TimeoutExpired:
        return {"note": "hangs"}
    if finished.returncode:
        last_words = finished.stderr.strip().splitlines()[-1:] or [f"exit status {finished.returncode}"]
        return {"note": f"dies: {last_words[0]}"}
    answer: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return answer


def processor() -> str:
    """Return the system, and what it calls its processor and how many of them there are."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = (names or [platform.processor() or "unknown processor"])[0]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} × {name}"


def new_session(python: str, implementations: list[str]) -> dict[str, Any]:
    """Return a session without rows, after asking `python` for its version and what is installed for it."""
    about = json.loads(run_script(python, "child.py").stdout)
    today = datetime.date.today().isoformat()
    return {"date": today, "machine": processor(), **about, "implementations": implementations, "rows": {}}


def interpreter(argument: str) -> str:
    """Return the path of a Python named on the command line."""
    path = shutil.which(argument)
    if path is None:
        raise argparse.ArgumentTypeError(f"no such interpreter: {argument}")
    return path


def positive(argument: str) -> int:
    """Return a number of rounds from the command line."""
    number = int(argument)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


class Names:
    """An argparse type for names separated by commas; it knows which names there are."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def __call__(self, argument: str) -> list[str]:
        names = [name.strip() for name in argument.split(",")]
        unknown = [name for name in names if name not in self.known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(self.known)}")
        return names
