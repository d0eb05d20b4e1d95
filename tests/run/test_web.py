"""The grader's own web server: which calls can reach it, and how many requests are open at once."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.records import Ending, GateReport, Run
from pytest_mpgrade.run.supervisor import web
from pytest_mpgrade.steps import WebPage
from support.running import MakeRuns

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="isolation and quiescence are Linux's"
)

PAGES = [WebPage(path=f"/page/{i}", body=f"body {i}") for i in range(6)]
ODD = [
    WebPage(path="/lost", status=404, body="lost"),
    WebPage(path="/slow", kind="slow", body="x" * 4000),
    WebPage(path="/moved", kind="redirect", status=302, body="/page/0"),
    WebPage(path="/reset", kind="reset"),
    WebPage(path="/refused", kind="refused"),
    WebPage(path="/page/0", body="body 0"),
]
SOURCE = """
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor


def get(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return url, answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return url, error.code, error.read().decode()
    except OSError as error:
        return url, None, type(error).__name__


def fetch_all(urls, max_workers=8):
    with ThreadPoolExecutor(max_workers) as pool:
        return list(pool.map(get, urls))


def in_waves(urls, max_workers=8):
    found = []
    for at in range(0, len(urls), max_workers):
        found += fetch_all(urls[at:at + max_workers], max_workers)
    return found
"""


LATE_BODY = """
import http.client


def fetch_all(urls, max_workers=8):
    host, _, path = urls[0].removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host)
    connection.request("GET", f"/{path}")
    answer = connection.getresponse()
    seen = [answer.status, answer.getheader("Content-Length")]
    body = answer.read().decode()
    connection.close()
    return [*seen, body]
"""


def fetched(
    play: MakeRuns, function: str = "fetch_all", workers: int = 3
) -> tuple[Run, GateReport]:
    """Fetch six pages, three at a time; return the run and how its gates were opened."""
    script = steps.HeldTasks(n=3, total=len(PAGES))
    step = steps.fetch(function, *PAGES, gates=script, max_workers=workers)
    run = play(SOURCE, step)[1]
    assert run.trace.gates is not None
    return run, run.trace.gates


def test_head_of_a_late_answer_comes_before_its_gate_opens(play: MakeRuns) -> None:
    """Whoever asks for it has its head while it is held, and waits for the body: nothing else can
    happen then.
    """
    page = WebPage(path="/late", kind="late", body="at last")
    run = play(LATE_BODY, steps.fetch("fetch_all", page, gates=steps.SHUT))[1]
    assert (run.ending, run.value) == (Ending.RETURNED, [200, "7", "at last"])
    assert run.trace.gates is not None
    assert run.trace.gates.blocked


@pytest.mark.parametrize("level", ["none", "uid", "bwrap", "landlock"])
def test_server_is_reached_in_every_layer(play: MakeRuns, level: str) -> None:
    """Answers of every kind arrive within each layer of isolation."""
    run = play(SOURCE, steps.fetch("fetch_all", *ODD), isolation=level)[1]
    assert run.ending is Ending.RETURNED, run
    assert [(status, body) for _, status, body in run.value] == [
        (404, "lost"),
        (200, "x" * 4000),
        (200, "body 0"),
        (None, "ConnectionResetError"),
        (None, "URLError"),
        (200, "body 0"),
    ]


def test_nothing_else_is_reached(play: MakeRuns) -> None:
    """Under Landlock, the server's port is the only one that a call can reach."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        source = f"""
import socket

def f(urls):
    socket.create_connection(("127.0.0.1", {port}))
