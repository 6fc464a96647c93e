"""asyncssh: a server and its clients in one program, over loopback."""

import asyncio
import functools

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs

asyncssh = needs("asyncssh")

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def keys():
    """A key of the server and one of its only user."""
    return asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")


class Site:
    """A server on a free port for the length of a block; `connect` gives a client's connection to it."""

    def __init__(self, keys, **server_options):
        self._host_key, self._user_key = keys
        self._options = server_options

    async def __aenter__(self):
        allowed = asyncssh.import_authorized_keys(self._user_key.export_public_key().decode())
        self._acceptor = await asyncssh.listen(
            HOST, 0, server_host_keys=[self._host_key], authorized_client_keys=allowed, **self._options
        )
        return self

    async def __aexit__(self, *exc_info):
        self._acceptor.close()
        await self._acceptor.wait_closed()

    def connect(self, **options):
        known = asyncssh.import_known_hosts(f"{HOST} {self._host_key.export_public_key().decode()}")
        options = {"client_keys": [self._user_key], "username": "user", "config": None, "agent_path": None} | options
        return asyncssh.connect(HOST, self._acceptor.get_port(), known_hosts=known, **options)


def talking(way):
    """Return what answers a session: `hang` waits for ever, `sum` adds the lines that it reads."""

    async def answer(process):
        if process.command == "hang":
            process.stdout.write("hanging\n")
            await way.pause(1000)
        elif process.command == "sum":
            total = 0
            async for line in process.stdin:
                total += await way.through(int(line))
            process.stdout.write(f"{total}\n")
            process.exit(0)
        else:
            await way.pause()
            process.stdout.write(f"you said {process.command}\n")
            process.stderr.write("and more\n")
            process.exit(3)

    return answer


@every_way()
async def test_a_command_gives_its_output_and_its_exit_status(way, keys):
    async with Site(keys, process_factory=talking(way)) as site, site.connect() as connection:
        result = await connection.run("hello")
        assert (result.stdout, result.stderr, result.exit_status) == ("you said hello\n", "and more\n", 3)
        with pytest.raises(asyncssh.ProcessError):
            await connection.run("hello", check=True)


@every_way()
async def test_a_process_reads_what_is_written_while_it_runs(way, keys):
    async with Site(keys, process_factory=talking(way)) as site, site.connect() as connection:
        async with connection.create_process("sum") as process:
            for number in range(20):
                process.stdin.write(f"{number}\n")
                await way.pause(0)
            process.stdin.write_eof()
            assert await process.stdout.read() == "190\n"
        assert process.exit_status == 0


@every_way()
async def test_many_sessions_run_at_once_over_few_connections(way, keys):
    async with Site(keys, process_factory=talking(way)) as site, site.connect() as one, site.connect() as other:
        commands = [functools.partial((one, other)[number % 2].run, f"{number}") for number in range(40)]
        results = await way.together(*commands)
        assert [result.stdout for result in results] == [f"you said {number}\n" for number in range(40)]


@every_way()
async def test_passwords_and_strange_keys_are_judged_by_the_servers_own_awaits(way, keys):
    class Guard(asyncssh.SSHServer):
        def begin_auth(self, username):
            return True

        def password_auth_supported(self):
            return True

        async def validate_password(self, username, password):
            return await way.through((username, password) == ("ann", "secret"))

    by_password = {"client_keys": None, "username": "ann", "preferred_auth": "password"}
    async with Site(keys, process_factory=talking(way), server_factory=Guard) as site:
        async with site.connect(**by_password, password="secret") as connection:
            assert (await connection.run("x")).stdout == "you said x\n"
        with pytest.raises(asyncssh.PermissionDenied):
            await site.connect(**by_password, password="guess")
        stranger = asyncssh.generate_private_key("ssh-ed25519")
        with pytest.raises(asyncssh.PermissionDenied):
            await site.connect(client_keys=[stranger])


@every_way()
async def test_files_are_copied_by_sftp_with_waits_in_the_server(way, keys, tmp_path):
    seen = []

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel):
            super().__init__(channel, chroot=tmp_path)

        async def open(self, path, flags, attributes):
            seen.append(await way.through(path))
            return super().open(path, flags, attributes)

    data = bytes(range(256)) * 2000
    async with (
        Site(keys, sftp_factory=Files) as site,
        site.connect() as connection,
        connection.start_sftp_client() as sftp,
    ):
        await sftp.makedirs("a/b")
        async with sftp.open("a/b/data", "wb") as file:
            await file.write(data)
        await way.pause()
        assert (await sftp.stat("a/b/data")).size == len(data)
        async with sftp.open("a/b/data", "rb") as file:
            await file.seek(1000)
            assert await file.read(10) == data[1000:1010]
        await sftp.put(__file__, "a/this.py")
        names = [entry.filename async for entry in sftp.scandir("a")]
        assert sorted(names) == [".", "..", "b", "this.py"]
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.remove("none")
    assert (tmp_path / "a/b/data").read_bytes() == data
    assert seen == [b"a/b/data", b"a/b/data", b"a/this.py"]


@every_way()
async def test_a_port_is_forwarded_through_the_connection(way, keys):
    async def shout(reader, writer):
        writer.write((await way.through(await reader.readline())).upper())
        writer.close()

    class Open(asyncssh.SSHServer):
        def connection_requested(self, *addresses):
            return True

    echo = await asyncio.start_server(shout, HOST, 0)
    async with echo, Site(keys, server_factory=Open) as site, site.connect() as connection:
        port = echo.sockets[0].getsockname()[1]
        async with connection.forward_local_port(HOST, 0, HOST, port) as listener:
            reader, writer = await asyncio.open_connection(HOST, listener.get_port())
            writer.write(b"quiet\n")
            assert await reader.read() == b"QUIET\n"
            writer.close()
            await writer.wait_closed()


@every_way()
async def test_commands_that_are_given_up_by_any_limit_leave_the_connection_usable(way, keys):
    async with Site(keys, process_factory=talking(way)) as site, site.connect() as connection:
        async for _ in every_limit(way, functools.partial(connection.run, "hang")):
            assert (await connection.run("x")).stdout == "you said x\n"


@every_way()
async def test_a_handler_that_is_given_up_by_a_limit_ends_its_session(way, keys):
    async def hang_a_little(process):
        process.stdout.write("begun\n")
        assert await way.cut_off(0.01, way.pause, 1000)
        process.exit(7)

    async with Site(keys, process_factory=hang_a_little) as site, site.connect() as connection:
        result = await connection.run("x")
        assert (result.stdout, result.exit_status) == ("begun\n", 7)


@every_way()
async def test_connections_that_are_interrupted_at_any_moment_do_not_disturb_the_server(way, keys):
    async with Site(keys, process_factory=talking(way)) as site:

        async def connect_and_run(number):
            async with site.connect() as connection:
                assert (await connection.run(f"{number}")).stdout == f"you said {number}\n"

        async for number in interrupted(way, connect_and_run, times=20, longest=0.05):
            await connect_and_run(f"after {number}")
