"""Grading of `fetch_all` and `fetch_all_async`: many addresses of a server of the grader's own.

Each request stands at a gate, so that the server counts how many are open at once.
"""

from __future__ import annotations

import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Assignment, Awaiting, Concern, Run, Step
from pytest_mpgrade.steps import WebPage
from pytest_mpgrade.student import Student

pytestmark = [pytest.mark.rehearsed, pytest.mark.start_methods("any")]

THREADS, ASYNC = "fetch_all", "fetch_all_async"
LIMITS = {THREADS: "max_workers", ASYNC: "limit"}
BOTH = pytest.mark.parametrize("function", LIMITS)
N = 3
"""Requests at once: fewer than the threads of an event loop's own executor, on one core too."""
DEFAULT = 8
ESCAPED = [WebPage(path="/%7Eroot", body="tilde")]
"""RFC 3986 has the same address as /~root."""
FEW = [WebPage(path=f"/few/{i}", body=f"page number {i}") for i in range(3)]
MANY = [WebPage(path=f"/many/{i}", body=f"one of many: {i}") for i in range(4 * N + 2)]
"""So many that a pool of N would give each of its workers chunks of two, unless told otherwise."""
LATE = [WebPage(path=f"/late/{i}", kind="late", body=f"a late body: {i}") for i in range(2 * N)]
"""Their heads come at once, and their bodies when the gates open."""
MOST = [WebPage(path=f"/most/{i}", body=str(i)) for i in range(DEFAULT + 4)]
TARGET = WebPage(path="/target", body="the target")
KINDS = {
    "404": (WebPage(path="/lost", status=404, body="nothing here"), 404, "nothing here"),
    "500": (WebPage(path="/broken", status=500, body="out of order"), 500, "out of order"),
    "an empty body": (WebPage(path="/empty", status=200), 200, ""),
    "a slow body": (WebPage(path="/slow", kind="slow", body="drip " * 800), 200, "drip " * 800),
    "a redirect": (
        WebPage(path="/moved", kind="redirect", status=302, body="/target"),
        200,
        "the target",
    ),
}
BUSY = [
    WebPage(path="/busy", status=503, body="come back later"),
    WebPage(path="/enough", status=429, body="too many requests"),
]
"""Answers after which some clients ask again."""
FAILING = {
    "a refused connection": WebPage(path="/refused", kind="refused"),
    "a connection that is reset": WebPage(path="/reset", kind="reset"),
}


def _rows(pages: list[WebPage]) -> list[tuple[str, int | None, str]]:
    return [(page.path, page.status, page.body) for page in pages]


def _fetch(function: str, pages: list[WebPage], **options: object) -> Step:
    awaited: Awaiting = "once" if function == ASYNC else ""
    return steps.fetch(function, *pages, awaited=awaited, **options)  # type: ignore[arg-type]  # - options go to several parameters


def _limited(function: str, pages: list[WebPage] = MANY) -> Step:
    script = steps.HeldTasks(n=N, total=len(pages))
    return _fetch(function, pages, gates=script, look=function == ASYNC, **{LIMITS[function]: N})


def _by_default(function: str) -> Step:
    return _fetch(function, MOST, gates=steps.HeldTasks(n=DEFAULT, total=len(MOST)))


def _of_kind(function: str, kind: str) -> Step:
    return _fetch(function, [KINDS[kind][0], *_beside(kind)])


def _beside(kind: str) -> list[WebPage]:
    return [*BUSY, TARGET] if kind == "500" else [TARGET]


def _failing(function: str, kind: str) -> Step:
    return _fetch(function, [FEW[0], FAILING[kind], *FEW[1:]])


NEVER = steps.fetch(ASYNC, FEW[0], awaited="never", gates=steps.SHUT)


@pytest.fixture(autouse=True)
def plain(student: Student, request: pytest.FixtureRequest) -> Run:
    """Get a few addresses by the function that is asked about."""
    asked = getattr(request.node, "callspec", None)
    function = asked.params.get("function", THREADS) if asked else THREADS
    return student.rely_on(_fetch(function, FEW))[0]


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error, child process or event loop, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("interface")
def test_coroutine_that_is_never_awaited(student: Student) -> None:
    """fetch_all_async is a coroutine function: nothing begins before it is awaited."""
    student.check(student.play(NEVER)[0], checks.is_coroutine_function(ASYNC))


