"""psycopg 3's asyncio connections and pool with a real PostgreSQL."""

import asyncio
import contextlib
import functools

import pytest

from tests.libraries.limits import both_at_once, every_limit, interrupted
from tests.libraries.ways import every_way, needs

psycopg = needs("psycopg")
psycopg_pool = needs("psycopg_pool", "psycopg-pool")


def pool_of(database, size=3):
    return psycopg_pool.AsyncConnectionPool(database, min_size=1, max_size=size, open=False)


async def value(connection, query, *values):
    """Return the first value that a query gives."""
    cursor = await connection.execute(query, values)
    (first,) = await cursor.fetchone()
    return first


async def connect(database, autocommit=True):
    return await psycopg.AsyncConnection.connect(database, autocommit=autocommit)


class Refused(Exception):
    pass


@every_way()
async def test_many_tasks_share_a_pool_and_lose_no_update(way, database):
    async with pool_of(database) as pool:
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE counter AS SELECT 0 AS value")

        async def increment():
            async with pool.connection() as connection:
                seen = await value(connection, "SELECT value FROM counter FOR UPDATE")
                await way.pause()
                await connection.execute("UPDATE counter SET value = %s", [seen + 1])

        await way.together(*[increment] * 40)
        async with pool.connection() as connection:
            assert await value(connection, "SELECT value FROM counter") == 40
        assert pool.get_stats()["pool_size"] <= 3


@every_way()
async def test_a_transaction_is_undone_by_an_exception_and_its_savepoint_alone(way, database):
    async with await connect(database) as connection:
        await connection.execute("CREATE TABLE rows (name text)")
        async with connection.transaction():
            await connection.execute("INSERT INTO rows VALUES ('outer')")
            with pytest.raises(Refused):
                async with connection.transaction():
                    await connection.execute("INSERT INTO rows VALUES ('inner')")
                    await way.pause()
                    raise Refused
            async with connection.transaction(force_rollback=True):
                await connection.execute("INSERT INTO rows VALUES ('tried')")
                await way.pause()
        cursor = await connection.execute("SELECT name FROM rows")
        assert await cursor.fetchall() == [("outer",)]


@every_way()
async def test_a_transaction_is_undone_by_whatever_gives_it_up(way, database):
    async with pool_of(database) as pool:
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE rows (name text)")

        async def insert_and_wait(wait):
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO rows VALUES ('lost')")
                await wait(connection)

        async def sleep_in_the_server(connection):
            await connection.execute("SELECT pg_sleep(1000)")

        for wait in (lambda connection: way.pause(1000), sleep_in_the_server):
            async for _ in every_limit(way, functools.partial(insert_and_wait, wait)):
                async with pool.connection() as connection:
                    assert await value(connection, "SELECT count(*) FROM rows") == 0
        assert pool.get_stats().get("connections_lost", 0) == 0


@every_way()
async def test_a_statement_that_is_given_up_is_cancelled_in_the_server_and_its_connection_goes_on(way, database):
    async with await connect(database) as connection:
        async for _ in every_limit(way, lambda: connection.execute("SELECT pg_sleep(1000)")):
            assert await value(connection, "SELECT 1 + 1") == 2
        running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        assert await value(connection, running) == 1


@every_way()
async def test_statements_that_two_limits_give_up_at_once_leave_the_pool_usable(way, database):
    """psycopg closes a connection that is interrupted twice; the pool puts another in its place."""
    async with pool_of(database, size=1) as pool:

        async def sleep_in_the_server():
            async with pool.connection() as connection:
                await connection.execute("SELECT pg_sleep(1)")  # its connection may be closed before it is cancelled

        async for _ in both_at_once(way, sleep_in_the_server):
            async with pool.connection() as connection:
                assert await value(connection, "SELECT 1 + 1") == 2


@every_way()
async def test_who_is_given_up_while_it_waits_for_a_connection_takes_none(way, database):
    async with pool_of(database, size=1) as pool:

        async def ask():
            async with pool.connection() as connection:
                return await value(connection, "SELECT 2")

        async with pool.connection() as held:
            async for _ in every_limit(way, ask):
                assert await value(held, "SELECT 1") == 1
            with pytest.raises(psycopg_pool.PoolTimeout):
                await pool.getconn(timeout=0.02)
        assert await way.together(*[ask] * 5) == [2] * 5


@every_way()
async def test_what_is_interrupted_at_any_moment_leaves_the_pool_whole(way, database):
    async with pool_of(database) as pool:
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE halves (number int)")

        async def insert_both_halves(number):
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO halves VALUES (%s)", [number])
                assert await value(connection, "SELECT %s::int", number) == number
                await way.pause(0)
                await connection.execute("INSERT INTO halves VALUES (%s)", [number])

        async for number in interrupted(way, insert_both_halves, longest=0.008):
            async with pool.connection() as connection:
                assert await value(connection, "SELECT %s::int", number) == number
        odd = "SELECT count(*) FROM (SELECT FROM halves GROUP BY number HAVING count(*) != 2) AS odd"
        async with pool.connection() as first, pool.connection() as second, pool.connection() as third:
            assert [await value(each, odd) for each in (first, second, third)] == [0, 0, 0]


