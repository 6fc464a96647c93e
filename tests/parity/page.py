"""The page "Coroutines and Tasks" of asyncio's documentation: its sections, the names in each, and the tests of each.

A statement of the page is the docstring of its test. `SECTIONS` puts them in the order of the page, an entry in a line:
"wait: timeout empty" are test_timeout and test_empty of test_page_wait.py, "wait" alone are those of its tests that no
other entry names. What the page had on older Pythons, and what has moved to a page of its own, is at the end.
"""

import textwrap
from typing import NamedTuple

from tests.support.matrix_rows import in_order


class Section(NamedTuple):
    """A section of the page: the public names that it tells of, and its tests."""

    title: str
    names: str
    tests: str


SECTIONS = (
    Section(
        "Coroutines",
        "run create_task TaskGroup",
        """
        examples: hello_world calling_a_coroutine_runs_nothing say_after_in_turn say_after_concurrently
            say_after_in_a_task_group
        coroutines: awaiting_a_coroutine_runs_it_at_once a_task_is_scheduled_to_run_soon
            a_coroutine_is_awaited_once
        """,
    ),
    Section(
        "Awaitables",
        "create_task gather",
        """
        examples: nested_coroutines nested_in_a_task awaiting_a_future_object
        coroutines: awaiting_a_future_waits_until_it_is_resolved any_object_with_await_is_awaitable
            yielding_something_else yielding_a_future_instead_of_awaiting_it a_task_cannot_await_itself
        """,
    ),
    Section(
        "Creating tasks",
        "create_task ensure_future",
        """
        create_task
        examples: background_tasks
        """,
    ),
    Section(
        "Task cancellation",
        "Task.cancel Task.uncancel CancelledError",
        """
        cancellation
        task_cancel: clean_up_can_await suppressed structured_code_uncancels an_exception_instead
            a_coroutine_that_raises_cancelled_error_itself uncancel_before_the_delivery
        """,
    ),
    Section(
        "Task groups",
        "TaskGroup TaskGroup.create_task TaskGroup.cancel",
        """
        task_group
        task_group_use
        task_group_cancel
        """,
    ),
    Section(
        "Sleeping",
        "sleep",
        """
        create_task: sleep sleep_zero_lets_others_run sleep_of_no_time sleepers_wake_by_deadline
            a_callback_chain_during_sleep sleep_has_no_loop_parameter sleep_for_no_number sleep_for_nan
        examples: display_date
        """,
    ),
    Section(
        "Running tasks concurrently",
        "gather",
        """
        examples: gather_factorials
        gather
        gather_cancel
        """,
    ),
    Section(
        "Eager task factory",
        "eager_task_factory create_eager_task_factory",
        """
        eager
        """,
    ),
    Section(
        "Shielding from cancellation",
        "shield",
        """
        shield
        more_examples: ignoring_cancellation_around_a_shield
        """,
    ),
    Section(
        "Timeouts",
        "timeout timeout_at Timeout.when Timeout.reschedule Timeout.expired wait_for",
        """
        timeout
        wait_for
        more_examples: wait_for_eternity
        """,
    ),
    Section(
        "Waiting primitives",
        "wait FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED as_completed",
        """
        wait
        wait_coroutines
        as_completed
        more_examples: as_completed_loop
        """,
    ),
    Section(
        "Running in threads",
        "to_thread",
        """
        threads: arguments_are_passed func_is_positional_only another_thread the_context_is_propagated
            an_exception_of_the_function it_is_a_coroutine the_loop_is_not_blocked
            cancelling_abandons_the_thread many_calls what_is_not_callable time_in_the_thread
            run_in_executor run_in_a_given_executor run_in_executor_has_no_context
        more_examples: to_thread_beside_sleep
        """,
    ),
    Section(
        "Scheduling from other threads",
        "run_coroutine_threadsafe",
        """
        threads
        more_examples: run_coroutine_threadsafe result_exception_and_timeout_in_the_thread
        """,
    ),
    Section(
        "Introspection",
        "current_task all_tasks iscoroutine",
        """
        introspection
        coroutines: iscoroutine
        """,
    ),
    Section(
        "Task object",
        """Task Task.done Task.result Task.exception Task.add_done_callback Task.remove_done_callback
           Task.get_stack Task.print_stack Task.get_coro Task.get_context Task.get_name Task.set_name
           Task.cancel Task.cancelled Task.uncancel Task.cancelling""",
        """
        task_object
        task_stack
        task_cancel
        more_examples: cancel_me
        """,
    ),
    Section(
        "Running an asyncio program (a page of its own since Python 3.11)",
        "run Runner Runner.run Runner.close Runner.get_loop",
        """
        examples: run_as_entry_point
        run
        runner
        """,
    ),
    Section(
        "Generator-based coroutines (on the page of Python 3.10)",
        "coroutine iscoroutinefunction",
        """
        coroutines
        more_examples
        """,
    ),
    Section(
        "Call graphs (a page of its own since Python 3.14)",
        "capture_call_graph format_call_graph print_call_graph FutureCallGraph FrameCallGraphEntry",
        """
        call_graph
        """,
    ),
)


def named():
    """Return the tests that entries name one by one."""
    return {name for section in SECTIONS for entry in _entries(section) for name in _names(entry)}


def behind(section):
    """Return the full names of a section's tests, in order."""
    apart = named()
    found = []
    for entry in _entries(section):
        found += _names(entry) or [name for name in in_order(_file(entry)) if name not in apart]
    return found


def arranged(ran):
    """Return the title and the tests of each section, of those that have run."""
    rows = [(section.title, [name for name in behind(section) if name in ran]) for section in SECTIONS]
    return [row for row in rows if row[1]]


def _entries(section):
    entries = []
    for line in textwrap.dedent(section.tests).strip().splitlines():
        if line.startswith(" "):
            entries[-1] += line
        else:
            entries.append(line)
    return entries


def _names(entry):
    file, _, names = entry.partition(":")
    return [f"{_file(file)}::test_{name}" for name in names.split()]


def _file(stem):
    return f"tests/parity/test_page_{stem}.py"
