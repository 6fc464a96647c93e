"""Files sent by the kernel, and by the fallback where it cannot."""

import asyncio
import contextlib
import socket

import pytest

from tests.network.certificate import client_context, server_context
from tests.network.peers import Told, socket_pair
from tests.network.ways import everywhere

CONTENT = bytes(range(256)) * 1000

needs_sendfile = pytest.mark.skipif("not hasattr(os, 'sendfile')", reason="this platform has no sendfile")


@pytest.fixture
def path(tmp_path):
    """A file with CONTENT."""
    file = tmp_path / "content"
    file.write_bytes(CONTENT)
    return file


async def receive_all(loop, one):
    """Receive until the end of the stream."""
    received = bytearray()
    while data := await loop.sock_recv(one, 65536):
        received += data
    return bytes(received)


@contextlib.asynccontextmanager
async def transport_and_peer(loop, **options):
    """A transport, its protocol, and the protocol on the other side."""
    with socket_pair() as (left, right):
        server_side = {"ssl": server_context()} if options.get("ssl") else {}
        (_, peer), (transport, protocol) = await asyncio.gather(
            loop.connect_accepted_socket(Told, right, **server_side),
            loop.create_connection(Told, sock=left, **options),
        )
        yield transport, protocol, peer
        transport.close()
        await protocol.lost
        await peer.lost


@needs_sendfile
@everywhere(returns=[len(CONTENT), True, len(CONTENT)])
async def test_a_file_through_a_transport(aio, path):
    """loop.sendfile() sends a whole file, and leaves the file's position behind it."""
    loop = aio.get_running_loop()
    async with transport_and_peer(loop) as (transport, _, peer):
        with path.open("rb") as file:
            sent = await loop.sendfile(transport, file)
            position = file.tell()
        received = await peer.has(len(CONTENT))
        return [sent, received == CONTENT, position]


@needs_sendfile
@everywhere(returns=[100, CONTENT[10:110], b"before" + CONTENT[10:110] + b"after"])
async def test_a_part_of_a_file_between_two_writes(aio, path):
    """sendfile(offset, count) keeps its place among the writes of the transport."""
    loop = aio.get_running_loop()
    async with transport_and_peer(loop) as (transport, _, peer):
        transport.write(b"before")
        with path.open("rb") as file:
            sent = await loop.sendfile(transport, file, 10, 100)
        transport.write(b"after")
        received = await peer.has(111)
        return [sent, received[6:106], received]


@everywhere(returns=[len(CONTENT), True])
async def test_a_file_over_tls(aio, path):
    """Where the kernel cannot encrypt the fallback reads and writes."""
    loop = aio.get_running_loop()
    async with transport_and_peer(loop, ssl=client_context(), server_hostname="localhost") as (transport, _, peer):
        with path.open("rb") as file:
            sent = await loop.sendfile(transport, file)
        return [sent, await peer.has(len(CONTENT)) == CONTENT]


@everywhere(returns="fallback is disabled and native sendfile is not supported for transport")
async def test_over_tls_without_the_fallback_it_is_an_error(aio, path):
    """sendfile(fallback=False) raises RuntimeError and names the transport."""
    loop = aio.get_running_loop()
    async with transport_and_peer(loop, ssl=client_context(), server_hostname="localhost") as (transport, _, peer):
        with path.open("rb") as file, pytest.raises(RuntimeError) as raised:
            await loop.sendfile(transport, file, fallback=False)
        return str(raised.value).partition(" <")[0]


@needs_sendfile
@everywhere(returns=[len(CONTENT), True, len(CONTENT)])
async def test_a_file_through_a_socket(aio, path):
    """sock_sendfile() to a peer that reads meanwhile."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right), path.open("rb") as file:
        receiving = asyncio.ensure_future(receive_all(loop, right))
        sent = await loop.sock_sendfile(left, file)
        position = file.tell()
        left.shutdown(socket.SHUT_WR)
        return [sent, await receiving == CONTENT, position]


class NoFile:
    """Something to read that has no descriptor: the kernel cannot send it."""

    mode = "rb"

    def __init__(self, content):
        self._content, self._position = content, 0

    def read(self, size=-1):
        data = self._content[self._position : self._position + size]
        self._position += len(data)
        return data

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, position):
        self._position = position


@everywhere(returns=[len(CONTENT), True])
async def test_what_is_no_file_goes_through_the_fallback(aio):
    """sock_sendfile() reads it in the executor and sends it."""
    loop = aio.get_running_loop()
    with socket_pair() as (left, right):
        receiving = asyncio.ensure_future(receive_all(loop, right))
        sent = await loop.sock_sendfile(left, NoFile(CONTENT))
        left.shutdown(socket.SHUT_WR)
        return [sent, await receiving == CONTENT]


@everywhere(returns="SendfileNotAvailableError")
async def test_what_is_no_file_without_the_fallback(aio):
    """sock_sendfile(fallback=False) says that it cannot."""
    with socket_pair() as (left, _):
        try:
            await aio.get_running_loop().sock_sendfile(left, NoFile(CONTENT), fallback=False)
        except asyncio.SendfileNotAvailableError as error:
            return type(error).__name__
