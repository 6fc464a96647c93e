"""Transports over the ends of pipes."""

import asyncio
import contextlib
import os
import socket

import pytest

from tests.network.peers import Told
from tests.network.ways import everywhere
from tests.support.parity import told

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has pipes of another kind")

MEGABYTE = 1 << 20


@contextlib.contextmanager
def pipe():
    """The two ends of a pipe as files; they may be closed in between."""
    reading, writing = os.pipe()
    with open(reading, "rb", 0) as reader, open(writing, "wb", 0) as writer:
        yield reader, writer


@everywhere(returns=b"hello", events=["connection_made", ("eof_received", b"hello"), ("connection_lost", "NoneType")])
async def test_a_pipe_is_read_to_its_end(aio, log):
    """connect_read_pipe: made, data, end of file, lost."""
    with pipe() as (reader, writer):
        _, protocol = await aio.get_running_loop().connect_read_pipe(lambda: Told(log), reader)
        writer.write(b"hello")
        writer.close()
        await protocol.lost
        return protocol.data


@everywhere(returns=b"hello", events=["connection_made", ("connection_lost", "NoneType")])
async def test_a_pipe_is_written_to(aio, log):
    """connect_write_pipe, and what is buffered is written before the end."""
    with pipe() as (reader, writer):
        transport, protocol = await aio.get_running_loop().connect_write_pipe(lambda: Told(log), writer)
        transport.write(b"hel")
        transport.write(b"lo")
        transport.write_eof()
        await protocol.lost
        return reader.read()


@everywhere(returns=MEGABYTE)
async def test_a_megabyte_goes_through_a_pipe(aio):
    """Writing waits for reading."""
    loop = aio.get_running_loop()
    with pipe() as (reader, writer):
        _, receiver = await loop.connect_read_pipe(Told, reader)
        sending, sender = await loop.connect_write_pipe(Told, writer)
        sending.write(bytes(MEGABYTE))
        sending.write_eof()
        await sender.lost
        await receiver.lost
        return len(receiver.data)


@everywhere(returns=["NoneType", "BrokenPipeError"])
async def test_a_pipe_that_nobody_reads_any_more(aio):
    """connection_lost gets BrokenPipeError if something was left to write."""
    loop, lost = aio.get_running_loop(), []
    for unwritten in (0, MEGABYTE):
        with pipe() as (reader, writer):
            transport, protocol = await loop.connect_write_pipe(Told, writer)
            transport.write(bytes(unwritten))
            reader.close()
            lost.append(type(await protocol.lost).__name__)
    return lost


@everywhere(returns=[b"", b"held back"])
async def test_a_pipe_that_is_not_read_for_a_while(aio):
    """pause_reading() and resume_reading()."""
    loop = aio.get_running_loop()
    with pipe() as (reader, writer):
        transport, protocol = await loop.connect_read_pipe(Told, reader)
        transport.pause_reading()
        writer.write(b"held back")
        await aio.sleep(0.02)
        meanwhile = protocol.data
        transport.resume_reading()
        data = await protocol.has(9)
        transport.close()
        await protocol.lost
        return [meanwhile, data]


@everywhere(returns=b"through a socket")
async def test_a_socket_serves_as_a_pipe(aio):
    """connect_write_pipe and connect_read_pipe take sockets too."""
    loop = aio.get_running_loop()
    left, right = socket.socketpair()
    with left, right:
        sending, sender = await loop.connect_write_pipe(Told, left)
        receiving, receiver = await loop.connect_read_pipe(Told, right)
        sending.write(b"through a socket")
        data = await receiver.has(16)
        sending.abort()
        await sender.lost
        await receiver.lost
        return data


@everywhere(returns="builtins.ValueError('Pipe transport is for pipes/sockets only.',)")
async def test_a_file_is_no_pipe(aio, tmp_path):
    """connect_read_pipe refuses a regular file."""
    with (tmp_path / "file").open("wb+") as file:
        return await told(aio.get_running_loop().connect_read_pipe(asyncio.Protocol, file))
