"""Questions to a person are told for what they are, by real calls."""

from __future__ import annotations

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.judge.check import judge_safely
from pytest_mpgrade.records import Outcome
from support.program import program
from support.running import MakeRuns

PLAIN = tasks.square([3, 5])
TEXT = """
def work(todo, done):
    for func, args in iter(todo.get, "STOP"):
        {worker}
        done.put(func(*args))


def mp_apply(tasks, n_processes=2):
    {parent}
    todo, done = mp.Queue(), mp.Queue()
    p = mp.Process(target=work, args=(todo, done))
    p.start()
    for task in [*tasks, "STOP"]:
        todo.put(task)
    results = [done.get() for _ in tasks]
    p.join()
    return results
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("asks", "named"),
    [
        ("input()", "input()"),
        ("breakpoint()", "a debugger"),
        ("import pdb; pdb.set_trace()", "a debugger"),
    ],
)
@pytest.mark.parametrize("where", ["parent", "worker"])
def test_who_asks_is_named(play: MakeRuns, asks: str, named: str, where: str, method: str) -> None:
    """A call that asks a person fails with what asks and where, in the parent and in a worker, and
    the hint says how to answer.
    """
    text = program(TEXT.format(**{"worker": "pass", "parent": "pass", where: asks}))
    (line,) = (number for number, row in enumerate(text.lstrip().splitlines(), 1) if asks in row)
    run = play(text, steps.call("mp_apply", PLAIN), method=method)[-1]
    found = judge_safely(checks.values_in_any_order(PLAIN), run)
    assert found.outcome is Outcome.FAILED
    verb = "calls" if named == "input()" else "stops in"
    place = f" at cv_funcs.py:{line}" if named == "input()" else ""
    assert f"your code {verb} {named}{place}, and a grading has no keyboard" in found.message
    assert "mpgrade debug" in found.hint
