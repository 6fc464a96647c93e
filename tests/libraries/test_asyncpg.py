"""asyncpg with a real PostgreSQL."""

import asyncio
import functools
import io
import json

import pytest

from tests.libraries.limits import both_at_once, every_limit, interrupted
from tests.libraries.ways import every_way, needs

asyncpg = needs("asyncpg")


def pool_of(database, size=3):
    return asyncpg.create_pool(database, min_size=1, max_size=size)


class Refused(Exception):
    pass


async def statements_running(pool):
    """Return how many other connections to the database are in the middle of a statement."""
    return await pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND state = 'active' AND pid != pg_backend_pid()"
    )


@every_way()
async def test_many_tasks_share_a_pool_and_lose_no_update(way, database):
    async with pool_of(database) as pool:
        await pool.execute("CREATE TABLE counter AS SELECT 0 AS value")

        async def increment():
            async with pool.acquire() as connection, connection.transaction():
                value = await connection.fetchval("SELECT value FROM counter FOR UPDATE")
                await way.pause()
                await connection.execute("UPDATE counter SET value = $1", value + 1)

        await way.together(*[increment] * 40)
        assert await pool.fetchval("SELECT value FROM counter") == 40
        assert pool.get_size() == 3


@every_way()
async def test_values_of_many_types_travel_both_ways(way, database):
    values = [-(2**62), 2.5, "\N{SNOWMAN}", b"\0\xff", None, True, [1, None, 3], {"a": [1]}]
    types = ["int8", "float8", "text", "bytea", "int", "bool", "int[]", "jsonb"]
    columns = ", ".join(f"${number}::{kind}" for number, kind in enumerate(types, 1))
    connection = await asyncpg.connect(database)
    try:
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        assert list(await connection.fetchrow(f"SELECT {columns}", *values)) == values
    finally:
        await connection.close()


@every_way()
async def test_a_transaction_is_undone_by_an_exception_and_its_savepoint_alone(way, database):
    async with pool_of(database) as pool:
        await pool.execute("CREATE TABLE rows (name text)")
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO rows VALUES ('outer')")
            with pytest.raises(Refused):
                async with connection.transaction():
                    await connection.execute("INSERT INTO rows VALUES ('inner')")
                    await way.pause()
                    raise Refused
        with pytest.raises(asyncpg.UniqueViolationError):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("INSERT INTO rows VALUES ('lost'); CREATE UNIQUE INDEX ON rows (name)")
                await way.pause()
                await connection.execute("INSERT INTO rows VALUES ('outer')")
        assert [row["name"] for row in await pool.fetch("SELECT name FROM rows")] == ["outer"]


@every_way()
async def test_a_transaction_is_undone_by_whatever_gives_it_up(way, database):
    async with pool_of(database) as pool:
        await pool.execute("CREATE TABLE rows (name text)")

        async def insert_and_wait(wait):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("INSERT INTO rows VALUES ('lost')")
                await wait(connection)

        for wait in (
            lambda connection: way.pause(1000),
            lambda connection: connection.execute("SELECT pg_sleep(1000)"),
        ):
            async for _ in every_limit(way, functools.partial(insert_and_wait, wait)):
                assert await pool.fetchval("SELECT count(*) FROM rows") == 0
                assert await statements_running(pool) == 0
        assert pool.get_size() - pool.get_idle_size() == 0


@every_way()
async def test_a_statement_that_is_given_up_is_cancelled_in_the_server_and_its_connection_goes_on(way, database):
    connection = await asyncpg.connect(database)
    try:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        async for _ in every_limit(way, lambda: connection.fetch("SELECT pg_sleep(1000)")):
            assert await connection.fetchval("SELECT pg_backend_pid()") == backend
        with pytest.raises(asyncio.TimeoutError):
            await connection.execute("SELECT pg_sleep(1000)", timeout=0.02)
        assert await connection.fetchval("SELECT 1 + 1") == 2
    finally:
        await connection.close()


@every_way()
async def test_statements_that_two_limits_give_up_at_once_leave_the_pool_usable(way, database):
    async with pool_of(database, size=1) as pool:
        async for _ in both_at_once(way, lambda: pool.fetch("SELECT pg_sleep(1000)")):
            assert await pool.fetchval("SELECT 1 + 1") == 2
            assert await statements_running(pool) == 0


