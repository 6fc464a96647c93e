"""aiofiles: file objects whose calls run in the loop's executor."""

import concurrent.futures
import fcntl
import functools
import os
import struct
import termios
import threading

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs

aiofiles = needs("aiofiles")
needs("aiofiles.os", "aiofiles")


@every_way()
async def test_lines_are_written_and_read_with_waits_in_between(way, tmp_path):
    path = tmp_path / "file"
    async with aiofiles.open(path, "w", encoding="utf-8") as file:
        for number in range(50):
            await file.write(f"line {number}\n")
            await way.pause(0)
    async with aiofiles.open(path, encoding="utf-8") as file:
        lines = [await way.through(line.rstrip()) async for line in file]
        await file.seek(0)
        assert await file.readline() == "line 0\n"
    assert lines == [f"line {number}" for number in range(50)]


@every_way()
async def test_many_files_are_copied_at_the_same_time(way, tmp_path):
    data = os.urandom(100_000)
    (tmp_path / "source").write_bytes(data)

    async def copy(number):
        paths = tmp_path / "source", tmp_path / f"copy-{number}"
        async with aiofiles.open(paths[0], "rb") as source, aiofiles.open(paths[1], "wb") as target:
            while part := await source.read(30_000):
                await way.pause(0)
                await target.write(part)

    await way.together(*(functools.partial(copy, number) for number in range(60)))
    assert all((tmp_path / f"copy-{number}").read_bytes() == data for number in range(60))


@every_way()
async def test_folders_and_temporary_files(way, tmp_path):
    tempfile = needs("aiofiles.tempfile", "aiofiles")
    async with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        async with tempfile.NamedTemporaryFile("wb+", dir=folder) as file:
            await file.write(b"12345")
            await file.flush()
            await way.pause()
            assert (await aiofiles.os.stat(file.name)).st_size == 5
            assert await aiofiles.os.listdir(folder) == [os.path.basename(file.name)]
        assert await aiofiles.os.listdir(folder) == []
    assert os.listdir(tmp_path) == []


@every_way()
async def test_errors_come_back_from_the_thread(way, tmp_path):
    with pytest.raises(FileNotFoundError):
        async with aiofiles.open(tmp_path / "none") as file:
            await file.read()
    await way.pause()
    async with aiofiles.open(tmp_path / "file", "w") as file:
        with pytest.raises(OSError, match="not readable"):
            await file.read()
    with pytest.raises(ValueError, match="closed"):
        await file.write("x")


@every_way()
async def test_the_executor_is_the_programs_choice(way, tmp_path):
    (tmp_path / "file").write_text("text")
    with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
        names = []

        def opener(*args):
            names.append(threading.current_thread().name)
            return os.open(*args)

        async with aiofiles.open(tmp_path / "file", opener=opener, executor=executor) as file:
            assert await way.through(await file.read()) == "text"
    assert names == ["mine_0"]


def bytes_waiting(descriptor):
    """Return how many bytes a pipe holds that nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))[0]


@every_way()
async def test_a_read_that_is_given_up_goes_on_in_its_thread_and_nobody_waits_for_it(way, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    end = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        async with aiofiles.open(tmp_path / "pipe", "rb", buffering=0) as pipe:
            async for _ in every_limit(way, lambda: pipe.read(1)):
                os.write(end, b"x")  # the thread that still reads ends with it
                while bytes_waiting(end):
                    await way.pause()
            os.write(end, b"y")
            assert await pipe.read(1) == b"y"
    finally:
        os.close(end)


@every_way()
async def test_writes_that_are_interrupted_at_any_moment_write_whole_records_and_stop_nobody(way, tmp_path):
    async with aiofiles.open(tmp_path / "file", "wb") as file:

        async def write(number):
            for part in range(10):
                await file.write(f"{number:3}-{part:3}\n".encode())

        async for number in interrupted(way, write):
            assert await file.write(f"{number:3}-end\n".encode()) == 8
    lines = (tmp_path / "file").read_text().splitlines()
    assert {len(line) for line in lines} == {7}
    assert [line for line in lines if line.endswith("end")] == [f"{number:3}-end" for number in range(60)]
