"""Real programs with one mistake each: what their student is told, and advised, of the run at
hand.
"""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course import assignment
from pytest_mpgrade.judge.causes.raised import in_the_source
from pytest_mpgrade.records import Code, Ending, Finding, Outcome
from pytest_mpgrade.report import terminal
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.submission.syntax import module_syntax
from support import results
from support.program import program
from support.running import ROOT, MakeRuns, setting

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

SQUARES = tasks.square([4, -7, 30])
START = "[p.start() for p in ps]"
LOOP = "for func, args in iter(todo.get, 'STOP'): done.put(calculate(func, args))"
TEXT = """
    def calculate(func, args):
        {calculate}

    def worker(todo, done):
        {worker}

    def mp_apply(tasks, n_processes=2):
        tasks = list(tasks)
        todo, done = mp.Queue(), mp.Queue()
        ps = [{process} for _ in range(n_processes)]
        {start}
        [todo.put(task) for task in tasks]
        results = [done.get() for _ in tasks]
        [todo.put("STOP") for p in ps]
        [p.join() for p in ps]
        return {results}
"""


def text(
    *,
    calculate: str = "return func(*args)",
    worker: str = LOOP,
    process: str = "mp.Process(target=worker, args=(todo, done))",
    start: str = START,
    results: str = "results",
) -> str:
    """Return a submission that is right but for what is given."""
    filled = TEXT.format(
        calculate=calculate, worker=worker, process=process, start=start, results=results
    )
    return program(filled)


def told(play: MakeRuns, source: str, method: str = "fork") -> Finding:
    """Return what is said of the plainest call."""
    run = play(source, steps.call("mp_apply", SQUARES, n_processes=2), method=method, seconds=4.0)[
        1
    ]
    found = checks.values_in_any_order(SQUARES)(replace(run, code=read(source)))
    assert found.outcome is Outcome.FAILED
    return found


def read(source: str) -> Code:
    """Return what a grading reads of a submission before it runs it."""
    syntax = module_syntax(ast.parse(source.lstrip()))  # lines are counted as in its file
    return Code(defines=tuple(sorted(syntax.own)), uses=syntax.uses)


@pytest.mark.parametrize("place", ["calculate", "worker"])
def test_unwritten_function_is_all_that_is_said(play: MakeRuns, place: str) -> None:
    """Of a function that is still to be written nothing else is said, and nothing advised."""
    found = told(play, text(**{place: "raise NotImplementedError"}))
    assert (
        found.message
        == f"mp_apply() needs {place}(), which is not written yet: it raises NotImplementedError"
    )
    assert (found.hint, set(found.evidence)) == ("", {"source"})
    assert found.evidence["source"]["code"] == "raise NotImplementedError"


def test_misspelt_name_in_a_worker(play: MakeRuns) -> None:
    """The message says who died, of what and where, and the hint names what was meant."""
    found = told(play, text(worker=LOOP.replace("calculate", "calcualte")), "spawn")
    assert (
        "2 workers ended with exit status 1 (NameError: name 'calcualte' is not defined)"
        in found.message
    )
    assert "no worker is left: 3 of 3 tasks were never begun" in found.message
    assert "(pid " not in found.message
    assert found.evidence["lines"][0].endswith("done.put(calcualte(func, args))")
    assert found.hint == "there is no calcualte; did you mean 'calculate'?"


@pytest.mark.parametrize(
    ("mistake", "said", "hint"),
    [
        (
            {"start": "None"},
            "no child process was started",
            "start() every Process before you wait",
        ),
        (
            {"process": "mp.Process(target=worker(todo, done))"},
            "",
            "name it without, as in target=worker",
        ),
        ({"start": "[p.run() for p in ps]"}, "", "call start()"),
        (
            {"worker": "func, args = todo.get(); done.put(func(*args))"},
            "1 of 3 tasks was never begun",
            "end by a sentinel",
        ),
        (
            {"results": "{i: r for i, r in enumerate(results)}"},
            "returned a dict of 3, not a list",
            "list(….values())",
        ),
        ({"results": "(each for each in results)"}, "generator", "one of this generator"),
        (
            {"worker": "while True: pass"},
            "3 of 3 tasks were never begun",
            "look what ends the loop",
        ),
    ],
    ids=["never started", "called target", "run", "one task each", "dict", "generator", "endless"],
)
def test_hint_follows_from_the_run(
    play: MakeRuns, mistake: dict[str, str], said: str, hint: str
) -> None:
    """Each mistake has its own words and remedy; where none fits there is no hint."""
    found = told(play, text(**mistake))
    assert said in found.message
    assert hint in found.hint
    assert bool(hint) is bool(found.hint)


