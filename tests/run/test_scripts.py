"""A module run as a script: real processes, which import it as Python's own would."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Ending, Outcome
from pytest_mpgrade.student import Student
from support.running import MakeRuns
from support.runs import METHODS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")

SCRIPT = """
    import multiprocessing as mp
    import sys

    def child():
        print("child in", __name__)

    def main():
        CHOOSE
        p = mp.Process(target=child)
        p.start()
        p.join()
        print(__name__, sys.argv[0].rpartition("/")[2], p.exitcode)
        END

    if __name__ GATE:
        main()
"""


def script(gate: str = "== '__main__'", choose: str = "", end: str = "") -> str:
    """Return a module that starts a child behind this gate."""
    return SCRIPT.replace("GATE", gate).replace("CHOOSE", choose).replace("END", end)


@METHODS
def test_script_is_main_and_its_child_imports_it(play: MakeRuns, method: str) -> None:
    """The module is `__main__`, and `__mp_main__` in a child that spawn or forkserver starts."""
    run = play(script(), steps.script(), method=method)[-1]
    inside = "__main__" if method == "fork" else "__mp_main__"
    assert (run.ending, run.value) == (Ending.RETURNED, None)
    assert sorted(run.printed.splitlines()) == [
        "__main__ cv_funcs.py 0",
        f"child in {inside}",
    ]


@pytest.mark.parametrize(
    ("end", "ending", "value"),
    [
        ("sys.exit()", Ending.RETURNED, None),
        ("sys.exit(4)", Ending.RETURNED, 4),
        ("raise KeyError('x')", Ending.RAISED, None),
    ],
)
def test_end_of_a_script(play: MakeRuns, end: str, ending: Ending, value: object) -> None:
    """A script may end by sys.exit, and one that raises does not return."""
    run = play(script(end=end), steps.script())[-1]
    assert run.ending is ending
    assert ending is not Ending.RETURNED or run.value == value


def test_script_may_choose_a_start_method(play: MakeRuns) -> None:
    """What a script says of start methods changes none, and is not told as a fault."""
    run = play(script(choose="mp.set_start_method('spawn')"), steps.script(), method="fork")[-1]
    assert run.ending is Ending.RETURNED
    assert run.facts.set_start_method == ()
    assert [each.born for each in run.trace.processes] == ["fork"]


NEVER = "!= 'cv_funcs'"
SEEN = {
    "a main gate": (script(), Outcome.PASSED, ""),
    "no child": (script(gate="== 'nobody'"), Outcome.FAILED, "started no child process"),
    "a gate that is open in children": (
        script(gate=NEVER),
        Outcome.FAILED,
        "tried to start a process as well: RuntimeError. The main gate is missing",
    ),
    "an exception": (
        script(end="raise KeyError('x')"),
        Outcome.FAILED,
        "the module run as a script raised KeyError: 'x'",
    ),
    "a target below the gate": (
        """
        import multiprocessing as mp

        if __name__ == "__main__":
            def child():
                print("child")

            p = mp.Process(target=child)
            p.start()
            p.join()
        """,
        Outcome.FAILED,
        "which did not find child()",
    ),
    "children of children": (
        """
        import multiprocessing as mp

        def child(depth):
            if depth:
                p = mp.Process(target=child, args=(depth - 1,))
                p.start()
                p.join()

        if __name__ == "__main__":
            child(3)
        """,
        Outcome.FAILED,
        "child processes started 2 processes themselves",
    ),
}


@pytest.mark.parametrize("kind", SEEN)
def test_verdict_on_a_script(student: Callable[..., Student], kind: str) -> None:
    """What becomes of a script under spawn is recognised by what happens, and named."""
    text, outcome, message = SEEN[kind]
    held = student(text, "spawn")
    (found,) = held.check(held.play(steps.script())[0], checks.starts_child_as_script())
    assert (found.outcome, message in found.message) == (outcome, True), found


def test_endless_children_are_contained(student: Callable[..., Student]) -> None:
    """A pool behind a gate that is open in its workers starts them anew for ever; the time limit
    ends that, and the gate is named.
    """
    text = """
        import multiprocessing as mp

        def work(x):
            return x

        if __name__.endswith("main__"):
            with mp.Pool(1) as pool:
                print(pool.map(work, [1, 2]))
        """
    held = student(text, "spawn")
    run = held.play(steps.script(seconds=4.0))[0]
    (found,) = held.check(run, checks.starts_child_as_script())
    assert run.ending is Ending.TIMED_OUT
    assert "The main gate is missing, or is open in child processes" in found.message


KEEPS = """
    import multiprocessing as mp

    def run_two(close):
        both = [mp.Process(target=int) for _ in range(2)]
        for p in both:
            p.start()
        for p in both:
            p.join()
            if close:
                p.close()
"""


@METHODS
def test_process_that_was_not_closed_shows(play: MakeRuns, method: str) -> None:
    """A kept Process has its pipes until it is closed, and one that nobody keeps lets them go."""
    calls = [
        steps.call("run_two", close, keeps_processes=kept)
        for close, kept in ((False, True), (False, False), (True, True))
    ]
    left = [len(run.trace.leftovers) for run in play(KEEPS, *calls, method=method)[1:]]
    assert left == [4, 0, 0]


SERVER = """
    def serve(conn):
        while (x := conn.recv()) is not None:
            conn.send(-x)
        END
"""


@pytest.mark.parametrize("closes", [True, False])
def test_connection_is_heard_to_its_end(play: MakeRuns, closes: bool) -> None:
    """A call that is given one end of a pipe is heard at the other, which knows whether it was
    closed.
    """
    text = SERVER.replace("END", "conn.close()" if closes else "")
    run = play(text, steps.call("serve", steps.PipeEnd([3, 0, None, 7])))[-1]
    (heard,) = run.facts.queues
    assert heard == ["list", [["list", [["int", "-3"], ["int", "0"]]], ["bool", closes]]]


@METHODS
def test_function_serves_a_connection_in_a_child(play: MakeRuns, method: str) -> None:
    """A function of ours that is called in place of the submission's has that one serve in a
    child.
    """
    step = steps.call("serve", [3, 0, 7], via=tasks.work.converse)
    run = play(SERVER.replace("END", ""), step, method=method)[-1]
    assert run.value == [-3, 0, -7]
    children = [each.exitcode for each in run.trace.processes if not each.helper]
    assert children == [0]
