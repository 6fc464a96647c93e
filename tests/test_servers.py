"""`trioasync.servers` without any server: what its names do with the classes and applications that they are given."""

import asyncio
import sys
import types

import pytest

import trioasync
import trioasync.servers

STOCK_TASK = [asyncio.Task]  # in a list, since `install` replaces what modules keep by name


def installed():
    return asyncio.Task is not STOCK_TASK[0]


@pytest.fixture(autouse=True)
def _uninstalled():
    yield
    if installed():
        trioasync.uninstall()


class Worker:
    """Stands for a worker class of gunicorn's."""

    def __init__(self):
        self.cfg, self.began = {"asgi_loop": "auto"}, []

    def init_process(self):
        self.began.append(installed())


class Settings(dict):
    def set(self, name, value):
        self[name] = value


@pytest.fixture
def worker_of(monkeypatch):
    """A function that makes a worker of a class of ours, whose base is in a module that is not there otherwise."""

    def worker_of(name, module, base):
        package, _, _ = module.partition(".")
        for each in {package, module.rpartition(".")[0] or package, module}:
            made = types.ModuleType(each)
            made.__path__, made.__spec__ = [], types.SimpleNamespace(name=each)
            monkeypatch.setitem(sys.modules, each, made)
        setattr(sys.modules[module], base, Worker)
        monkeypatch.delitem(vars(trioasync.servers), name, raising=False)
        worker = getattr(trioasync.servers, name)()
        monkeypatch.delitem(vars(trioasync.servers), name)
        worker.cfg = Settings(worker.cfg)
        return worker

    return worker_of


@pytest.mark.parametrize(
    ("name", "module", "base"),
    [
        ("AiohttpWorker", "aiohttp.worker", "GunicornWebWorker"),
        ("AsgiWorker", "gunicorn.workers.gasgi", "ASGIWorker"),
        ("UvicornWorker", "uvicorn_worker", "UvicornWorker"),
    ],
)
def test_a_worker_installs_before_its_process_begins(worker_of, name, module, base):
    """A worker class is its server's own, and its loops and Tasks are ours from the beginning of the process on."""
    worker = worker_of(name, module, base)
    assert isinstance(worker, Worker)
    worker.init_process()
    assert worker.began == [True]


def test_workers_for_asgi_take_asyncios_loop(worker_of):
    """Workers that choose a loop by themselves, uvloop for example, are told to take asyncio's."""
    asgi = worker_of("AsgiWorker", "gunicorn.workers.gasgi", "ASGIWorker")
    asgi.init_process()
    assert asgi.cfg == {"asgi_loop": "asyncio"}
    uvicorn = worker_of("UvicornWorker", "uvicorn_worker", "UvicornWorker")
    assert uvicorn.CONFIG_KWARGS["loop"] == "asyncio"


def test_uvicorns_own_worker_serves_where_the_newer_package_is_not(worker_of, monkeypatch):
    """Without the package uvicorn-worker the class is the one in uvicorn."""
    monkeypatch.setattr("trioasync.servers.importlib.util.find_spec", lambda name: None)
    assert isinstance(worker_of("UvicornWorker", "uvicorn.workers", "UvicornWorker"), Worker)


def test_a_hosted_application_is_found_by_its_name():
    """`hosted` gives what a name stands for, and installs."""
    assert trioasync.servers.hosted("tests.test_servers:Settings") is Settings
    assert installed()
    with pytest.raises(AttributeError):
        trioasync.servers.hosted("tests.test_servers:nothing")


def test_the_module_has_no_other_workers():
    """A name that stands for no server raises AttributeError, as in any module."""
    with pytest.raises(AttributeError, match=r"module 'trioasync.servers' has no attribute 'TornadoWorker'"):
        trioasync.servers.TornadoWorker  # noqa: B018 - asking for it is the test
