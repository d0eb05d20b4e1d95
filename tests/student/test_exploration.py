"""Schedules of a call: what a delay at one point breaks is found, and nothing else is accused."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.judge import turns
from pytest_mpgrade.judge.turn_timeline import turn_timeline
from pytest_mpgrade.records import (
    Broken,
    Concern,
    Ending,
    Exploration,
    ExploreRules,
    Finding,
    Outcome,
    Schedule,
    Visit,
    point_in,
    schedule_in,
)
from pytest_mpgrade.student import Student, exploration, schedules
from pytest_mpgrade.student.exploration import REPLAYS, Explorer
from pytest_mpgrade.student.search import PER_SECOND, Played, Search
from support.running import ROOT
from support.runs import METHODS, RIGHT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")

RACY = {path.stem: path.read_text("utf-8") for path in (ROOT / "tests/racy/mp_apply").glob("*.py")}
FEW = tasks.square([3, 9, 4, 7, 11])
A_WORKER_GETS = "worker@cv_funcs.py:12#1"
Explore = Callable[..., Exploration]


@pytest.fixture
def explore(student: Callable[..., Student]) -> Explore:
    """Return a function that explores a submission's `mp_apply`, or replays a schedule of it."""

    def explored(text: str, method: str = "fork", **rules: Any) -> Exploration:
        held = student(text, method, explore=ExploreRules(**rules))
        return held.explore(
            steps.call("mp_apply", FEW, n_processes=2),
            checks.values_in_any_order(FEW),
            checks.ended_by_sentinel(),
            checks.no_leftovers(),
        )

    return explored


@METHODS
def test_right_solution_holds(explore: Explore, method: str) -> None:
    """A right solution is right while each of its processes is held, under each start method."""
    found = explore(RIGHT, method, seconds=1.5)
    judged = checks.holds_under_every_schedule()(found)
    assert judged.outcome is Outcome.PASSED, judged
    assert found.unsure == 0
    assert str(found.tried[1]) in str(judged.evidence["right under"])


@pytest.mark.parametrize(("times", "outcome"), [(1, Outcome.FAILED), (3, Outcome.SKIPPED)])
def test_call_that_breaks_by_luck_is_explored(
    explore: Explore, tmp_path: Path, times: int, outcome: Outcome
) -> None:
    """What breaks without a hold is left to other checks only where it does so each time."""
    unlucky = f"""
    for number in range({times}):
        try:
            open({str(tmp_path)!r} + f"/{{number}}", "x").close()
            return results[1:]
        except FileExistsError:
            pass
    return results[: count.value]
"""
    lost = "    return results[: count.value]\n"
    found = explore(RACY["counter_without_lock"].replace(lost, unlucky), seconds=3.0)
    judged = checks.holds_under_every_schedule()(found)
    assert judged.outcome is outcome, judged
    assert (found.plain is None) is (outcome is Outcome.FAILED)


def test_schedule_that_breaks_a_call_once_is_counted(explore: Explore, tmp_path: Path) -> None:
    """What no replay shows again accuses nobody, and is told."""
    once = f"""
    try:
        open({str(tmp_path / "broken")!r}, "x").close()
    except FileExistsError:
        return results
    return results[: count.value]
"""
    lost = "    return results[: count.value]\n"
    unless_right = f"    if count.value == len(tasks):\n        return results{once}"
    found = explore(RACY["counter_without_lock"].replace(lost, unless_right), seconds=1.5)
    judged = checks.holds_under_every_schedule()(found)
    assert judged.outcome is Outcome.PASSED, judged
    assert found.unsure == 1
    assert judged.evidence["broke, but not in each replay"] == "under 1 schedule"


