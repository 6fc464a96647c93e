"""redis-py's asyncio client with a real redis-server."""

import asyncio
import contextlib
import functools

import pytest

from tests.libraries.limits import both_at_once, every_limit, interrupted
from tests.libraries.ways import every_way, needs

redis = needs("redis.asyncio", "redis")


def client_of(server, **options):
    return redis.Redis.from_url(server.url, decode_responses=True, **options)


@every_way()
async def test_a_transaction_pipeline_gives_the_results_in_order(way, redis_server):
    async with client_of(redis_server) as client, client.pipeline(transaction=True) as pipe:
        pipe.set("number", 1).incr("number").get("number")
        await way.pause()
        assert await pipe.execute() == [True, 2, "2"]


@every_way()
async def test_a_watched_key_that_changes_meanwhile_makes_the_transaction_start_again(way, redis_server):
    attempts = []

    async def increment_slowly(client):
        async with client.pipeline() as pipe:
            while True:
                attempts.append("one")
                try:
                    await pipe.watch("counter")
                    seen = int(await pipe.get("counter") or 0)
                    await way.pause()
                    pipe.multi()
                    pipe.set("counter", seen + 1)
                    await pipe.execute()
                    return
                except redis.WatchError:
                    continue

    async with client_of(redis_server) as client:
        await way.together(*[functools.partial(increment_slowly, client)] * 8)
        assert await client.get("counter") == "8"
    assert len(attempts) > 8


@every_way()
async def test_what_is_published_arrives_in_order_at_each_subscriber(way, redis_server):
    async with client_of(redis_server) as client:
        subscribed = asyncio.Queue()

        async def listen(*channels):
            heard = []
            async with client.pubsub() as pubsub, contextlib.aclosing(pubsub.listen()) as messages:
                await pubsub.psubscribe(*channels)
                async for message in messages:
                    if message["type"] == "psubscribe":
                        subscribed.put_nowait(message["channel"])
                    elif message["data"] == "end":
                        break
                    else:
                        heard.append(await way.through((message["channel"], int(message["data"]))))
            return heard

        async def publish():
            for _ in range(3):
                await subscribed.get()
            for number in range(50):
                await client.publish("news.even" if number % 2 == 0 else "news.odd", number)
            await client.publish("news.end", "end")

        all_news, even_news, _ = await way.together(
            functools.partial(listen, "news.*"), functools.partial(listen, "news.even", "news.end"), publish
        )
    assert [number for _, number in all_news] == list(range(50))
    assert even_news == [("news.even", number) for number in range(0, 50, 2)]


@every_way()
async def test_a_subscription_with_a_handler_runs_in_a_task_of_its_own(way, redis_server):
    heard = asyncio.Queue()
    async with client_of(redis_server) as client, client.pubsub() as pubsub:
        await pubsub.subscribe(news=lambda message: heard.put_nowait(message["data"]))
        runner = asyncio.ensure_future(pubsub.run())
        await client.publish("news", "first")
        assert await heard.get() == "first"
        await way.pause()
        await client.publish("news", "second")
        assert await heard.get() == "second"
        runner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await runner


@every_way()
async def test_a_blocking_pop_gives_up_after_its_own_timeout_and_gets_what_is_pushed_meanwhile(way, redis_server):
    async with client_of(redis_server) as client:
        assert await client.blpop("jobs", timeout=0.05) is None

        async def push_later():
            await way.pause(0.02)
            await client.rpush("jobs", "work")

        popped, _ = await way.together(lambda: client.blpop("jobs", timeout=20), push_later)
        assert tuple(popped) == ("jobs", "work")


