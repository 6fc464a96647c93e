"""What tasks and callbacks of a random program do without waiting: see `words.deed`."""

import sys
from pathlib import Path

from tests.fuzz.words import deed
from tests.fuzz.world import Call, new_error, variable

HERE = str(Path(__file__).parent)

# -- tasks


@deed(8, "body")
def spawn(world, strand, body):
    world.spawn(body, world.aio.create_task if world.aio.current_task() else world.loop.create_task)


@deed(2, "body", since=(3, 12))
def spawn_eagerly(world, strand, body):
    world.spawn(body, lambda coro: world.aio.eager_task_factory(world.loop, coro))


@deed(1, "body", "flag", since=(3, 14))
def spawn_with_eager_start(world, strand, body, eagerly):
    world.spawn(body, world.loop.create_task, eager_start=eagerly)


@deed(1, "body")
def ensure_future(world, strand, body):
    world.spawn(body, lambda coro: world.aio.ensure_future(coro, loop=world.loop))


@deed(9, "index", "message")
def cancel_task(world, strand, index, message):
    return world.task(index).cancel(message)


@deed(3, "message")
def cancel_itself(world, strand, message):
    return strand.task.cancel(message)


@deed(4, "index", since=(3, 11))
def uncancel(world, strand, index):
    return world.task(index).uncancel()


@deed(3, "index")
def look_at_task(world, strand, index):
    task = world.task(index)
    counted = task.cancelling() if sys.version_info >= (3, 11) else None
    coro = None if task.done() else task.get_coro()  # 3.12.1 crashes where a task has completed eagerly
    return task.done(), task.cancelled(), counted, task.get_name(), repr(task), repr(coro)


@deed(2, "index")
def ask_for_result(world, strand, index):
    return world.task(index).result()


@deed(2, "index")
def ask_for_exception(world, strand, index):
    return world.task(index).exception()


@deed(1, "index")
def ask_for_stack(world, strand, index):
    task = world.task(index)
    codes = [frame.f_code for frame in task.get_stack()]
    # The stack of a task that is running, or has started one eagerly, begins with what turns the loop.
    whole = task.done() or not task.get_coro().cr_running
    return [code.co_name for code in codes if code.co_filename.startswith(HERE)] if whole else codes[-1].co_name


@deed(1, "index")
def set_task_result(world, strand, index):
    world.task(index).set_result(1)


@deed(2)
def look_around(world, strand):
    current = world.aio.current_task(world.loop)
    return sorted(task.get_name() for task in world.aio.all_tasks(world.loop)), current and current.get_name()


@deed(3, "index", "deeds")
def watch_task(world, strand, index, deeds):
    world.task(index).add_done_callback(Call(world, strand, deeds))


# -- futures


@deed(3)
def new_future(world, strand):
    world.add_future(world.loop.create_future())


@deed(5, "index")
def resolve(world, strand, index):
    if (future := world.future(index)) is not None:
        future.set_result(strand.number)


@deed(3, "index", "error")
def fail_future(world, strand, index, error):
    if (future := world.future(index)) is not None:
        future.set_exception(new_error(error, strand.number))


@deed(4, "index", "message")
def cancel_future(world, strand, index, message):
    if (future := world.future(index)) is not None:
        return future.cancel(message)
    return None


@deed(2, "index")
def look_at_future(world, strand, index):
    return repr(world.future(index))


@deed(3, "index", "deeds")
def watch_future(world, strand, index, deeds):
    if (future := world.future(index)) is not None:
        call = Call(world, strand, deeds)
        future.add_done_callback(call)
        world.handles.append(lambda: future.remove_done_callback(call))


# -- the loop


@deed(5, "deeds")
def call_soon(world, strand, deeds):
    world.handles.append(world.loop.call_soon(Call(world, strand, deeds), 1).cancel)


