"""Call graphs: capture_call_graph(), format_call_graph() and print_call_graph(), of Python 3.14."""

import io
import re

from tests.support.parity import parity


def shape(graph):
    """Return a graph as (name, functions, [shapes of who awaits it]); None for the name of a Future."""
    name = graph.future.get_name() if hasattr(graph.future, "get_name") else None
    functions = [entry.frame.f_code.co_name for entry in graph.call_stack]
    return name, functions, sorted(map(shape, graph.awaited_by))


def lines(text):
    """Return the lines of a formatted graph without addresses and files."""
    text = re.sub(r"id=0x[0-9a-f]+", "id=…", text)
    text = re.sub(r"File '[^']*', line \d+, in", "File …, in", text)
    return [line.rstrip() for line in text.splitlines()]


@parity(since=(3, 14), returns=("job", ["leaf", "branch"], ["main"]))
async def test_the_current_task(aio):
    """Without arguments the graph is that of the current task, the innermost frame first."""

    async def leaf():
        return shape(aio.capture_call_graph())

    async def branch():
        return await leaf()

    aio.current_task().set_name("main")
    name, functions, awaited_by = await aio.create_task(branch(), name="job")
    return name, functions, [waiter for waiter, _, _ in awaited_by]


@parity(since=(3, 14), returns=("leaf", "branch"))
async def test_depth(aio):
    """depth= leaves out that many frames from the top of the stack of the current task."""

    async def leaf():
        return shape(aio.capture_call_graph(depth=1))[1][0], shape(aio.capture_call_graph(depth=2))[1][0]

    async def branch():
        return await leaf()

    return await aio.create_task(branch())


@parity(since=(3, 14), returns=("child", ["wait", "child"], [("parent", ["parent"], [])]))
async def test_awaited_by(aio):
    """awaited_by names the tasks that await the future, with their stacks."""
    go_on = aio.Event()

    async def child():
        await go_on.wait()

    async def parent():
        await aio.create_task(child(), name="child")

    outer = aio.create_task(parent(), name="parent")
    await aio.sleep(1)
    (inner,) = (task for task in aio.all_tasks() if task.get_name() == "child")
    graph = aio.capture_call_graph(inner)
    go_on.set()
    await outer
    return shape(graph)


@parity(since=(3, 14), returns=("child", ["a", "b"]))
async def test_a_task_awaited_by_two(aio):
    """A task that two others wait for has both in awaited_by."""
    go_on = aio.get_running_loop().create_future()

    async def child():
        await go_on

    async def waiting(task):
        await task

    task = aio.create_task(child(), name="child")
    waiters = [aio.create_task(waiting(task), name=name) for name in "ab"]
    await aio.sleep(1)
    name, _, awaited_by = shape(aio.capture_call_graph(task))
    go_on.set_result(None)
    await aio.wait(waiters)
    return name, [waiter for waiter, _, _ in awaited_by]


@parity(since=(3, 14), returns=[[("gathering", ["gathering"])], [("grouping", ["grouping"])]])
async def test_through_gather_and_task_group(aio):
    """A child of gather() or of a TaskGroup is awaited by the task that waits there."""
    go_on = aio.Event()

    async def child():
        await go_on.wait()

    async def gathering():
        await aio.gather(aio.create_task(child(), name="gathered"))

    async def grouping():
        async with aio.TaskGroup() as group:
            group.create_task(child(), name="grouped")

    outer = [aio.create_task(gathering(), name="gathering"), aio.create_task(grouping(), name="grouping")]
    await aio.sleep(1)
    children = {task.get_name(): task for task in aio.all_tasks()}
    found = []
    for name in ("gathered", "grouped"):
        _, _, awaited_by = shape(aio.capture_call_graph(children[name]))
        found.append([(waiter, functions[-1:]) for waiter, functions, _ in awaited_by])
    go_on.set()
    await aio.wait(outer)
    return found


@parity(since=(3, 14), returns=(None, [], [("waiter", ["waiting"], [])]))
async def test_a_future(aio):
    """A plain Future has an empty call stack, and those who await it."""
    future = aio.get_running_loop().create_future()

    async def waiting():
        await future

    task = aio.create_task(waiting(), name="waiter")
    await aio.sleep(0)
    graph = aio.capture_call_graph(future)
    future.set_result(None)
    await task
    return shape(graph)