"""
        run = play(source, steps.fetch("f", PAGES[0]), isolation="landlock")[1]
    assert run.error is not None
    assert run.error.type == "PermissionError"


def test_free_slot_takes_the_next_address(play: MakeRuns) -> None:
    """With three requests open at most, each that is answered makes room for exactly one more."""
    run, gates = fetched(play)
    assert (gates.met, gates.most_inside) == (True, 3)
    assert [bool(step.arrived) for step in gates.steps] == [True] * 3
    assert [row[1:] for row in run.value] == [(200, page.body) for page in PAGES]


def test_waves_leave_slots_empty(play: MakeRuns) -> None:
    """Where a wave waits for its last request, an answer makes no room: the tree is quiet."""
    _, gates = fetched(play, "in_waves")
    assert (gates.met, gates.most_inside) == (True, 3)
    assert [bool(step.arrived) for step in gates.steps] == [False]


@pytest.mark.parametrize(("workers", "open_at_once"), [(2, 2), (5, 5)])
def test_open_requests_are_counted(play: MakeRuns, workers: int, open_at_once: int) -> None:
    """Fewer requests than asked, and more, are counted as they stand at their gates."""
    _, gates = fetched(play, workers=workers)
    assert (gates.met, gates.most_inside) == (workers > 2, open_at_once)


def _until(seen: Callable[[], bool]) -> None:
    """Wait for what another thread of ours does."""
    while not seen():
        time.sleep(0.002)


@pytest.fixture
def late(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let a step of the server's threads wait for an event."""
    owner, name = request.param
    may_go_on = threading.Event()
    step = getattr(owner, name)

    def waits(*args: Any, **more: Any) -> Any:
        may_go_on.wait()
        return step(*args, **more)

    monkeypatch.setattr(owner, name, waits)
    return may_go_on


def _arrival(server: web.Web) -> int:
    """Wait for a request at its gate; return its number."""
    arrived: list[int] = []
    while not arrived:
        arrived += [each.sender for each in server.taken()]
        time.sleep(0.002)
    return arrived[0]


def _keeps_owing(server: web.Web) -> None:
    for _ in range(20):
        assert server.owes()
        time.sleep(0.005)


@pytest.mark.parametrize(
    "late", [(web._Handler, "_answer")], indirect=True, ids=["before it answers"]
)
def test_server_owes_an_answer(late: threading.Event) -> None:
    """A client that waits for a thread of ours does not wait for ever, however late that comes."""
    server = web.Web([WebPage(path="/a", body="a")], "", private=False)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        _until(lambda: not server.owes())  # it waits for the client
        client.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        assert server.owes()
        number = _arrival(server)
        assert not server.owes()  # the request stands at its gate
        server.release(number)
        _keeps_owing(server)
        late.set()
        assert client.makefile("rb").read().endswith(b"\r\n\r\na")
    assert [each.kind for each in server.taken()] == [""]  # the request is over
    _until(lambda: not server.owes())
    server.close()


@pytest.mark.parametrize(
    "late",
    [
        (web._Server, "verify_request"),
        (web._Server, "process_request"),
        (web._Handler, "handle_one_request"),
        (web._Handler, "parse_request"),
        (web._Handler, "do_GET"),
    ],
    indirect=True,
    ids=lambda at: at[1],
)
def test_server_owes_what_it_has_taken(late: threading.Event) -> None:
    """What is in no socket any more, and at no gate yet, is owed, wherever a thread of ours is."""
    server = web.Web([WebPage(path="/a", body="a")], "", private=False)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /a HTTP/1.0\r\n\r\n")
        _keeps_owing(server)
        late.set()
        number = _arrival(server)
        assert not server.owes()
        server.release(number)
        assert client.makefile("rb").read().endswith(b"\r\n\r\na")
    server.close()


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        (b"GE", b"T /a HTTP/1.0\r\n\r\n"),
        (b"GET /a HTTP/1.0\r\n", b"\r\n"),
        (b"GET /a HTTP/1.0\r\nA: b", b"\r\n\r\n"),
    ],
)
def test_rest_of_a_request_is_not_owed(begun: bytes, rest: bytes) -> None:
    """A client that has sent half a request and waits for its answer waits for itself."""
    server = web.Web([WebPage(path="/a", body="a")], "", private=False)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(begun)
        _until(lambda: not server.owes())
        for _ in range(20):
            assert not server.owes()
            time.sleep(0.005)
        client.sendall(rest)
        server.release(_arrival(server))
        assert client.makefile("rb").read().endswith(b"\r\n\r\na")
    server.close()
