"""uvicorn: as a process, with its loop by name, and inside a program that has its own loop."""

import signal
import socket

import pytest

from tests.libraries.processes import PROGRAMS, answer, asking, python, two_pids
from tests.libraries.ways import needs

uvicorn = needs("uvicorn")

LOOPS = {
    "asyncio": python("-m", "uvicorn", "--loop", "asyncio"),
    "--loop": python("-m", "uvicorn", "--loop", "trioasync:new_event_loop"),
    "trioasync run": python("-m", "trioasync", "run", "-m", "uvicorn", "--loop", "asyncio"),
}


@pytest.fixture
def serve(start):
    """A function that starts uvicorn with the application of this folder, and gives its process and URL."""

    def start_uvicorn(how, *options):
        process = start(*LOOPS[how], "--port", "0", *options, "asgi_app:app", cwd=PROGRAMS)
        return process, process.printed(r"Uvicorn running on (http://127.0.0.1:\d+)")[1]

    return start_uvicorn


@pytest.mark.parametrize("how", LOOPS)
def test_a_process(serve, how):
    """It serves on the loop that is named; at SIGTERM it finishes the request under way, cleans up, and dies of it."""
    server, url = serve(how)
    told = answer(url)
    assert told["trio"] == (how != "asyncio")
    assert told["loop"].startswith("asyncio." if how == "asyncio" else "trioasync.")
    with asking(f"{url}/wait?seconds=0.3") as asked:
        server.printed("waiting")
        status = server.stop()
    assert (asked.text, status) == ("waited", -signal.SIGTERM)
    assert "cleaned up" in server.text()


def test_several_processes(start):
    """`--workers 2 --loop trioasync:new_event_loop` runs each worker process on trio."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = ["--workers", "2", "--timeout-worker-healthcheck", "60", "--fd", listening.fileno()]
        command = [*LOOPS["--loop"], *options, "asgi_app:app"]
        server = start(*command, cwd=PROGRAMS, pass_fds=[listening.fileno()])
        answers = two_pids(f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert server.pid not in answers
    assert {told["loop"] for told in answers.values()} == {"trioasync.loop.EventLoop"}
    assert all(told["trio"] for told in answers.values())
    assert server.stop() == 0
    assert server.text().count("cleaned up") == 2