@parity(since=(3, 14), returns=[["second"], ["first"], []])
async def test_limit(aio):
    """A positive limit keeps the frames closest to the suspension, a negative one the outermost, 0 none."""
    future = aio.get_running_loop().create_future()

    async def first():
        await second()

    async def second():
        await future

    task = aio.create_task(first(), name="job")
    await aio.sleep(0)
    stacks = [shape(aio.capture_call_graph(task, limit=limit))[1] for limit in (-1, 1, 0)]
    future.set_result(None)
    await task
    return stacks


@parity(
    since=(3, 14),
    returns=[
        "* Task(name='child', id=…)",
        "  + Call stack:",
        "  |   File …, in async test_format.<locals>.child()",
        "  + Awaited by:",
        "    * Task(name='parent', id=…)",
        "      + Call stack:",
        "      |   File …, in async test_format.<locals>.parent()",
    ],
)
async def test_format(aio):
    """format_call_graph() renders the graph as an indented text."""
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    async def parent(task):
        await task

    task = aio.create_task(child(), name="child")
    outer = aio.create_task(parent(task), name="parent")
    await aio.sleep(0)
    text = aio.format_call_graph(task)
    future.set_result(None)
    await outer
    return lines(text)


@parity(since=(3, 14), returns=["* Future(id=…)"])
async def test_format_a_future(aio):
    """A future that nobody awaits is one line."""
    return lines(aio.format_call_graph(aio.get_running_loop().create_future()))


@parity(
    since=(3, 14),
    returns=[
        "* Task(name='job', id=…)",
        "  + Call stack:",
        "  |   File …, in async test_print.<locals>.child()",
    ],
)
async def test_print(aio):
    """print_call_graph() prints the text into a file."""
    file = io.StringIO()
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    task = aio.create_task(child(), name="job")
    await aio.sleep(0)
    aio.print_call_graph(task, file=file)
    future.set_result(None)
    await task
    return lines(file.getvalue())


@parity(since=(3, 14), returns=[None, ""])
async def test_no_task_at_all(aio):
    """In a callback there is no task: the graph is None, its text empty."""
    seen = []

    def callback():
        seen.extend([aio.capture_call_graph(), aio.format_call_graph()])

    aio.get_running_loop().call_soon(callback)
    await aio.sleep(0)
    return seen


@parity(
    since=(3, 14),
    raises=RuntimeError(
        "capture_call_graph() is called outside of a running event loop and no *future* to introspect was provided"
    ),
)
def test_outside_a_loop(aio):
    """Without a running loop a future has to be given."""
    aio.capture_call_graph()


@parity(since=(3, 14), raises=TypeError("3 object does not appear to be compatible with asyncio.Future"))
async def test_something_else(aio):
    """Something that is no future is refused."""
    aio.capture_call_graph(3)


@parity(since=(3, 14), returns=["awaited by main", []])
async def test_the_edge_goes_when_the_wait_is_over(aio):
    """After the await is over, the waiter is no longer in awaited_by."""
    future = aio.get_running_loop().create_future()

    async def child():
        await future

    async def main(task):
        await task

    task = aio.create_task(child())
    outer = aio.create_task(main(task), name="main")
    await aio.sleep(0)
    ((name, _, _),) = shape(aio.capture_call_graph(task))[2]
    future.set_result(None)
    await outer
    return [f"awaited by {name}", shape(aio.capture_call_graph(task))[2]]


@parity(since=(3, 14), returns=["FutureCallGraph", "FrameCallGraphEntry", "tuple", "tuple"])
async def test_the_types(aio):
    """The graph is made of FutureCallGraph and FrameCallGraphEntry objects, in tuples."""
    graph = aio.capture_call_graph()
    assert isinstance(graph, aio.FutureCallGraph)
    assert isinstance(graph.call_stack[0], aio.FrameCallGraphEntry)
    return [
        type(graph).__name__,
        type(graph.call_stack[0]).__name__,
        type(graph.call_stack).__name__,
        type(graph.awaited_by).__name__,
    ]
