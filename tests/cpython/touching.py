"""Tells whether a test has touched the implementation under test.

Most of CPython's tests of asyncio make their loops by hand or look at functions that need no loop. A test that passes
without the implementation under test having done anything proves nothing about it. So we note when a loop of the
implementation is given a callback, a timer or a descriptor, when it runs, and when one of its Tasks is made. What is
noted hangs on the attributes that all of these go through: a function around the methods would show in the tracebacks
that some tests look at.
"""

import collections


class Touches:
    """What has been touched since the last `clear`."""

    def __init__(self):
        self.seen = set()

    def clear(self):
        self.seen.clear()

    def note(self, what):
        self.seen.add(what)


class NotedQueue(collections.deque):
    """A queue of ready callbacks that notes when one is put in."""

    note = None

    def append(self, item):
        self.note("callback")
        super().append(item)

    def appendleft(self, item):
        self.note("callback")
        super().appendleft(item)


class NotedSlot:
    """An attribute that notes when it is set, around the slot that keeps it."""

    def __init__(self, slot, note, what):
        self.slot, self.note, self.what = slot, note, what

    def __get__(self, instance, owner=None):
        return self.slot.__get__(instance, owner)

    def __set__(self, instance, value):
        self.note(self.what)
        self.slot.__set__(instance, value)


class NotedAttribute:
    """An attribute of a class's instances that notes when it is set to something."""

    def __init__(self, name, default, note, what):
        self.key, self.default, self.note, self.what = name, default, note, what

    def __get__(self, instance, owner=None):
        return self.default if instance is None else vars(instance).get(self.key, self.default)

    def __set__(self, instance, value):
        if value is not None:
            self.note(self.what)
        vars(instance)[self.key] = value


def watch_trioasync(touches):
    """Note what trioasync's loops and Tasks are made to do."""
    import trioasync

    loop_class, task_class = trioasync.EventLoop, trioasync.Task
    queue_class = type("Queue", (NotedQueue,), {"note": staticmethod(touches.note)})

    def watch(loop):
        loop._ready = queue_class(loop._ready)
        order = loop._timer_order

        def noted_order():
            touches.note("timer")
            return order()

        loop._timer_order = noted_order

    do_not_note_making(loop_class, touches, watch)
    loop_class.pump = NotedAttribute("pump", loop_class.pump, touches.note, "run")
    task_class.cancelled_early = NotedSlot(task_class.cancelled_early, touches.note, "task")
    note_calls(loop_class, ["_add_reader", "_add_writer", "add_signal_handler"], touches)


def watch_trio_asyncio(touches):
    """Note what trio-asyncio's loops are made to do; Tasks of its own it has none."""
    from trio_asyncio._base import BaseTrioEventLoop
    from trio_asyncio._sync import SyncTrioEventLoop

    calls = ["_queue_handle", "_add_reader", "_add_writer", "run_forever", "run_until_complete", "add_signal_handler"]
    for loop_class in (BaseTrioEventLoop, SyncTrioEventLoop):
        note_calls(loop_class, [name for name in calls if name in vars(loop_class)], touches)
    do_not_note_making(SyncTrioEventLoop, touches)


def do_not_note_making(loop_class, touches, then=lambda loop: None):
    """Note nothing of what a loop does while it is made; that a test makes a loop is not enough."""
    begin = loop_class.__init__

    def begin_unnoted(self, *args, **options):
        seen = set(touches.seen)
        begin(self, *args, **options)
        touches.seen = seen
        then(self)

    loop_class.__init__ = begin_unnoted


def note_calls(owner, names, touches):
    """Note the calls of some methods, which must not be among those whose tracebacks are looked at."""
    for name in names:
        setattr(owner, name, noting(getattr(owner, name), touches))


def noting(method, touches):
    def noted(self, *args, **options):
        touches.note(method.__name__)
        return method(self, *args, **options)

    noted.__name__ = method.__name__
    return noted