@pytest.mark.criterion("returns")
@BOTH
def test_few_addresses(student: Student, function: str, plain: Run) -> None:
    """Status and body of a few addresses come back."""
    student.check(plain, checks.gives_rows(_rows(FEW)))


@pytest.mark.criterion("results", weight=4)
@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_answers(student: Student, function: str, kind: str) -> None:
    """Any answer gives its status and body: 404 and 500 too, and a redirect those of its target."""
    page, status, body = KINDS[kind]
    rows = [(page.path, status, body), *_rows(_beside(kind))]
    student.check(student.play(_of_kind(function, kind))[0], checks.gives_rows(rows))


@pytest.mark.criterion("results")
@BOTH
def test_later_call(student: Student, function: str) -> None:
    """A later call in the same process gets its addresses as well, more than the limit too."""
    step = _fetch(function, MOST)
    for run in student.play(step, step):
        student.check(run, checks.gives_rows(_rows(MOST)))


@pytest.mark.criterion("ordering")
@BOTH
def test_order(student: Student, function: str) -> None:
    """Rows come in the order of the addresses, whichever is answered first."""
    run = student.play(_limited(function))[0]
    student.check(run, checks.rows_in_order(_rows(MANY)))


@pytest.mark.criterion("concurrency")
@BOTH
def test_never_too_many(student: Student, function: str) -> None:
    """Never more requests are open at once than asked, nor more than 8 where nothing is asked; one
    is open until its body has come.
    """
    student.check(student.play(_limited(function))[0], checks.opens_at_most())
    student.check(student.play(_limited(function, LATE))[0], checks.opens_at_most())
    student.check(student.play(_by_default(function))[0], checks.opens_at_most())


@pytest.mark.criterion("concurrency")
@BOTH
def test_never_too_few(student: Student, function: str) -> None:
    """As many requests are open at once as asked, and an answer makes room for the next."""
    student.check(student.play(_limited(function))[0], checks.fills_all_places())


@pytest.mark.criterion("nonblocking")
def test_event_loop_goes_on(student: Student) -> None:
    """While fetch_all_async waits for answers, or for their bodies, other coroutines run, too."""
    student.check(student.play(_limited(ASYNC))[0], checks.keeps_loop_free())
    student.check(student.play(_limited(ASYNC, LATE))[0], checks.keeps_loop_free())


@pytest.mark.criterion("failure")
@BOTH
@pytest.mark.parametrize("kind", FAILING)
def test_address_without_an_answer(student: Student, function: str, kind: str) -> None:
    """Without an answer the row says None and a message, and all other rows are there."""
    rows = [*_rows(FEW[:1]), (FAILING[kind].path, None, ""), *_rows(FEW[1:])]
    run = student.play(_failing(function, kind))[0]
    student.check(run, checks.gives_rows(rows, Concern.FAILURE))


@pytest.mark.criterion("shutdown")
@BOTH
def test_nothing_is_left(student: Student, function: str) -> None:
    """No thread, process or connection is left of a call."""
    student.check(student.play(_limited(function))[0], checks.leaves_nothing())


@pytest.mark.criterion("edge")
@BOTH
def test_address_is_the_one_that_was_asked_for(student: Student, function: str) -> None:
    """A row has the address as it was given, also where a library writes it in another way."""
    student.check(
        student.play(_fetch(function, ESCAPED))[0],
        checks.gives_rows(_rows(ESCAPED), Concern.EDGE),
    )


@pytest.mark.criterion("edge", weight=2)
@BOTH
@pytest.mark.parametrize("count", [0, 1, 2], ids=["none", "one", "the same twice"])
def test_number_of_addresses(student: Student, function: str, count: int) -> None:
    """No address gives no row, one gives one, and the same address twice gives two."""
    pages = FEW[:1] * count
    student.check(
        student.play(_fetch(function, pages))[0], checks.gives_rows(_rows(pages), Concern.EDGE)
    )
