"""Servers for the libraries that need one: Debian's redis-server and PostgreSQL, started on loopback by the tests.

Each lives in a temporary folder as long as the session does, runs as nobody when the tests run as root, and is given
to a test empty. A connection that a program has left open fails its test.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.libraries.processes import Process
from tests.libraries.ways import needs_program

POSTGRESQL_FOLDERS = os.pathsep.join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
PATIENCE = 10  # seconds of real time for a connection to be taken back by the server


@pytest.fixture(scope="session")
def redis_process():
    """The session's redis-server."""
    program = needs_program("redis-server", "redis-server")
    with _folder() as folder:
        redis = Redis(free_port(), str(folder / "redis.sock"))
        options = {"bind": "127.0.0.1", "port": redis.port, "unixsocket": redis.unix_socket, "dir": folder}
        options |= {"save": "", "appendonly": "no", "daemonize": "no"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with Process(_unprivileged(program, *arguments)) as process:
            process.printed("Ready to accept connections|ready to accept connections at")
            yield redis
            assert process.stop(signal.SIGTERM) == 0


@pytest.fixture
def redis_server(redis_process):
    """An empty redis, as a `Redis`; the program must have closed its connections at its end."""
    redis_process.command("FLUSHALL")
    yield redis_process
    left = redis_process.connections_left()
    redis_process.command("CLIENT KILL TYPE normal SKIPME yes")  # the next program is not to find them
    assert left == [], f"the program has left connections open: {left}"


@dataclass
class Redis:
    """A running redis-server: the port on 127.0.0.1, the path of its Unix socket, and what tests ask it directly."""

    port: int
    unix_socket: str

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self, text):
        """Send one command over a connection of its own, and return the answer as redis words it."""
        with self._connection() as (send, answer):
            send(text)
            return answer()

    def connections_left(self):
        """Return the clients that are still connected once those that have closed are gone, each as redis lists it."""
        with self._connection() as (send, answer):
            send("CLIENT ID")
            me = f"id={answer()[1:]} "
            # Redis reads what a closed socket has left before it answers a client that has come later.
            send("PING")
            answer()
            send("CLIENT LIST")
            return [line for line in answer().splitlines() if line.startswith("id=") and me not in line]

    @contextlib.contextmanager
    def _connection(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        with connection, connection.makefile("rb") as answers:

            def answer():
                first = answers.readline().decode().rstrip()
                return answers.read(int(first[1:]) + 2).decode() if first.startswith("$") else first

            yield lambda text: connection.sendall(text.encode() + b"\r\n"), answer


@pytest.fixture(scope="session")
def postgresql_process():
    """The session's PostgreSQL: its port, and the folder of its programs."""
    initdb = needs_program("initdb", "postgresql", POSTGRESQL_FOLDERS)
    programs = Path(initdb).resolve().parent
    with _folder() as folder:
        data = folder / "data"
        made = _unprivileged(initdb, "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "-N")
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder}
        settings |= {"fsync": "off", "max_connections": 60, "log_min_messages": "warning"}
        # A statement whose client has closed the connection is to end soon: it is what a test of interruptions leaves.
        settings |= {"client_connection_check_interval": 50}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with Process(_unprivileged(programs / "postgres", "-D", data, *options), cwd=folder) as process:
            process.printed("ready to accept connections")
            yield port, programs
            assert process.stop(signal.SIGINT) == 0


@pytest.fixture
def database(postgresql_process):
    """The URL of an empty database of PostgreSQL; the program must have closed its connections at its end."""
    port, programs = postgresql_process
    target = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "program"]
    subprocess.run([programs / "createdb", *target], check=True)
    yield f"postgresql://postgres@127.0.0.1:{port}/program"
    # dropdb waits for connections that are being closed, and fails for those that are not.
    dropped = subprocess.run([programs / "dropdb", *target], capture_output=True, text=True)
    if dropped.returncode:
        subprocess.run([programs / "dropdb", "--force", *target], check=True)
    assert dropped.stderr == "", f"the program has left connections open: {dropped.stderr}"


@contextlib.contextmanager
def _folder():
    """Make a temporary folder for the user that a server runs as, with a path that is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="trioasync-"))
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


def _unprivileged(*command):
    """Return the command that runs a server as nobody if we are root (PostgreSQL refuses root)."""
    if os.geteuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    # A server whose tests were killed goes with them.
    options = ["--pdeathsig", "INT", "--reuid", nobody.pw_uid, "--regid", nobody.pw_gid, "--clear-groups"]
    return [str(part) for part in ("setpriv", *options, *command)]


def free_port():
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
