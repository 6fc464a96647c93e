"""What the tests of libraries share: certificates, and processes that end with their test."""

import contextlib
import gc
import ssl
import sys
import warnings
from dataclasses import dataclass

import pytest

from tests.libraries.processes import Process
from tests.libraries.servers import (  # fixtures, by their names
    database as database,
    postgresql_process as postgresql_process,
    redis_process as redis_process,
    redis_server as redis_server,
)
from tests.libraries.ways import needs


@dataclass
class Certificates:
    """TLS contexts for a server at 127.0.0.1 or localhost, and for a client that trusts it; and the PEM files."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    key_and_chain: str
    authority: str


@pytest.fixture(scope="session")
def issued_certificates(tmp_path_factory):
    """Certificates of an authority that only this test run knows."""
    trustme = needs("trustme")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    folder = tmp_path_factory.mktemp("certificates")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    issued.configure_cert(server)
    authority.configure_trust(client)
    return Certificates(server, client, str(folder / "server.pem"), str(folder / "authority.pem"))


@pytest.fixture
def certificates(issued_certificates):
    """The certificates of the session, for one test."""
    yield issued_certificates
    if sys.version_info < (3, 11):  # a TLS transport of asyncio's there complains when it is collected, closed or not
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def start(tmp_path):
    """A function that starts a program as a process: see `Process`; what still runs after the test is killed."""
    with contextlib.ExitStack() as processes:

        def start(*command, **options):
            options.setdefault("cwd", tmp_path)
            return processes.enter_context(Process(command, **options))

        yield start
