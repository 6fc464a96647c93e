"""gunicorn: several worker processes, each with its own trio run, under each worker class for asyncio applications."""

import os
import signal

import pytest

from tests.libraries.processes import PROGRAMS, asking, python, two_pids
from tests.libraries.ways import needs

needs("gunicorn")

WORKERS = {
    "AiohttpWorker": ("aiohttp_app:app", ["aiohttp"]),
    "AsgiWorker": ("asgi_app:app", ["gunicorn.workers.gasgi"]),
    "UvicornWorker": ("asgi_app:app", ["uvicorn_worker"]),
}


@pytest.fixture(params=WORKERS)
def worker(request):
    """The name of a worker class of ours."""
    for module in WORKERS[request.param][1]:
        needs(module)
    return request.param


@pytest.fixture
def gunicorn(start, tmp_path):
    """A function that starts gunicorn with two workers of a class and gives its process and URL."""

    def start_gunicorn(application, worker_class, *options, before=()):
        command = [*before, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--worker-class", worker_class]
        # Its control socket goes below the home folder.
        process = start(*python(*command), *options, application, cwd=PROGRAMS, env={"HOME": str(tmp_path)})
        return process, process.printed(r"Listening at: (http://127.0.0.1:\d+)")[1]

    return start_gunicorn


def test_each_worker_process_runs_on_trio(gunicorn, worker):
    """Two processes answer, in each of them a handler can await trio, and SIGTERM ends all with status 0."""
    server, url = gunicorn(WORKERS[worker][0], f"trioasync.servers.{worker}")
    answers = two_pids(url)
    assert server.pid not in answers
    assert {told["loop"] for told in answers.values()} == {"trioasync.loop.EventLoop"}
    assert all(told["trio"] for told in answers.values())
    assert server.stop() == 0
    assert server.text().count("cleaned up") == 2


def test_a_request_under_way_is_finished_at_sigterm(gunicorn, worker):
    """A graceful stop waits for the handlers and for the application's own cleaning up."""
    server, url = gunicorn(WORKERS[worker][0], f"trioasync.servers.{worker}")
    two_pids(url)  # a worker that is being made misses the signal: it has the arbiter's handlers until it has its own
    with asking(f"{url}/wait?seconds=0.5") as asked:
        server.printed("waiting")
        status = server.stop()
    assert (asked.text, status) == ("waited", 0)
    assert server.text().count("cleaned up") == 2


def test_a_worker_that_is_killed_is_replaced(gunicorn, worker):
    """The arbiter forks another one, which runs on trio as well."""
    server, url = gunicorn(WORKERS[worker][0], f"trioasync.servers.{worker}")
    killed = next(iter(two_pids(url)))
    os.kill(killed, signal.SIGKILL)
    server.printed(rf"\(pid:{killed}\)")  # it says how the worker has ended
    after = two_pids(url)
    assert killed not in after
    assert all(told["trio"] for told in after.values())
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("worker_class", "application", "module"),
    [
        ("aiohttp.GunicornWebWorker", "aiohttp_app:app", "aiohttp"),
        ("uvicorn_worker.UvicornWorker", "asgi_app:app", "uvicorn_worker"),
    ],
)
def test_gunicorns_other_worker_classes_run_on_trio_under_trioasync_run(gunicorn, worker_class, application, module):
    """`trioasync run -m gunicorn` is enough: the workers are forked, what is installed in the arbiter holds there."""
    needs(module)
    server, url = gunicorn(application, worker_class, before=["-m", "trioasync", "run"])
    answers = two_pids(url)
    assert {told["loop"] for told in answers.values()} == {"trioasync.loop.EventLoop"}
    assert server.stop() == 0