@deed(1, "deeds")
def call_soon_threadsafe(world, strand, deeds):
    world.handles.append(world.loop.call_soon_threadsafe(Call(world, strand, deeds)).cancel)


@deed(6, "delay", "deeds")
def call_later(world, strand, delay, deeds):
    world.handles.append(world.loop.call_later(delay, Call(world, strand, deeds), "later").cancel)


@deed(2, "delay", "deeds")
def call_at(world, strand, delay, deeds):
    world.handles.append(world.loop.call_at(world.loop.time() + delay, Call(world, strand, deeds)).cancel)


@deed(3, "index")
def cancel_handle(world, strand, index):
    return world.handles[index % len(world.handles)]() if world.handles else None


@deed(1)
def report(world, strand):
    world.loop.call_exception_handler({"message": "reported", "exception": ValueError(strand.number)})


@deed(1, "flag")
def set_debug(world, strand, debug):
    world.loop.set_debug(debug)


@deed(3, "error", guarded=False)
def raise_(world, strand, error):
    raise new_error(error, strand.number)


@deed(1, "flag", guarded=False)
def exit_(world, strand, interrupt):
    """End the loop: from a callback or a main coroutine, since whoever awaits a task that does so ends the loop again.

    The tasks are told before, in an order of ours. That in which `run` does it is left to a set, so that there it is
    done by the last task. And it is done while the main coroutine runs: asyncio's loop, turned again after an exit in
    the turn in which that had ended, stops for it.
    """
    from_outside = world.aio.current_task(world.loop) is None or strand.is_main
    if from_outside and world.main.has_begun_and_not_ended() and (world.stays_open or len(world.left()) == 1):
        world.ending = world.trace.exited = True
        for task, _ in world.tasks:
            task.cancel("exit")
        raise KeyboardInterrupt if interrupt else SystemExit(strand.number)


@deed(1)
def set_variable(world, strand):
    variable.set("changed")


# -- what tasks share


@deed(4)
def set_event(world, strand):
    world.event.set()


@deed(2)
def clear_event(world, strand):
    world.event.clear()


@deed(2)
def release_lock(world, strand):
    world.lock.release()


@deed(1)
def release_semaphores(world, strand):
    world.semaphore.release()
    world.bounded.release()


@deed(2, "count")
def notify(world, strand, count):
    world.condition.notify(count)


@deed(3, "index")
def put_nowait(world, strand, index):
    strand.queued += 1
    world.queues[index % 4].put_nowait((strand.queued, strand.number))


@deed(2, "index")
def get_nowait(world, strand, index):
    return world.queues[index % 4].get_nowait()


@deed(2, "index")
def task_done(world, strand, index):
    world.queues[index % 4].task_done()


@deed(1, "index", "flag", since=(3, 13))
def shut_down_queue(world, strand, index, immediate):
    world.queues[index % 4].shutdown(immediate)


@deed(1)
def look_at_what_is_shared(world, strand):
    shared = [world.lock, world.event, world.condition, world.semaphore, world.bounded, world.barrier, *world.queues]
    return repr(shared)


# -- timeouts and groups


@deed(5, "index", "timeout", since=(3, 11))
def reschedule(world, strand, index, timeout):
    if world.timeouts:
        limit = world.timeouts[index % len(world.timeouts)]
        limit.reschedule(None if timeout is None else world.loop.time() + timeout)


@deed(1, "index", since=(3, 11))
def look_at_timeout(world, strand, index):
    if world.timeouts:
        limit = world.timeouts[index % len(world.timeouts)]
        return limit.when(), limit.expired(), repr(limit)
    return None


@deed(2, "index", "body", since=(3, 13))
def add_to_group(world, strand, index, body):
    if world.groups:
        world.spawn(body, world.groups[index % len(world.groups)].create_task)


@deed(2, "index", since=(3, 15))
def cancel_group(world, strand, index):
    if world.groups:
        world.groups[index % len(world.groups)].cancel()
