"""What crosses the pipes between the grader and a supervisor: it comes out as it went in, or is
refused.
"""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.errors import SupervisorError, SupervisorKilledError
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import (
    Drained,
    Ending,
    GateReport,
    HeldPoints,
    HeldTask,
    HeldTasks,
    KeptGates,
    Limits,
    OpenGates,
    Phase,
    Rendezvous,
    Script,
    ShutGates,
    TimedStart,
    WebPage,
)
from pytest_mpgrade.run.client import request, supervisor_pool
from pytest_mpgrade.run.observe import gate_socket
from pytest_mpgrade.run.protocol import (
    Account,
    CallsReport,
    CallsRequest,
    CellsReport,
    Guard,
    KilledReport,
    Part,
    Reported,
    Request,
    StepRequest,
    line_of,
    report_in,
    request_in,
)

SCRIPTS: tuple[Script, ...] = (
    OpenGates(exit_gates=True),
    ShutGates(),
    KeptGates(),
    HeldTasks(n=4, cancel=True),
    HeldTask(keys=("a", "b"), seconds=0.5),
    Rendezvous(n=3, keys=("a", "b"), seed=4713),
    TimedStart(n=2, delay=0.25),
    HeldPoints(last=False),
    Drained(n=2),
)
RETURNED = Account(ending=Ending.RETURNED)
REPORT = CallsReport(clean=True, stderr="", imported=RETURNED, calls=())


def asked(folder: str = "/run", gates: Script | None = None) -> CallsRequest:
    """Return a request for one call."""
    step = StepRequest(
        do="call",
        label="f(a task)",
        gates=gates or OpenGates(),
        again=steps.Again(seconds=1.0, stop_text="done"),
        same_holdings=False,
        n=0,
        seconds=0.0,
        patience=0.0,
        save="",
        drop=(),
        last=True,
        look=False,
        let=(),
        awaited="once",
    )
    return CallsRequest(
        run_folder=folder,
        isolation=Isolation(),
        shown=folder,
        start_method="fork",
        prefix="/mg1",
        observer="auto",
        limits=Limits(),
        environment={"HOME": folder},
        pages=(WebPage(path="/a", body="b"),),
        child_request="request",
        keys=("a",),
        steps=(step,),
    )


def changed(told: Request | Reported, **other: object) -> str:
    """Return its line with other content."""
    return json.dumps(json.loads(line_of(told)) | other)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: type(script).__name__)
def test_scripts_cross(script: Script) -> None:
    """Each gate script arrives as the script that was sent."""
    assert request_in(line_of(asked(gates=script))) == asked(gates=script)


def test_every_script_is_tried() -> None:
    """There is no other gate script than those above."""
    assert {type(script) for script in SCRIPTS} == set(get_args(Script))


@pytest.mark.parametrize(
    "told",
    [Guard(mark="/tmp/mpgrade-"), Part(), asked("/tmp/caf\udce9")],
    ids=["guard", "part", "not UTF-8"],
)
def test_requests_cross(told: Request) -> None:
    """A request arrives as it was sent, with names of files that are not UTF-8."""
    line = line_of(told)
    assert (line.count("\n"), line[-1]) == (1, "\n")
    assert request_in(line) == told


@pytest.mark.parametrize(
    "line",
    [
        changed(asked(), limitz={}),
        changed(asked(), keys=[7]),
        changed(asked(), steps=[{"do": "sing"}]),
        changed(asked(), observer=None),
        changed(asked(), type="Sonnet"),
        "{}",
        "[]",
        "null",
        "no JSON",
    ],
)
def test_what_is_no_request_is_refused(line: str) -> None:
    """Content that no request has, or of another type, is an error where it is read."""
    with pytest.raises(ValueError, match=r"\w"):
        request_in(line)


def test_typo_in_a_script() -> None:
    """What a script does not have is an error where it is written."""
    wrong: Any = Rendezvous
    with pytest.raises(TypeError, match="seeed"):
        wrong(n=3, keys=(), seeed=1)


def test_reports_cross() -> None:
    """A report arrives as it was sent."""
    gates = GateReport(script="shut", quiet="proof")
    account = Account(
        ending=Ending.TIMED_OUT, why="late", phase=Phase.IMPORT, still_reading=True, gates=gates
    )
    cells = CellsReport(
        stderr="", pid=7, told=True, kernel=RETURNED, cells=(account,), after=RETURNED
    )
    for report in (
        REPORT,
        cells,
        CallsReport(stderr="x", imported=account, calls=(account,)),
        KilledReport(signal=9),
    ):
        assert report_in(line_of(report).encode()) == report


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        (line_of(KilledReport(signal=9)), SupervisorKilledError, "killed by signal 9"),
        (
            line_of(CellsReport(stderr="", pid=1, told=False, kernel=RETURNED, cells=())),
            SupervisorError,
            "another kind",
        ),
        (changed(REPORT, clean="yes"), SupervisorError, "cannot be read"),
        (changed(REPORT, imported={"ending": "perfect"}), SupervisorError, "cannot be read"),
        (changed(REPORT, grade=10), SupervisorError, "cannot be read"),
        (changed(REPORT, clean=False), SupervisorError, "could not be ended"),
    ],
)
def test_report_that_is_no_good(
    monkeypatch: pytest.MonkeyPatch, line: str, error: type[Exception], words: str
) -> None:
    """Only a report of the kind that was asked for, of a run that was ended, is one."""
    monkeypatch.setattr(supervisor_pool, "ask_server", lambda *_: line.encode())
    with pytest.raises(error, match=words):
        request.ask_supervisor(asked(), 1.0, CallsReport)


@pytest.mark.parametrize(
    "data",
    [
        b'{"kind": ""}',
        b'{"kind": 7}',
        b'{"key": "1"}',
        b'{"kind": "gate", "key": 1}',
        b"[]",
        b"\xff",
        b"[" * 5000,
        b'{"kind": "back", "raised": 0}',
        b'{"kind": "back", "none": "no"}',
        b'{"kind": "note", "score": 1}',
    ],
)
def test_what_no_task_sends_is_no_message(data: bytes) -> None:
    """A message of another form than our own is known as such, with the sender that is attested."""
    message = gate_socket._parse(1, 4711, data)
    assert (message.pid, message.kind) == (4711, gate_socket.NO_MESSAGE)


def test_sender_that_is_not_attested() -> None:
    """Where nobody attests the sender of a message, it is the one that it names."""
    assert gate_socket._parse(1, None, b'{"kind": "note", "pid": 4712, "key": "a"}').pid == 4712
