"""aiosqlite: each connection is a thread that answers over the loop."""

import functools
import sqlite3

import pytest

from tests.libraries.limits import both_at_once, every_limit, interrupted
from tests.libraries.ways import every_way, needs

aiosqlite = needs("aiosqlite")

FOR_EVER = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers"


async def value(connection, query, *values):
    """Return the first value that a query gives."""
    async with connection.execute(query, values) as cursor:
        (first,) = await cursor.fetchone()
        return first


class Refused(Exception):
    pass


@every_way()
async def test_rows_are_written_and_iterated_with_waits_in_between(way):
    async with aiosqlite.connect(":memory:") as connection:
        connection.row_factory = aiosqlite.Row
        await connection.execute("CREATE TABLE people (name TEXT, age INTEGER)")
        await connection.executemany("INSERT INTO people VALUES (?, ?)", [(f"p{age}", age) for age in range(200)])
        await connection.commit()
        async with connection.execute("SELECT name, age FROM people ORDER BY age") as cursor:
            seen = [(row["name"], await way.through(row["age"])) async for row in cursor]
        assert seen == [(f"p{age}", age) for age in range(200)]


@every_way()
async def test_many_connections_write_to_one_file_and_lose_no_update(way, tmp_path):
    path = tmp_path / "file.db"
    async with aiosqlite.connect(path) as connection:
        await connection.execute("CREATE TABLE counter AS SELECT 0 AS value")
        await connection.commit()

    async def increment():
        async with aiosqlite.connect(path, timeout=20, isolation_level=None) as connection:
            await connection.execute("BEGIN IMMEDIATE")
            seen = await value(connection, "SELECT value FROM counter")
            await way.pause()
            await connection.execute("UPDATE counter SET value = ?", [seen + 1])
            await connection.execute("COMMIT")

    await way.together(*[increment] * 8)
    async with aiosqlite.connect(path) as connection:
        assert await value(connection, "SELECT value FROM counter") == 8


@every_way()
async def test_what_is_not_committed_is_undone_by_an_exception_and_by_each_limit(way, tmp_path):
    path = tmp_path / "file.db"
    async with aiosqlite.connect(path) as connection:
        await connection.execute("CREATE TABLE rows (name TEXT)")
        await connection.commit()

    async def insert_and(wait):
        async with aiosqlite.connect(path) as connection:
            await connection.execute("INSERT INTO rows VALUES ('lost')")
            await wait()

    async def refuse():
        raise Refused

    with pytest.raises(Refused):
        await insert_and(refuse)
    async for _ in every_limit(way, functools.partial(insert_and, lambda: way.pause(1000))):
        async with aiosqlite.connect(path, timeout=0) as connection:
            assert await value(connection, "SELECT count(*) FROM rows") == 0
            await connection.execute("INSERT INTO rows VALUES ('nobody holds the lock')")


@every_way()
async def test_a_query_that_is_given_up_is_ended_by_interrupt_and_its_connection_goes_on(way):
    async with aiosqlite.connect(":memory:") as connection:
        async for _ in every_limit(way, lambda: value(connection, FOR_EVER)):
            await connection.interrupt()
            assert await value(connection, "SELECT 1 + 1") == 2


@every_way()
async def test_a_query_that_two_limits_give_up_at_once_leaves_its_connection_usable(way):
    async with aiosqlite.connect(":memory:") as connection:
        async for _ in both_at_once(way, lambda: value(connection, FOR_EVER)):
            await connection.interrupt()
            assert await value(connection, "SELECT 1 + 1") == 2


@every_way()
async def test_what_is_interrupted_at_any_moment_answers_the_next_question_rightly(way):
    async with aiosqlite.connect(":memory:") as connection:

        async def ask(number):
            for part in range(20):
                assert await value(connection, "SELECT ?", f"{number}-{part}") == f"{number}-{part}"

        async for number in interrupted(way, ask):
            assert await value(connection, "SELECT ?", number) == number


@every_way()
async def test_functions_and_errors_come_back_from_the_connections_thread(way):
    async with aiosqlite.connect(":memory:") as connection:
        await connection.create_function("triple", 1, lambda number: 3 * number)
        assert await value(connection, "SELECT triple(14)") == 42
        await connection.execute("CREATE TABLE names (name TEXT UNIQUE)")
        await connection.execute("INSERT INTO names VALUES ('ann')")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            await connection.execute("INSERT INTO names VALUES ('ann')")
        assert await way.through(connection.total_changes) == 1


@every_way()
async def test_a_database_is_backed_up_and_dumped(way, tmp_path):
    async with aiosqlite.connect(":memory:") as source, aiosqlite.connect(tmp_path / "copy.db") as target:
        await source.execute("CREATE TABLE numbers (number INTEGER)")
        await source.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in range(1000)])
        await source.commit()
        dump = [line async for line in source.iterdump()]
        assert sum(line.startswith("INSERT") for line in dump) == 1000
        await source.backup(target, pages=1)
        assert await value(target, "SELECT sum(number) FROM numbers") == 499500