def test_some_schedules_are_tried_however_short_the_time_is(explore: Explore) -> None:
    """A machine so busy that the run without holds takes all the time leaves the question open for
    nobody.
    """
    found = explore(RIGHT, seconds=0.02)
    assert sum(found.tried.values()) > 0
    assert checks.holds_under_every_schedule()(found).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("name", "token", "says"),
    [
        ("empty_before_get", f"fork:{A_WORKER_GETS}", " was held before line 12"),
        ("counter_without_lock", "fork:worker@cv_funcs.py:13~#1", "between reading and storing"),
        ("silence_is_the_end", "fork:caller/feeder@feeder writes#1", "feeder thread of the caller"),
        (
            "join_then_terminate",
            "fork:worker@process exits#1",
            " was held before it exits",
        ),
    ],
)
def test_schedule_is_replayed(explore: Explore, name: str, token: str, says: str) -> None:
    """A token plays exactly its schedule, which breaks the call each time, and says where."""
    found = explore(RACY[name], replay=token)
    assert found.broken is not None
    assert found.broken.schedule == schedule_in(token)
    judged = checks.holds_under_every_schedule()(found)
    assert (judged.outcome, judged.concern) == (Outcome.FAILED, Concern.RACE)
    assert says in judged.message
    assert "in 5 of 5 replays" in judged.message
    assert "held" in str(judged.evidence["lines"])
    assert token in str(judged.evidence["replay"])


def test_race_is_found(explore: Explore) -> None:
    """A worker that asks `empty()` first is found without a token, with its own line."""
    found = explore(RACY["empty_before_get"], seconds=20.0)
    assert found.broken is not None
    assert {hold.line for hold in found.broken.schedule.holds} <= {11, 12}


def test_right_solution_is_not_broken_by_a_race_s_schedule(explore: Explore) -> None:
    """The same delay changes nothing that a right solution does."""
    found = explore(RIGHT, replay="fork:worker@process exits#1")
    assert (found.broken, found.tried) == (None, {1: 5})


def test_fault_without_any_hold_is_no_race(explore: Explore) -> None:
    """What fails without a schedule belongs to the check that says so, and nothing is explored."""
    found = explore("def mp_apply(tasks, n_processes=2):\n    return []\n")
    judged = checks.holds_under_every_schedule()(found)
    assert (judged.outcome, judged.undecided_by) == (Outcome.SKIPPED, "values_in_any_order")
    assert not found.tried


@pytest.mark.parametrize("visit", [1, 2, 0])
def test_threads_are_held_while_a_call_is_made_again(
    student: Callable[..., Student], visit: int
) -> None:
    """A function that is asked again and again is held too, and then goes on: no right solution
    hangs on that.
    """
    text = (ROOT / "reference" / "bg_task" / "cv_funcs.py").read_text("utf-8")
    number = next(at for at, row in enumerate(text.splitlines(), 1) if "def bg_get(" in row) + 1
    body = text.splitlines()[number:]
    first = number + 1 + next(at for at, row in enumerate(body) if row.startswith("    if "))
    line = f"caller@cv_funcs.py:{first}#{visit}+" if visit else ""
    token = f"fork:{line}caller/feeder@feeder writes#1"
    held = student(text, explore=ExploreRules(replay=token))
    found = held.explore(
        steps.call("bg_task", (tasks.work.square, (7,)), save="job", opaque=True),
        steps.call(
            "bg_get",
            *steps.saved("job", 3),
            block=False,
            again=steps.Again(seconds=10.0, stop_text="Child process inactive."),
        ),
        checks.hands_over(49),
        checks.child_joined(result=49),
    )
    assert found.broken is None, found.broken
    assert found.tried == {2 if visit else 1: 5}


def test_promised_time_out_does_not_run_out(explore: Explore) -> None:
    """A grace period of five seconds and more is a promise: no schedule holds for so long."""
    patient = RACY["join_then_terminate"].replace("timeout=0.5", "timeout=5.0")
    began = time.monotonic()
    found = explore(patient, replay="fork:worker@process exits#1")
    assert found.broken is None
    assert time.monotonic() - began > 3.0  # the worker was held: nothing else could happen