@every_way()
async def test_who_is_given_up_while_it_waits_for_a_connection_takes_none(way, database):
    async with pool_of(database, size=1) as pool:
        async with pool.acquire() as held:
            async for _ in every_limit(way, pool.acquire):
                assert await held.fetchval("SELECT 1") == 1
        assert await way.together(*[functools.partial(pool.fetchval, "SELECT 2")] * 5) == [2] * 5


@every_way()
async def test_what_is_interrupted_at_any_moment_leaves_the_pool_whole(way, database):
    async with pool_of(database) as pool:
        await pool.execute("CREATE TABLE halves (number int)")

        async def insert_both_halves(number):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("INSERT INTO halves VALUES ($1)", number)
                assert await connection.fetchval("SELECT $1::int", number) == number
                await way.pause(0)
                await connection.execute("INSERT INTO halves VALUES ($1)", number)

        async for number in interrupted(way, insert_both_halves, longest=0.008):
            assert await pool.fetchval("SELECT $1::int", number) == number
        assert await pool.fetch("SELECT number FROM halves GROUP BY number HAVING count(*) != 2") == []
        assert await way.together(*[functools.partial(pool.fetchval, "SELECT 2")] * 10) == [2] * 10
        assert pool.get_idle_size() == pool.get_size()


@every_way()
async def test_a_connection_that_the_server_ends_fails_its_statement_and_the_pool_makes_another(way, database):
    async with pool_of(database, size=1) as pool:

        async def sleep_in_the_server():
            with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
                await pool.execute("SELECT pg_sleep(1000)")

        async def end_it():
            admin = await asyncpg.connect(database)
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            while await admin.fetchval(query) is None:
                await way.pause()
            await admin.close()

        await way.together(sleep_in_the_server, end_it)
        assert await pool.fetchval("SELECT 1 + 1") == 2


@every_way()
async def test_a_listener_hears_every_notification_in_order(way, database):
    async with pool_of(database) as pool, pool.acquire() as listening:
        heard = asyncio.Queue()

        def hear(connection, process, channel, payload):
            heard.put_nowait((channel, payload))

        async def notify():
            for number in range(30):
                await pool.execute(f"NOTIFY news, '{number}'")
                await way.pause(0)

        async def collect():
            return [await way.through(await heard.get()) for _ in range(30)]

        await listening.add_listener("news", hear)
        collected, _ = await way.together(collect, notify)
        await listening.remove_listener("news", hear)
        assert collected == [("news", str(number)) for number in range(30)]


@every_way()
async def test_a_cursor_fetches_while_its_reader_waits_and_may_be_left_early(way, database):
    async with pool_of(database) as pool, pool.acquire() as connection:
        async with connection.transaction():
            total = 0
            async for row in connection.cursor("SELECT generate_series(1, 200) AS number", prefetch=20):
                total += await way.through(row["number"]) if row["number"] % 20 == 0 else row["number"]
            assert total == 20100
            async for row in connection.cursor("SELECT generate_series(1, 200) AS number", prefetch=20):
                if row["number"] == 30:
                    break
            assert row["number"] == 30
        assert await connection.fetchval("SELECT 1") == 1


@every_way()
async def test_copy_streams_in_and_out_with_waits_in_between(way, database):
    async with pool_of(database) as pool, pool.acquire() as connection:
        await connection.execute("CREATE TABLE numbers (number int, square int)")

        async def lines():
            for number in range(500):
                if number % 100 == 0:
                    await way.pause()
                yield f"{number}\t{number * number}\n".encode()

        assert await connection.copy_to_table("numbers", source=lines()) == "COPY 500"
        await connection.copy_records_to_table("numbers", records=[(number, 0) for number in range(500, 1000)])
        parts = []

        async def write(part):
            parts.append(await way.through(bytes(part)))

        await connection.copy_from_query("SELECT * FROM numbers ORDER BY number", output=write, format="csv")
        rows = [tuple(map(int, line.split(","))) for line in b"".join(parts).decode().split()]
        assert rows == [(number, number * number if number < 500 else 0) for number in range(1000)]


@every_way()
async def test_a_copy_that_is_given_up_in_its_source_copies_nothing(way, database):
    async with pool_of(database) as pool, pool.acquire() as connection:
        await connection.execute("CREATE TABLE numbers (number int)")

        async def lines_for_ever():
            while True:
                yield b"1\n" * 1000
                await way.pause(0.001)

        async for _ in every_limit(way, lambda: connection.copy_to_table("numbers", source=lines_for_ever())):
            assert await connection.fetchval("SELECT count(*) FROM numbers") == 0
        assert await connection.copy_to_table("numbers", source=io.BytesIO(b"1\n2\n")) == "COPY 2"
