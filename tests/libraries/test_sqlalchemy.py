"""SQLAlchemy's asyncio extension, whose drivers are awaited out of greenlets, on asyncpg, psycopg and aiosqlite."""

import functools
import threading

import pytest

from tests.libraries.limits import every_limit, interrupted
from tests.libraries.ways import every_way, needs

sqlalchemy = needs("sqlalchemy")
needs("greenlet")
orm = needs("sqlalchemy.orm", "sqlalchemy")
aio = needs("sqlalchemy.ext.asyncio", "sqlalchemy")
await_only = needs("sqlalchemy.util", "sqlalchemy").await_only


class Base(orm.DeclarativeBase):
    pass


class Author(aio.AsyncAttrs, Base):
    __tablename__ = "authors"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(unique=True)
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "books"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    author_id: orm.Mapped[int] = orm.mapped_column(sqlalchemy.ForeignKey("authors.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


class Refused(Exception):
    pass


@pytest.fixture(params=["asyncpg", "psycopg", "aiosqlite"])
def driver(request):
    needs(request.param)
    return request.param


@pytest.fixture
def url(driver, request, tmp_path):
    """The URL of an empty database, by each driver."""
    if driver == "aiosqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/file.db"
    return request.getfixturevalue("database").replace("postgresql://", f"postgresql+{driver}://")


class Database:
    """An engine with the tables made, and its sessions; all connections are closed at the end."""

    def __init__(self, url, **options):
        self.engine = aio.create_async_engine(url, **options)
        self.session = aio.async_sessionmaker(self.engine, expire_on_commit=False)

    async def __aenter__(self):
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        return self

    async def __aexit__(self, *exc_info):
        await self.engine.dispose()


async def count(database, entity):
    async with database.session() as session:
        return await session.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(entity))


@every_way()
async def test_objects_are_stored_and_loaded_with_what_belongs_to_them(way, url):
    async with Database(url) as database:
        async with database.session.begin() as session:
            session.add(Author(name="ann", books=[Book(title=f"book {number}") for number in range(3)]))
            await way.pause()
        async with database.session() as session:
            author = await session.scalar(sqlalchemy.select(Author).where(Author.name == "ann"))
            await way.pause()
            assert [book.title for book in await author.awaitable_attrs.books] == ["book 0", "book 1", "book 2"]
            author.name = "bob"
            await session.commit()
        async with database.session() as session:
            statement = sqlalchemy.select(Author).options(orm.selectinload(Author.books))
            (author,) = (await session.scalars(statement)).all()
            assert (author.name, len(author.books)) == ("bob", 3)


@every_way()
async def test_synchronous_code_in_a_greenlet_waits_in_either_world(way, url):
    """What run_sync() runs waits through SQLAlchemy's bridge for the driver, and for trio."""

    def store_slowly(session):
        for number in range(5):
            session.add(Author(name=f"author {number}"))
            session.flush()  # waits in asyncio
            await_only(way.pause())
            assert await_only(way.through(number)) == number
        return threading.get_ident(), session.query(Author).count()

    async with Database(url) as database, database.session.begin() as session:
        assert await session.run_sync(store_slowly) == (threading.get_ident(), 5)


@every_way()
async def test_handlers_of_events_wait_in_either_world(way, url):
    seen = []

    def on_connect(connection, record):
        connection.run_async(lambda driver_connection: way.through(seen.append("connected")))

    async with Database(url) as database:
        await database.engine.dispose()
        sqlalchemy.event.listen(database.engine.sync_engine, "connect", on_connect)
        assert await count(database, Author) == 0
    assert seen == ["connected"]


@every_way()
async def test_rows_are_streamed_while_their_reader_waits_and_may_be_left_early(way, url):
    async with Database(url) as database:
        async with database.session.begin() as session:
            session.add_all([Author(name=f"{number:03}") for number in range(100)])
        async with database.engine.connect() as connection:
            statement = sqlalchemy.select(Author.name).order_by(Author.name)
            async with connection.stream(statement.execution_options(yield_per=10)) as result:
                assert [await way.through(name) async for name in result.scalars()] == [f"{n:03}" for n in range(100)]
            async with connection.stream(statement) as result:
                async for (name,) in result:
                    if name == "030":
                        break
            assert name == "030"
            assert await connection.scalar(sqlalchemy.select(Author.name).where(Author.name == "099")) == "099"


@every_way()
async def test_a_transaction_is_undone_by_an_exception_and_its_savepoint_alone(way, url):
    async with Database(url) as database:
        async with database.session.begin() as session:
            session.add(Author(name="outer"))
            await session.flush()
            with pytest.raises(Refused):
                async with session.begin_nested():
                    session.add(Author(name="inner"))
                    await session.flush()
                    await way.pause()
                    raise Refused
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            async with database.session.begin() as session:
                session.add_all([Author(name="lost"), Author(name="outer")])
                await way.pause()
        async with database.session() as session:
            assert (await session.scalars(sqlalchemy.select(Author.name))).all() == ["outer"]


@every_way()
async def test_a_transaction_is_undone_by_whatever_gives_it_up_and_the_pool_stays_whole(way, url):
    async with Database(url, pool_size=1, max_overflow=0, pool_timeout=20) as database:

        async def store_and_wait():
            async with database.session.begin() as session:
                session.add(Author(name="lost"))
                await session.flush()
                await way.pause(1000)

        async for _ in every_limit(way, store_and_wait):
            assert await count(database, Author) == 0
        assert database.engine.pool.checkedout() == 0


@every_way()
async def test_who_is_given_up_while_it_waits_for_a_connection_takes_none(way, url):
    async with Database(url, pool_size=1, max_overflow=0, pool_timeout=20) as database:

        async def ask():
            return await count(database, Author)

        async with database.engine.connect() as held:
            async for _ in every_limit(way, ask):
                assert await held.scalar(sqlalchemy.text("SELECT 1")) == 1
        assert await way.together(*[ask] * 5) == [0] * 5


@every_way()
async def test_what_is_interrupted_at_any_moment_is_stored_whole_or_not_at_all(way, url):
    async with Database(url, pool_size=2, max_overflow=0, pool_timeout=20) as database:

        async def store(number):
            async with database.session.begin() as session:
                author = Author(name=f"{number}", books=[Book(title="first")])
                session.add(author)
                await session.flush()
                await way.pause(0)
                session.add(Book(title="second", author=author))

        async for _ in interrupted(way, store, times=30, longest=0.02):
            await count(database, Author)
        await store("last")
        assert await count(database, Book) == 2 * await count(database, Author)
        assert database.engine.pool.checkedout() == 0


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"], indirect=True)
@every_way()
async def test_a_statement_that_is_given_up_in_the_server_leaves_the_pool_usable(way, url, driver):
    async with Database(url, pool_size=1, max_overflow=0, pool_timeout=20) as database:

        async def sleep_in_the_server():
            async with database.session() as session:
                await session.execute(sqlalchemy.text("SELECT pg_sleep(1000)"))

        async for _ in every_limit(way, sleep_in_the_server):
            assert await count(database, Author) == 0


@every_way()
async def test_sessions_of_many_tasks_share_a_small_pool(way, url):
    async with Database(url, pool_size=2, max_overflow=0, pool_timeout=20) as database:

        async def store(number):
            async with database.session.begin() as session:
                session.add(Author(name=f"author {number}"))
                await way.pause()

        await way.together(*(functools.partial(store, number) for number in range(20)))
        assert await count(database, Author) == 20