PIPES = """
    def worker(tasks, done):
        while True:
            try:
                func, args = tasks.recv()
            except EOFError:
                break
            done.put(func(*args))

    def mp_apply(tasks, n_processes=2):
        tasks, done, ps, ends = list(tasks), mp.Queue(), [], []
        for _ in range(n_processes):
            theirs, mine = mp.Pipe(duplex=False)
            ps.append(mp.Process(target=worker, args=(theirs, done)))
            ps[-1].start()
            theirs.close()
            ends.append(mine)
        for number, task in enumerate(tasks):
            ends[number % n_processes].send(task)
        [each.close() for each in ends]
        results = [done.get() for _ in tasks]
        [p.join() for p in ps]
        return results
"""


def test_pipe_that_a_forked_child_keeps_open(student: Callable[..., Student]) -> None:
    """What hangs under fork alone is told what only a fork does, not what spawn needs."""
    (run,) = student(program(PIPES), "fork").rely_on(steps.call("mp_apply", SQUARES, n_processes=2))
    assert (run.ending, run.returned_under) == (Ending.HUNG, "spawn")
    found = checks.works_under_start_method()(run)
    assert (
        "worker 1 waits for a message on a connection; the parent waits for worker 1 to end"
        in found.message
    )
    assert found.hint.startswith("a forked child keeps every pipe open")


LUCKY = """
    def mp_apply(tasks, n_processes=2):
        if mp.get_start_method() == "fork":
            return [len(tasks)]
        try:
            mp.Queue().get(timeout=0.01)
        except mp.Empty:
            pass
"""


def test_missing_name_is_no_start_method(student: Callable[..., Student]) -> None:
    """A line of the caller's own that names what there is not is at fault whether or not it is
    reached.
    """
    (run,) = student(program(LUCKY), "spawn").rely_on(
        steps.call("mp_apply", SQUARES, n_processes=2)
    )
    assert (run.ending, run.returned_under) == (Ending.RAISED, "")
    assert in_the_source(run)
    found = checks.values_in_any_order(SQUARES)(run)
    assert found.evidence["source"]["code"] == "except mp.Empty:"
    assert found.hint.startswith("from queue import Empty")


def test_functions_among_the_arguments_are_asked_for(module: Callable[[str], Path]) -> None:
    """A call that is given a function of the submission is not tried where that is missing, and it
    is named.
    """
    made = setting(module(text().replace("calculate", "calcualte")))
    asked: dict[str, tuple[str, ...]] = {"calculate": ("func", "args")}
    made = replace(made, assignment=replace(made.assignment, functions=asked))
    with contextlib.closing(RunCache(made)) as runs:
        (run,) = Student(runs, "fork").play(
            steps.call("mp_apply", tasks.through_own([6, -5]), n_processes=2)
        )
    assert (run.ending, run.because) == (Ending.NOT_TRIED, "has_functions")
    assert run.why == "there is no function calculate()"


@pytest.mark.parametrize(
    ("value", "printed", "hint"),
    [
        (["none"], "Child process inactive.", "look for a result once more"),
        (["none"], "Task still running.", "look into done_queue"),
        (["none"], "", "return what done_queue.get() gives"),
        (["int", "7"], "", ""),
    ],
)
def test_result_that_is_not_handed_over(
    play: MakeRuns, value: list[str], printed: str, hint: str
) -> None:
    """What to do about it depends on what was said in its place."""
    run = play(program("def bg_get(block):\n    return 5\n"), steps.call("bg_get", block=False))[1]
    found = checks.hands_over(343)(replace(run, encoded=value, printed=printed))
    assert found.outcome is Outcome.FAILED
    assert found.hint.startswith(hint)
    assert bool(hint) is bool(found.hint)


def test_example_of_the_readme_is_real_output(student: Callable[..., Student]) -> None:
    """What the README shows of a failure is what the wrong solution gets, but for the numbers of
    processes.
    """
    wrong = (
        wrong_solution(assignment.find_assignment("mp_apply"), "no_sentinel_join")
        .content()
        .decode()
    )
    (run,) = student(wrong, "fork").rely_on(steps.call("mp_apply", tasks.mixed(), n_processes=2))
    found = checks.workers_are_told_to_stop()(run)
    tests = [f"t.py::test_workers_end_by_sentinel[{method}]" for method in results.METHODS]
    shown = results.result(
        [
            each
            for test, method in zip(tests, results.METHODS, strict=True)
            for each in results.placed(test, replace(found, call=f"{run.call} under {method}"))
        ]
    )
    readme = numbered((ROOT / "README.md").read_text("utf-8"))
    assert numbered(terminal.explanations(shown)) in readme
    first, _, _ = terminal.fix_first(shown).partition("sentinel, ")
    assert numbered(first) in readme


def numbered(shown: str) -> str:
    """Return a text without process ids, and without line ends, which depend on how long these
    are.
    """
    return " ".join(re.sub(r"pid \d+", "pid N", shown).split())
