"""Any function of a submission, with any arguments, is judged: by its value and its processes."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Concern, Finding, Outcome
from pytest_mpgrade.student import Student
from support.runs import METHODS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")

SUM = """
    import multiprocessing as mp
    import time

    def add(values, out):
        out.put(sum(values))

    def parallel_sum(values, n_processes=2):
        out = mp.SimpleQueue()
        parts = [values[i::n_processes] for i in range(n_processes)]
        workers = [mp.Process(target=add, args=(part, out)) for part in parts]
        for each in workers:
            each.start()
        total = sum(out.get() for _ in workers)
        END
        return total
"""
JOINED = SUM.replace("END", "[each.join() for each in workers]")
# A sentinel is ready a moment before its process is a zombie; this waits for that, and reaps none.
# Nor does start(), which reaps what has ended: no child ends before all are started.
UNJOINED = (
    SUM.replace("out.put(sum(values))", "out.put(sum(values)); go.get()")
    .replace("values, out)", "values, out, go)")
    .replace("(part, out)", "(part, out, go)")
    .replace("out = mp.SimpleQueue()", "out, go = mp.SimpleQueue(), mp.SimpleQueue()")
    .replace(
        "END",
        "[go.put(1) for _ in workers];"
        " [os.waitid(os.P_PID, each.pid, os.WEXITED | os.WNOWAIT) for each in workers]",
    )
)
TERMINATED = SUM.replace("out.put(sum(values))", "out.put(sum(values)); time.sleep(600)").replace(
    "END", "[each.terminate() or each.join() for each in workers]"
)
# Process.interrupt() is new in Python 3.14: it sends SIGINT.
INTERRUPTED = (
    TERMINATED.replace("each.terminate()", "os.kill(each.pid, 2)")
    .replace("import time", "import os, signal, time")
    .replace("out.put(", "signal.signal(2, lambda *_: os._exit(1)); out.put(")
)
LEFT = SUM.replace("out.put(sum(values))", "out.put(sum(values)); time.sleep(600)").replace(
    "END", ""
)
SERIAL = "def parallel_sum(values, n_processes=2):\n    return sum(values)\n"

Judged = Callable[..., list[Finding]]


@pytest.fixture
def judged(student: Callable[..., Student]) -> Judged:
    """Return a function that calls `parallel_sum` and gives the findings of all that can judge."""

    def judge(text: str, method: str = "fork") -> list[Finding]:
        held = student(text, method)
        run = held.call("parallel_sum", [1, 2, 3, 4, 5], n_processes=2)
        assert run.value == 15, run
        return held.check(run, checks.started(2), checks.ended_by_sentinel(), checks.no_leftovers())

    return judge


@METHODS
def test_right_function_passes(judged: Judged, method: str) -> None:
    """A call without tasks of ours is judged by its processes, and passes under every start
    method.
    """
    found = [each.outcome for each in judged(JOINED, method)]
    zombies = Outcome.SKIPPED if method == "forkserver" else Outcome.PASSED
    assert found == [Outcome.PASSED, Outcome.PASSED, zombies]


@pytest.mark.parametrize(
    ("text", "outcomes", "concern", "message"),
    [
        pytest.param(
            UNJOINED.replace("import time", "import os"),
            ("passed", "passed", "failed"),
            Concern.CLEANUP,
            "parallel_sum returned without joining its 2 child processes, which are zombies",
            id="zombies",
        ),
        pytest.param(
            TERMINATED,
            ("passed", "failed", "passed"),
            Concern.SENTINEL,
            "2 of 2 child processes did not end by themselves: killed by SIGTERM",
            id="terminated",
        ),
        pytest.param(
            INTERRUPTED,
            ("passed", "failed", "passed"),
            Concern.SENTINEL,
            "2 of 2 child processes did not end by themselves: exit status 1",
            id="interrupted",
        ),
        pytest.param(
            LEFT,
            ("passed", "failed", "skipped"),
            Concern.SENTINEL,
            "2 of 2 child processes were still running 2 s after parallel_sum had returned",
            id="left alive",
        ),
        pytest.param(
            SERIAL,
            ("failed", "absent", "absent"),
            Concern.WORKERS,
            "parallel_sum([1, 2, 3, 4, 5], n_processes=2) started no child process; 2 were asked"
            " for",
            id="serial",
        ),
    ],
)
def test_fault_is_seen_without_tasks(
    judged: Judged, text: str, outcomes: tuple[str, ...], concern: Concern, message: str
) -> None:
    """What one fault leaves is laid to its concern, in words about child processes."""
    found = judged(text)
    assert tuple(str(each.outcome) for each in found) == outcomes, found
    (wrong,) = [each for each in found if each.outcome is Outcome.FAILED]
    assert (wrong.concern, wrong.message) == (concern, message)
    assert "STOP" not in wrong.hint


def test_processes_of_an_earlier_call_do_not_count(student: Callable[..., Student]) -> None:
    """Of two calls in one process, each is asked about the processes that it started itself."""
    held = student(LEFT)
    runs = held.play(*[steps.call("parallel_sum", [n, 1, 2], n_processes=n) for n in (2, 3)])
    for n, run in zip((2, 3), runs, strict=True):
        (found,) = held.check(run, checks.started(n))
        assert found.outcome is Outcome.PASSED, found


@pytest.mark.parametrize(
    ("bounds", "outcome", "message"),
    [
        ((1, 2), Outcome.PASSED, ""),
        ((3, 4), Outcome.FAILED, "started 2 child processes; 3 to 4 were asked for"),
        ((1,), Outcome.FAILED, "started 2 child processes; 1 was asked for"),
        ((0,), Outcome.FAILED, "started 2 child processes; none was asked for"),
    ],
)
def test_bounds_of_the_number_of_processes(
    student: Callable[..., Student], bounds: tuple[int, ...], outcome: Outcome, message: str
) -> None:
    """Exactly the first number of processes are asked for, or up to the second."""
    held = student(JOINED)
    (found,) = held.check(held.call("parallel_sum", [1, 2]), checks.started(*bounds))
    assert found.outcome is outcome
    assert message in found.message


def test_check_of_tasks_says_that_it_needs_them(student: Callable[..., Student]) -> None:
    """A check that follows tasks of ours says so of a call that was given none, and what can
    judge that.
    """
    held = student(JOINED)
    with pytest.raises(TypeError, match=r"checks\.workers follows tasks .* was given none; checks"):
        held.check(held.call("parallel_sum", [1, 2]), checks.workers(2))


STATE = """
    import random

    def quiet(seed):
        return random.Random(seed).random()

    def loud(seed):
        random.seed(seed)
        return lambda: seed
"""


@pytest.mark.parametrize(("function", "changed"), [("quiet", False), ("loud", True)])
def test_our_own_look_at_the_process(
    student: Callable[..., Student], function: str, changed: bool
) -> None:
    """A play looks at the student's process between calls by functions of ours."""
    look = steps.inspection("random_state")
    call = steps.call(function, 507, save="made", opaque=True)
    before, run, after = student(STATE).play(look, call, look)
    assert (before.value != after.value) is changed
    (finding,) = student(STATE).check(after, checks.leaves_global_state(before, run))
    assert (finding.outcome is Outcome.FAILED) is changed
    assert finding.message == ("loud changed the state of random in the calling process" * changed)
