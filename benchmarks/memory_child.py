"""Measures memory on one implementation in this process and prints the outcome as one line of JSON."""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
from pathlib import Path
from types import ModuleType

from implementations import IMPLEMENTATIONS, Unavailable, start
from programs import nothing

WARM_UP = 100  # tasks that are created, run and forgotten before the first look
WAITING = 100_000
SHORT, BATCH, SAMPLES = 1_000_000, 1_000, 10


def resident() -> int:
    """Return the resident set of this process in bytes, after a full collection."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    command = ["ps", "-o", "rss=", "-p", str(os.getpid())]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout) * 1024


async def run_short_tasks(aio: ModuleType, number: int) -> None:
    await aio.gather(*[nothing() for _ in range(number)])


async def waiting(aio: ModuleType) -> dict[str, float]:
    """Return the bytes that one waiting task takes, with its coroutine and the future that it waits for."""
    loop = aio.get_running_loop()

    async def wait_for_ever() -> None:
        await loop.create_future()

    await run_short_tasks(aio, WARM_UP)
    before = resident()
    tasks = [aio.create_task(wait_for_ever()) for _ in range(WAITING)]
    await aio.sleep(0)
    await aio.sleep(0)
    per_task = (resident() - before) / WAITING
    for task in tasks:
        task.cancel()
    await aio.wait(tasks)
    return {"bytes": per_task}


async def short(aio: ModuleType) -> dict[str, float]:
    """Return by how many KiB the process grows while a million tasks come and go, from the first tenth of them on."""
    sizes = []
    for _ in range(SAMPLES):
        for _ in range(SHORT // SAMPLES // BATCH):
            await run_short_tasks(aio, BATCH)
        sizes.append(resident())
    return {"growth": (sizes[-1] - sizes[0]) / 1024}


QUESTIONS = {"waiting": waiting, "short": short}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("implementation", choices=list(IMPLEMENTATIONS))
    parser.add_argument("question", choices=list(QUESTIONS))
    arguments = parser.parse_args()
    answers: list[dict[str, float]] = []

    async def answer(aio: ModuleType) -> None:
        answers.append(await QUESTIONS[arguments.question](aio))

    try:
        start(arguments.implementation, answer)
    except Unavailable as reason:
        print(json.dumps({"note": str(reason)}))
    else:
        print(json.dumps(answers[0]))


if __name__ == "__main__":
    main()