@every_way()
async def test_a_blocking_pool_serves_many_tasks_over_few_connections(way, redis_server):
    pool = redis.BlockingConnectionPool.from_url(redis_server.url, max_connections=3, timeout=20)
    async with redis.Redis.from_pool(pool) as client:

        async def use_it(number):
            await client.set(f"key-{number}", number)
            await way.pause()
            return int(await client.get(f"key-{number}"))

        assert await way.together(*(functools.partial(use_it, number) for number in range(60))) == list(range(60))
        assert len(await client.client_list()) <= 3


@every_way()
async def test_commands_that_are_given_up_by_any_limit_leave_the_pool_usable(way, redis_server):
    pool = redis.BlockingConnectionPool.from_url(redis_server.url, max_connections=2, timeout=20)
    async with redis.Redis.from_pool(pool) as client:
        rounds = 0
        async for _ in every_limit(way, lambda: client.blpop("nothing")):
            rounds += 1
            echoes = await way.together(*(functools.partial(client.echo, part) for part in "abcde"))
            assert echoes == [b"a", b"b", b"c", b"d", b"e"]
        assert rounds == 5


@every_way()
async def test_commands_that_two_limits_give_up_at_once_leave_the_pool_usable(way, redis_server):
    async with client_of(redis_server, max_connections=2) as client:
        async for _ in both_at_once(way, lambda: client.blpop("nothing")):
            assert await client.echo("x") == "x"


@every_way()
async def test_a_command_that_is_interrupted_at_any_moment_never_leaves_its_answer_to_the_next(way, redis_server):
    async with client_of(redis_server, max_connections=4) as client:

        async def ask(number):
            async with client.pipeline() as pipe:
                for part in range(20):
                    pipe.echo(f"{number}-{part}")
                answers = await pipe.execute()
            assert answers == [f"{number}-{part}" for part in range(20)]

        async for number in interrupted(way, ask):
            assert await client.echo(f"after {number}") == f"after {number}"
        await ask("last")


@every_way()
async def test_a_connection_that_the_server_closes_fails_its_command_and_the_next_gets_another(way, redis_server):
    async with client_of(redis_server, retry=None) as client:

        async def pop():
            with pytest.raises(redis.ConnectionError):
                await client.blpop("nothing", timeout=20)

        async def close():
            async with client_of(redis_server) as admin:
                while not any("b" in each["flags"] for each in await admin.client_list()):  # b: blocked
                    await way.pause()
                await admin.client_kill_filter(_type="normal", skipme=True)

        await way.together(pop, close)
        assert await client.echo("x") == "x"


@every_way()
async def test_a_lock_is_held_by_one_task_at_a_time_and_let_go_by_one_that_is_given_up(way, redis_server):
    async with client_of(redis_server) as client:
        holders, most = [], []

        async def hold(number):
            async with client.lock("door", timeout=20, sleep=0.002):
                holders.append(number)
                most.append(len(holders))
                await way.pause(0.002)
                holders.remove(number)

        await way.together(*(functools.partial(hold, number) for number in range(5)))
        assert most == [1] * 5

        async def hold_for_ever():
            async with client.lock("door", timeout=20, sleep=0.002):
                await way.pause(1000)

        assert await way.cut_off(0.1, hold_for_ever)
        await hold("the next")


@every_way()
async def test_streams_are_read_by_a_group_of_consumers_over_a_unix_socket(way, redis_server):
    async with redis.Redis(unix_socket_path=redis_server.unix_socket, decode_responses=True) as client:
        await client.xgroup_create("work", "team", mkstream=True)
        done = []

        async def consume(name):
            while len(done) < 30:
                for _, entries in await client.xreadgroup("team", name, {"work": ">"}, count=4, block=20):
                    for entry, fields in entries:
                        done.append(await way.through(int(fields["number"])))
                        await client.xack("work", "team", entry)

        async def produce():
            for number in range(30):
                await client.xadd("work", {"number": number})

        await way.together(functools.partial(consume, "ann"), functools.partial(consume, "bob"), produce)
        assert sorted(done) == list(range(30))
        assert (await client.xpending("work", "team"))["pending"] == 0
