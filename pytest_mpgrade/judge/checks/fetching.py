"""Checks of functions that get many addresses: the rows that come back, and how many are open."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.inside.placeholders import NOBODY
from pytest_mpgrade.judge.attribution import not_returned, somewhere_else
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, inconclusive, undecided
from pytest_mpgrade.judge.checks.awaiting import held_up
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, GateReport, Run

Row = tuple[str, int | None, str]
"""The path of an address, the status of its answer (None: there is none), and its body."""
_WRONG = "values"
"""The symptom of rows that are wrong."""
_OWNERS = frozenset((Concern.EDGE, Concern.FAILURE))
"""Concerns whose runs provoke one thing: everything that goes wrong in them is theirs."""


def _failure(run: Run, rows: Sequence[Row]) -> Verdict | None:
    """Return what is wrong with the rows, in whatever order they are; None where they are right."""
    got = run.value
    if not isinstance(got, list):
        said = f"{run.call} returned {plain_data.shown(run.encoded)}, not a list"
        return failed(said, symptom=_WRONG)
    if len(got) != len(rows):
        said = f"{run.call} returned {len(got)} rows for {len(rows)} addresses"
        return failed(said, symptom=_WRONG)
    left = list(got)
    for row in rows:
        fit = next((each for each in left if _fits(run, each, row)), None)
        if fit is None:
            return failed(_missing(run, got, row), symptom=_WRONG)
        left.remove(fit)
    return None


def _missing(run: Run, got: list[object], row: Row) -> str:
    path, status, body = row
    given = f"answered by {status} and {body[:40]!r}"
    asked = given if status is not None else "not answered, and has a row with None and a message"
    found = next((each for each in got if _is_of(run, each, path)), None)
    if not isinstance(found, (tuple, list)):
        return f"{run.call} returned no row (url, status, body) for {path}, which was {asked}"
    told = "no status" if found[1] is None else f"the status {found[1]!r:.40}"
    return f"{run.call} returned {told} and {repr(found[2])[:60]} for {path}, which was {asked}"


def _is_of(run: Run, got: object, path: str) -> bool:
    addresses = (f"{run.trace.web}{path}", f"{NOBODY}{path}")
    return isinstance(got, (tuple, list)) and len(got) == 3 and got[0] in addresses


def _fits(run: Run, got: object, row: Row) -> bool:
    path, status, body = row
    if not _is_of(run, got, path) or not isinstance(got, (tuple, list)):
        return False
    if status is None:
        return got[1] is None and isinstance(got[2], str)
    same = got[2].decode("utf-8", "replace") if isinstance(got[2], bytes) else got[2]
    return type(got[1]) is int and got[1] == status and isinstance(same, str) and same == body


@check(title="returns (url, status, body) of every address", hint="{hint}")
def gives_rows(
    run: Run,
    rows: Sequence[Row],
    concern: Concern = Concern.RESULTS,
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """One row for each address, in any order: ``(url, status, body)``, the body as bytes or text,
    and ``(url, None, message)`` for one that gave no answer; *hint*: for other rows.

    The check needs a run of `steps.fetch`. It fails when the call returned no list, when a row is
    missing or another one, and when the call raised. It blames `is_coroutine_function` when what
    the function returned cannot be awaited. A call that did not come back is left to the check that
    it belongs to; with the concern `edge` or `failure` it fails here.
    """
    wrong = not_returned(run, concern, owns_all=concern in _OWNERS)
    return wrong or _failure(run, rows) or PASSED


@check(
    title="returns the rows in the order of the addresses",
    concern=Concern.ORDERING,
    hint="wait for all results, and take them in the order of the addresses: not as they complete",
)
def rows_in_order(run: Run, rows: Sequence[Row]) -> Verdict:
    """The rows come back in the order of the addresses.

    The check needs a run of `steps.fetch` in which requests are answered in another order. It fails
    when all rows are there, in another order. It blames `gives_rows` when the rows are wrong. A
    call that did not come back is left to the check that it belongs to.
    """
    wrong = not_returned(run, Concern.ORDERING)
    if wrong is not None:
        return wrong
    values = _failure(run, rows)
    if values is not None:
        return undecided("the rows are wrong", "gives_rows", values)
    got = list(run.value)
    place = next((i for i, row in enumerate(rows) if not _fits(run, got[i], row)), None)
    if place is None:
        return PASSED
    return failed(
        f"row {place} that {run.call} returned is not that of address {place} ({rows[place][0]})",
        symptom="order of results",
    )


@check(
    title="never more requests are open at once than asked",
    concern=Concern.CONCURRENCY,
    hint="let no more threads, or coroutines inside a Semaphore, be there than asked",
)
def opens_at_most(run: Run) -> Verdict:
    """At no time more requests are open than the limit that the call was given.

    The check needs a run of `steps.fetch` with the gate script `steps.HeldTasks`, whose *n* is the
    limit, with more addresses than that. It fails when more requests stood at their gates at once.
    It is absent when no request came.

    It blames `is_coroutine_function` when what the function returned cannot be awaited. A call of
    which no request came, and that did not come back, is left to the check that it belongs to.
    """
    gates = run.trace.gates
    if gates is None or not gates.most_inside:
        return somewhere_else(run) or _nothing_came(run)
    if gates.most_inside > gates.wanted:
        return failed(
            f"{gates.most_inside} requests of {run.call} were open at once; {gates.wanted} may be",
            symptom="too many requests",
        )
    return PASSED


def _nothing_came(run: Run) -> Verdict:
    words = f"no request of {run.call} reached the server (see gives_rows)"
    return not_returned(run, Concern.CONCURRENCY) or absent(words)


@check(
    title="as many requests are open at once as asked, as long as addresses wait",
    concern=Concern.CONCURRENCY,
    hint="let every address wait for a free place by itself: one for one, and not wave for wave",
)
def fills_all_places(run: Run) -> Verdict:
    """As many requests are open as the limit allows, and each that is answered makes room for the
    next.

    The check needs a run of `steps.fetch` with the gate script `steps.HeldTasks`, whose *n* is the
    limit and whose *total* is the number of addresses. It fails when fewer requests stood at their
    gates at once, and when none came in place of one that had been answered, although addresses
    were waiting. It is absent when no request came. It is inconclusive when the grader's own
    processes could not meet at their gates either.

    It blames `keeps_loop_free` when the event loop was blocked, and `is_coroutine_function` when
    what the function returned cannot be awaited. A call of which no request came, and that did not
    come back, is left to the check that it belongs to.
    """
    gates = run.trace.gates
    if gates is None or not gates.most_inside:
        return somewhere_else(run) or _nothing_came(run)
    blocked = held_up(run)
    if blocked is not None:
        return blocked
    wrong = _unfilled(gates)
    if not wrong:
        return PASSED
    if run.control is False:
        return inconclusive(f"{wrong}, but this machine was too busy for the grader's own, too")
    return failed(f"{wrong} in {run.call}", symptom="no overlap")


def _unfilled(gates: GateReport) -> str:
    """Say which place was left empty; "" where none was."""
    if not gates.met:
        return f"only {gates.most_inside} of {gates.wanted} requests were open at once"
    if any(step.arrived is None for step in gates.steps):
        return "a request had been answered, and no waiting one took its place"
    return ""