@every_way()
async def test_a_connection_that_the_server_ends_fails_its_statement_and_the_pool_makes_another(way, database):
    async with pool_of(database, size=1) as pool, await connect(database) as admin:

        async def sleep_in_the_server():
            with pytest.raises(psycopg.OperationalError):
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_sleep(1000)")

        async def end_it():
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            while not await (await admin.execute(query)).fetchall():
                await way.pause()

        await way.together(sleep_in_the_server, end_it)
        async with pool.connection() as connection:
            assert await value(connection, "SELECT 1 + 1") == 2


@every_way()
async def test_notifications_are_an_async_generator_that_may_be_left(way, database):
    async with await connect(database) as listening, await connect(database) as speaking:
        await listening.execute("LISTEN news")

        async def notify():
            for number in range(30):
                await speaking.execute("SELECT pg_notify('news', %s)", [str(number)])
                await way.pause(0)

        async def collect():
            heard = []
            async with contextlib.aclosing(listening.notifies()) as notifications:
                async for notification in notifications:
                    heard.append(await way.through(int(notification.payload)))
                    if len(heard) == 30:
                        break
            return heard

        heard, _ = await way.together(collect, notify)
        assert heard == list(range(30))
        assert await way.cut_off(0.02, collect)
        assert await value(listening, "SELECT 1") == 1


@every_way()
async def test_a_server_side_cursor_fetches_while_its_reader_waits_and_may_be_left_early(way, database):
    async with await connect(database, autocommit=False) as connection:
        async with connection.cursor(name="numbers") as cursor:
            cursor.itersize = 20
            await cursor.execute("SELECT generate_series(1, 200)")
            total = 0
            async for (number,) in cursor:
                total += await way.through(number) if number % 20 == 0 else number
            assert total == 20100
            await cursor.execute("SELECT generate_series(1, 200)")
            async for (number,) in cursor:
                if number == 30:
                    break
            await cursor.scroll(9)
            assert await cursor.fetchone() == (50,)
        assert await value(connection, "SELECT 1") == 1


@every_way()
async def test_a_pipeline_gives_each_statement_its_own_result(way, database):
    async with await connect(database) as connection:
        async with connection.pipeline() as pipeline:
            cursors = [await connection.execute("SELECT %s::int", [number]) for number in range(50)]
            await way.pause()
            await pipeline.sync()
            assert [(await cursor.fetchone())[0] for cursor in cursors] == list(range(50))
            with pytest.raises(psycopg.errors.DivisionByZero):
                await value(connection, "SELECT 1 / 0")
        assert await value(connection, "SELECT 1") == 1


@every_way()
async def test_copy_streams_in_and_out_with_waits_in_between(way, database):
    async with await connect(database) as connection, connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE numbers (number int, square int)")
        async with cursor.copy("COPY numbers FROM STDIN") as copy:
            for number in range(500):
                await copy.write_row((number, number * number))
                if number % 100 == 0:
                    await way.pause()
        rows = []
        async with cursor.copy("COPY (SELECT * FROM numbers ORDER BY number) TO STDOUT") as copy:
            copy.set_types(["int4", "int4"])
            async for number, square in copy.rows():
                if number % 100 == 0:
                    await way.pause()
                rows.append((number, square))
        assert rows == [(number, number * number) for number in range(500)]


@every_way()
async def test_a_copy_that_is_given_up_copies_nothing(way, database):
    async with await connect(database) as connection, connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE numbers (number int)")

        async def copy_for_ever():
            async with cursor.copy("COPY numbers FROM STDIN") as copy:
                while True:
                    await copy.write("1\n" * 1000)
                    await way.pause(0.001)

        # When psycopg is interrupted while it begins to copy, the connection is lost, on any loop.
        async for _ in every_limit(way, copy_for_ever, short=0.2):
            assert await value(connection, "SELECT count(*) FROM numbers") == 0


@every_way()
async def test_two_transactions_that_block_each_other_are_told_apart_by_the_server(way, database):
    async with await connect(database) as admin:
        await admin.execute("CREATE TABLE doors AS SELECT generate_series(1, 2) AS number, 0 AS passed")
        await admin.execute("SET deadlock_timeout = '10ms'")
        await admin.execute("ALTER DATABASE program SET deadlock_timeout = '10ms'")
        first_locked = asyncio.Queue()

        async def pass_through(first, second):
            try:
                async with await connect(database, autocommit=False) as connection:
                    await connection.execute("UPDATE doors SET passed = passed + 1 WHERE number = %s", [first])
                    first_locked.put_nowait(first)
                    while first_locked.qsize() < 2:
                        await way.pause()
                    await connection.execute("UPDATE doors SET passed = passed + 1 WHERE number = %s", [second])
            except psycopg.errors.DeadlockDetected:
                return "deadlock"
            return "passed"

        done = await way.together(functools.partial(pass_through, 1, 2), functools.partial(pass_through, 2, 1))
        assert sorted(done) == ["deadlock", "passed"]
        assert await value(admin, "SELECT sum(passed) FROM doors") == 2