def test_submission_that_stops_tracing_is_explored_less(explore: Explore) -> None:
    """A submission that takes the tracing off is no race, and no error of the grader's."""
    off = (
        "    sys.settrace(None)\n"
        "    if hasattr(sys, 'monitoring'):\n"
        "        sys.monitoring.register_callback(4, sys.monitoring.events.LINE, None)\n"
    )
    text = "import sys\n" + RACY["empty_before_get"].replace(
        "    while not input", f"{off}    while not input"
    )
    found = explore(text, replay="fork:worker@cv_funcs.py:16#1")
    assert found.broken is None
    assert found.tried == {1: 0}
    judged = checks.holds_under_every_schedule()(found)
    assert judged.outcome is Outcome.INCONCLUSIVE
    assert "no thread came to a point" in judged.message


@pytest.mark.parametrize("key", ["x", "99", ""])
def test_holds_that_a_submission_makes_up_only_delay_it(explore: Explore, key: str) -> None:
    """A message for a point that no schedule holds is no error of the grader's."""
    text = RACY["empty_before_get"].replace(
        "    while not input",
        "    from pytest_mpgrade.inside import gates\n"
        f"    gates.ask('hold', key={key!r})\n"
        "    while not input",
    )
    found = explore(text, seconds=1.0)
    assert found.ending is Ending.RETURNED


def test_lines_that_a_hold_opens_are_held_too(explore: Explore) -> None:
    """Lines after a time-out, which no plain run reaches, are held where a hold has led there."""
    found = explore(RACY["alive_after_time_out"], seconds=20.0)
    assert found.broken is not None
    (_, last) = found.broken.schedule.holds
    assert found.source[last.place] in ("except Empty:", "if not any(p.is_alive() for p in procs):")
    drawn = turn_timeline(found, found.broken)
    assert (drawn.unit, drawn.lanes[0].name) == ("turn", "the caller")
    held = [span for lane in drawn.lanes for span in lane.spans if span.kind == "gate"]
    assert len(held) == 2
    assert all(0 < span.start < span.end <= drawn.end for span in held)


@pytest.mark.parametrize(
    ("maker", "first"),
    [("board = mp.Manager().dict()", "f.py:9"), ("board = {}", "f.py:3")],
)
def test_items_that_processes_share_are_held_early(maker: str, first: str) -> None:
    """A line that changes an item comes before others where something shared is made."""
    source = {"f.py:1": maker, "f.py:3": "n = n + 1", "f.py:9": "board[0] = n"}
    texts = ("worker1@f.py:3#1", "worker1@f.py:9#1")
    visits = [Visit(point=point_in(text)) for text in texts]
    (hold,) = next(schedules.singles("fork", visits, source)).holds
    assert hold.place == first


def test_a_worker_after_the_first_one_is_held(explore: Explore) -> None:
    """The second worker that comes to a line is held where the first has already been."""
    found = explore(RACY["two_locks_on_a_rare_path"], seconds=20.0)
    assert found.broken is not None
    (hold,) = found.broken.schedule.holds
    assert found.source[hold.place] in ("with out_lock:", "counts[number] = 1")


def test_schedules_that_are_made_again_are_not_left_out() -> None:
    """The last play may break early, and those behind that round have still to be tried."""
    search = Search(left=iter(()), depth=1, source={}, known=set(), begun=PER_SECOND)
    assert not search.goes_on(time.monotonic(), 1.0)
    search.again.append(Schedule(start_method="fork"))
    assert search.goes_on(time.monotonic(), 1.0)
    assert len(search.next_play()) == 1
    assert not search.goes_on(time.monotonic(), 1.0)


