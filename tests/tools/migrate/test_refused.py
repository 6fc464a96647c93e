"""What the rules of waits, threads, locks, queues and the clock leave alone: each says why, and what to do."""

import pytest

from tests.tools.migrate import cases

UNKNOWN, ELSEWHERE = "it is handed to code that is not known", "what acquire() returns is used"
NO_NAME, OTHERS = "it is not kept in one variable or attribute", "the name is used for other things, too"
FUTURE, HEAD = "what it waits for is a task or a future", "its result is used in the head of a block"
NOT_PLAIN, NOT_AWAITED = "its arguments are not plain", "it is not awaited in place"
YIELD, OWNER = "it is held across a yield", "it may be released by another task than its owner"
MIXED = "a time is kept where other things are"
HANDED_ON, TIMES = "it is handed on", "it meets what is not seen to be a time of the loop's clock"

REASONS = {
    "clock/kept_call_at": [HANDED_ON],
    "clock/kept_escaping": [HANDED_ON, HANDED_ON, HANDED_ON, TIMES, "it is kept in a public attribute"],
    "clock/kept_in_functions": ["it may be asked for outside of a trio run"] * 2,
    "clock/kept_shared_with_others": [MIXED, HANDED_ON, MIXED, MIXED, "a time is added to another"],
    "condition/kept_computed_predicates": [
        "predicate of a wait_for() is computed",
        "predicate of a wait_for() has parameters",
    ],
    "condition/kept_other_code_on_the_line": [
        "other code stands on the line of a wait_for()",
        "goes over several lines",
    ],
    "condition/kept_other_task": ["what wait() returns is used, or it is awaited elsewhere"],
    "condition/kept_own_lock": ["it is made with arguments"],
    "condition/kept_result_used": ["what wait_for() returns is used"],
    "event/kept_cleared": ["it is cleared"],
    "event/kept_given_back": [HANDED_ON],
    "event/kept_parameters_from_outside": ["it comes from outside", UNKNOWN],
    "event/kept_passed_on": ["it is exported", UNKNOWN, HANDED_ON, NO_NAME, HANDED_ON],
    "event/kept_result_used": ["what wait() returns (True in asyncio, None in trio) is used or handed on"] * 2,
    "event/kept_two_kinds": [NO_NAME, OTHERS, "Event is named here, not made"],
    "lock/kept_across_a_yield": [YIELD, YIELD],
    "lock/kept_handed_over": [OWNER],
    "lock/kept_passed_on": ["Lock is named here, not made", UNKNOWN, NO_NAME, NO_NAME],
    "lock/kept_result_used": [ELSEWHERE, ELSEWHERE],
    "lock/kept_string_annotation": ["its class is named in an annotation that is a string"],
    "queue/kept_counted": ["join() and task_done() count what has been done with the items"],
    "queue/kept_errors": ["QueueEmpty is not handled where the call is"],
    "queue/kept_getter_tasks": ["a task that is cancelled could take an item with it"],
    "queue/kept_names_in_use": ["the name queue_send is in use", OTHERS],
    "queue/kept_other_kinds": ["LifoQueue has no counterpart in trio", "PriorityQueue has no counterpart in trio"],
    "queue/kept_passed_on": [HANDED_ON, UNKNOWN, NO_NAME],
    "queue/kept_public": ["it is a public attribute, and would get another name"],
    "semaphore/kept_arguments": [NOT_PLAIN, "its value would be computed twice"],
    "semaphore/kept_partial_elsewhere": [UNKNOWN, UNKNOWN],
    "semaphore/kept_passed_on": [UNKNOWN],
    "semaphore/kept_private_names": ["trio.Semaphore has no _value"],
    "threads/kept_bridges": ["call_soon_threadsafe needs the token", "run_coroutine_threadsafe has no counterpart"],
    "threads/kept_executors": [*["an executor of its own"] * 2, "run_in_executor without a plain function"],
    "threads/kept_futures": ["the future of run_in_executor is kept"] * 3,
    "timeout/kept_elsewhere": [
        "it is not entered by an async with of its own",
        "other things are entered by the same async with",
        NOT_PLAIN,
        "whether the deadline is one of the loop's clock is not known",
    ],
    "timeout/kept_scope_used_elsewhere": ["used in a way that a cancel scope has no word for"] * 3,
    "timeout/kept_yields": ["the block yields, which a cancel scope may not be open for"] * 2,
    "timeout_errors/kept_name_taken": ["the name TimeoutError means something else here"],
    "timeout_errors_last/kept_name_taken": ["the name TimeoutError means something else here"],
    "wait_for/kept_arguments": [
        "the arguments await something, which the timeout is not for",
        *[NOT_PLAIN] * 2,
        *["with a timeout of zero or less asyncio does not begin the call"] * 2,
        "the timeout may be None, and finding out would evaluate it twice",
        "the timeout would be computed before the arguments of the call",
    ],
    "wait_for/kept_futures": [FUTURE] * 6,
    "wait_for/kept_not_a_statement": [
        HEAD,
        "it may be evaluated more than once",
        HEAD,
        NOT_AWAITED,
        "the statement awaits or yields something else, too",
        "the statement calls something else first",
        NOT_AWAITED,
        "the statement awaits or yields something else, too",
    ],
}


@pytest.mark.parametrize("name", REASONS)
def test_what_stays_is_reported_with_the_reason_and_with_advice(name):
    """Each place of a fixture that stays as it is gives one finding of class C."""
    case = cases.Case(*name.split("/"))
    found = sorted(cases.rewrite(case.before.encode(), case.options).findings, key=lambda finding: finding.start)
    assert len(found) == len(REASONS[name])
    for finding, reason in zip(found, REASONS[name], strict=True):
        assert reason in finding.message
        assert (finding.safety, finding.fix) == ("C", None)
        assert finding.help