def test_a_replay_in_which_nothing_was_held_is_made_again(
    explore: Explore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine a worker may get no task, so that its schedule cannot be played."""
    play, number = Explorer._play, itertools.count()

    def first_misses(explorer: Explorer, batch: Sequence[Schedule]) -> list[Played]:
        if next(number):
            return play(explorer, batch)
        (missed,) = play(explorer, [Schedule(start_method="fork")])
        runs = tuple(replace(run, visits=()) for run in missed.runs)
        return [replace(missed, schedule=batch[0], runs=runs)]

    monkeypatch.setattr(Explorer, "_play", first_misses)
    found = explore(RACY["empty_before_get"], replay=f"fork:{A_WORKER_GETS}")
    assert found.broken is not None
    assert (found.broken.replays, next(number)) == (REPLAYS, REPLAYS + 1)


def test_a_caller_that_polls_for_ever_is_found(
    explore: Explore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is not back at its time limit is broken, where one without holds is back soon."""
    monkeypatch.setattr(exploration, "LATE_SECONDS", 4.0)
    found = explore(RACY["manager_row_written_back"], replay="fork:worker@cv_funcs.py:32#1")
    assert found.broken is not None
    assert found.broken.finding.outcome is not Outcome.PASSED


def test_schedules_are_the_same_everywhere() -> None:
    """The same submission has the same schedules in the same order; another has other pairs."""
    texts = ("caller@cv_funcs.py:20#1", A_WORKER_GETS, "worker2@cv_funcs.py:13#2")
    visits = [Visit(point=point_in(text)) for text in texts]
    source = {"cv_funcs.py:12": "func, args = input.get()", "cv_funcs.py:20": "x = 1"}
    first = list(schedules.singles("fork", visits, source))
    assert first == list(schedules.singles("fork", visits, source))
    assert first[0].holds[0].line == 12
    one, same, other = (
        list(schedules.drawn("fork", visits, source, seed, 3)) for seed in ("a", "a", "b")
    )
    assert one == same != other
    assert {len(each.holds) for each in one} == {2, 3}
    assert all(len({*each.holds}) == len(each.holds) for each in one)
    pairs = schedules.drawn("fork", visits, source, "a", 2)
    assert {len(each.holds) for each in pairs} == {2}


@pytest.mark.parametrize(
    "token",
    [f"fork:{A_WORKER_GETS}+caller/feeder@feeder writes#2", "spawn:worker1@process exits#1"],
)
def test_token_is_the_schedule(token: str) -> None:
    """A token says all of its schedule."""
    assert schedule_in(token).token == token


@pytest.mark.parametrize("token", ["", "fork:", "fork:nobody", "thread:worker1@a.py:1#1"])
def test_other_text_is_no_token(token: str) -> None:
    """What is no token is told as such."""
    with pytest.raises(ValueError, match=r"no token of a schedule|no point of a schedule"):
        schedule_in(token)


def _broken(hold: str, *visits: str) -> Broken:
    finding = Finding(check="x", title="x", concern=Concern.RACE, outcome=Outcome.FAILED)
    return Broken(
        schedule=schedule_in(f"fork:{hold}"),
        finding=finding,
        replays=5,
        visits=tuple(
            Visit(point=point_in(text.removesuffix(" goes on")), goes_on=text.endswith(" goes on"))
            for text in visits
        ),
    )


def test_turns_stand_in_a_column_for_each_thread() -> None:
    """Whoever was held, and what the others did meanwhile, is read from the columns."""
    hold = "worker2@a.py:13#1"
    places = ("worker2@a.py:12#1", hold, "worker1@a.py:12#1", "worker1@a.py:13#1")
    assert turns.lines(_broken(hold, *places, f"{hold} goes on", "worker2@a.py:14#1")) == [
        "   worker 2                        worker 1",
        "1. lines 12-13, held",
        "2.                                 lines 12-13",
        "3. goes on, line 14",
    ]


def test_turns_of_many_threads_are_a_list() -> None:
    """Four threads have no room for columns; each turn names its thread."""
    hold = "worker1@a.py:2#1"
    loops = [f"worker2@a.py:{line}#{visit}" for visit in (1, 2, 3) for line in (7, 8)]
    others = (*loops, "worker3@a.py:3#1", "worker4@a.py:3#1")
    assert turns.lines(_broken(hold, hold, *others)) == [
        "1. worker 1: line 2, held",
        "2. worker 2: lines 7-8 (3 times)",
        "3. worker 3: line 3",
        "4. worker 4: line 3",
    ]


def test_turns_are_told_in_words() -> None:
    """Points are told as people say them."""
    run = Exploration.__new__(Exploration)
    object.__setattr__(run, "source", {"a.py:3": "q.get()"})
    assert turns.who(point_in("caller/feeder@feeder writes#1")).endswith("thread of the caller")
    assert turns.where(run, point_in("worker2@a.py:3#2")) == (
        "before line 3, `q.get()` for the second time"
    )
