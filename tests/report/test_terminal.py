"""Text for people, compared in full at 80 columns."""

from __future__ import annotations

import dataclasses
import signal

import pytest

from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Concern, Criterion, Finding, Outcome, Report, Status, Submission
from pytest_mpgrade.report import evidence, terminal
from pytest_mpgrade.report.overview import overview
from pytest_mpgrade.report.result_json import ResultFile, as_result
from pytest_mpgrade.system.text import clean, encodable, exit_words, joined
from support import results
from support.results import placed

CRITERIA = (
    Criterion(name="results", points=6, title="Right results, each task once"),
    Criterion(name="parallel", points=3, title="The asked number of workers runs at the same time"),
    Criterion(name="shutdown", points=3, title="Workers end by sentinel and nothing is left"),
    Criterion(name="speed", points=2, title="Faster than serial"),
)

CALL = "mp_apply(12 tasks, n_processes=3)"

LEFT = Finding(
    check="no_leftovers",
    title="no zombie is left",
    concern=Concern.CLEANUP,
    outcome=Outcome.FAILED,
    message="12 of your processes were still there when mp_apply() returned",
    hint=(
        "join() every process you start(), after all results have been taken from the queue and the"
        " sentinels put"
    ),
    evidence={
        "source": {"file": "cv_funcs.py", "line": 41, "code": "p.start()"},
        "workers": [
            {
                "pid": 990 + number,
                "exitcode": -15 if number == 1 else 0,
                "state": "zombie" if number else "alive",
            }
            for number in range(12)
        ],
    },
    call=CALL,
)

EXPLANATION = """\
mp_apply(12 tasks, n_processes=3) under spawn: 1 of 3 checks failed, 1 absent
  no_leftovers: 12 of your processes were still there when mp_apply() returned
      cv_funcs.py:41   p.start()
      pid 990   exit code 0        alive
      pid 991   killed by SIGTERM  zombie
      pid 992   exit code 0        zombie
      pid 993   exit code 0        zombie
      pid 994   exit code 0        zombie
      pid 995   exit code 0        zombie
      pid 996   exit code 0        zombie
      pid 997   exit code 0        zombie
      … and 4 more
      hint: join() every process you start(), after all results have been taken
            from the queue and the sentinels put
  met (nothing to judge): no child process was started
  skipped: ended_by_sentinel"""

RUBRIC = """\
mp_apply: ada (cv-funcs (1).py)
  cv-funcs (1).py was taken: it defines calculate, worker and mp_apply

Fix this first
  1. join() every process you start(), after all results have been taken from
     the queue and the sentinels put
     12 of your processes were still there when mp_apply() returned
     cleanup, 2.33 points: test_shutdown under fork and spawn

  Criterion                              Tests                          Points
 ──────────────────────────────────────────────────────────────────────────────
  Right results, each task once          3 passed                        7 / 7
  The asked number of workers runs at    3 absent                      0 / 3.5
  the same time
  Workers end by sentinel and nothing    2 failed                   1.17 / 3.5
  is left
  Faster than serial                     1 error                             -

  Total                                  2 failed, 3 absent, 1       8.17 / 14
                                         error

  2 of the points could not be decided here, and were spread over the others:
      that costs nothing
  1 check in error: the grader or the machine broke; a person should look
      the supervisor was killed by SIGKILL
  1 check inconclusive: this machine could not decide; a person should look
      only 1 of 2 cores was free
  3 tests absent: nothing was there to be judged
      no child process was started"""

CLASS = """\
  Submission   Status           Points   Failed concerns
 ────────────────────────────────────────────────────────
  ada          graded        8.17 / 14   cleanup
  bob          ungradable   not graded
  zoe          graded          14 / 14

  3 submissions: 2 graded, 1 ungradable
  points of the graded: mean 11.09, median 11.09, from 8.17 to 14
  failed: cleanup 1"""


def finding(
    check: str, concern: Concern, outcome: Outcome, message: str = "", call: str = CALL
) -> Finding:
    """Return a finding with the parts that matter here."""
    return Finding(
        check=check,
        title=f"title of {check}",
        concern=concern,
        outcome=outcome,
        message=message,
        call=call,
    )


ABSENT = finding(
    "met", Concern.WORKERS, Outcome.ABSENT, "no child process was started", "mp_apply(3 tasks)"
)
REAPED = finding(
    "no_leftovers",
    Concern.CLEANUP,
    Outcome.SKIPPED,
    "under forkserver the server reaps: only a worker alive at return can be seen",
)


def graded() -> Report:
    """Return a report with every outcome in it, under three start methods."""
    found: list[Placed] = []

    def add(test: str, criterion: str, *findings: Finding) -> None:
        found.extend(placed(f"test_mp_apply.py::{test}", *findings, criterion=criterion))

    for method in ("fork", "spawn", "forkserver"):
        pid = {"fork": 100, "spawn": 200, "forkserver": 300}[method]
        left = (
            REAPED
            if method == "forkserver"
            else dataclasses.replace(LEFT, evidence={"workers": [{"pid": pid}]})
        )
        add(f"test_right[{method}]", "results", finding("equal", Concern.RESULTS, Outcome.PASSED))
        sentinel = finding("ended_by_sentinel", Concern.SENTINEL, Outcome.PASSED)
        add(f"test_shutdown[{method}]", "shutdown", sentinel, left)
        add(f"test_met[{method}-3]", "parallel", ABSENT)
    busy = finding(
        "faster", Concern.SPEEDUP, Outcome.INCONCLUSIVE, "only 1 of 2 cores was free", ""
    )
    broken = finding(
        "same", Concern.FAILURE, Outcome.ERROR, "the supervisor was killed by SIGKILL", ""
    )
    add("test_speed", "speed", busy, broken)
    return results.report(
        found,
        CRITERIA,
        assignment="mp_apply",
        submission=Submission(
            id="ada",
            path="ada",
            module="cv-funcs (1).py",
            note="cv-funcs (1).py was taken: it defines calculate, worker and mp_apply",
        ),
    )


def ungraded(id: str = "bob") -> ResultFile:
    """Return the result of a submission without its module."""
    why = "no module: cv_funcs.py is missing; found a.py and b.py\x1b[2J"
    return results.ungraded(
        CRITERIA, assignment="mp_apply", submission=Submission(id=id, path=id), reason=why
    )


def test_explanation_in_full() -> None:
    """A failing test says what was called, what was seen, where, and what helps; failed checks
    first.
    """
    skipped = finding("ended_by_sentinel", Concern.SENTINEL, Outcome.SKIPPED, "left undecided")
    assert terminal.explain_test(f"{CALL} under spawn", [skipped, ABSENT, LEFT]) == EXPLANATION


def test_headline_counts_what_there_is() -> None:
    """Where nothing failed, the headline says so, and what was skipped is counted."""
    skipped = finding("equal", Concern.RESULTS, Outcome.SKIPPED)
    assert terminal.explain_test("f()", [skipped]) == "f(): 1 of 1 check skipped\n  skipped: equal"
    assert (
        terminal.explain_test("f()", [finding("equal", Concern.RESULTS, Outcome.PASSED)])
        == "f(): 0 of 1 check failed"
    )


def test_rubric_in_full() -> None:
    """The rubric shows what to fix first, all points, and what a person should look at."""
    # The 2 points for speed are undecided, so the other 12 are worth 14; of shutdown one of three
    # units is earned.
    assert terminal.rubric(as_result(graded())) == RUBRIC


def test_class_in_full() -> None:
    """The class is sorted by name and summed up."""
    zoe = as_result(
        dataclasses.replace(graded(), submission=Submission(id="zoe", path="zoe"), entries=())
    )
    zoe = dataclasses.replace(zoe, score=14.0)
    assert (
        terminal.class_table([overview(each) for each in (zoe, ungraded(), as_result(graded()))])
        == CLASS
    )


def test_points_that_no_failed_check_explains() -> None:
    """A criterion that another one takes says so, and a single undecided point is one."""
    criteria = (
        Criterion(name="results", points=3, title="Right results"),
        Criterion(name="parallel", points=3, title="Workers share the work", requires=("results",)),
        Criterion(name="speed", points=1, title="Fast"),
    )
    found = [
        *results.outcomes(Outcome.FAILED, criterion="results", test="t.py::r{}"),
        *results.outcomes(Outcome.PASSED, criterion="parallel", test="t.py::p{}"),
        *results.outcomes(Outcome.INCONCLUSIVE, criterion="speed", test="t.py::s{}"),
    ]
    lines = [
        line.strip() for line in terminal.rubric(results.result(found, criteria), 120).splitlines()
    ]
    assert "not earned: less than half of the points of 'Right results': parallel" in lines
    shared = "1 of the points could not be decided here, and was spread over the others: that"
    assert any(line.startswith(shared) for line in lines)
    assert (
        " ".join(next(line for line in lines if line.startswith("Workers share the work ")).split())
        == "Workers share the work 1 passed 0 / 3.5"
    )


def test_start_methods_are_merged() -> None:
    """What is the same under several start methods is explained once, whatever the pids; only
    failures are.
    """
    text = terminal.explanations(as_result(graded()))
    heads = [line for line in text.splitlines() if not line.startswith(" ")]
    assert heads == ["mp_apply(12 tasks, n_processes=3) under fork and spawn"]
    assert text.count("pid 100") == 1
    assert "pid 200" not in text


def test_different_advice_is_not_merged() -> None:
    """Two calls that fail for different reasons are two explanations."""
    other = dataclasses.replace(LEFT, hint="close() every queue", call="mp_apply(7 tasks)")
    found = [
        *placed("t.py::test_a[fork]", LEFT, criterion="shutdown"),
        *placed("t.py::test_b[fork]", other, criterion="shutdown"),
    ]
    text = terminal.explanations(results.result(found, CRITERIA))
    heads = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert heads == [f"{CALL} under fork", "mp_apply(7 tasks) under fork"]


def test_ungradable_says_why() -> None:
    """A submission without a grade is listed with its reason; graded ones are not."""
    assert terminal.ungradable([overview(as_result(graded()))]) == ""
    assert (
        terminal.ungradable(
            [overview(each) for each in (ungraded(), as_result(graded()), ungraded("al"))]
        )
        == "al: ungradable: no module: cv_funcs.py is missing; found a.py and b.py\\x1b[2J\n"
        "bob: ungradable: no module: cv_funcs.py is missing; found a.py and b.py\\x1b[2J"
    )
    assert "  ungradable: no module: cv_funcs.py is missing" in terminal.rubric(ungraded())


@pytest.mark.parametrize("width", [20, 40, 57, 80, 120])
def test_no_line_is_too_long(width: int) -> None:
    """Everything fits the width it is given, down to 40 columns, with long words too."""
    long = dataclasses.replace(
        LEFT, message="x" * 200, evidence={"lines": ["y" * 200], "values": list(range(99))}
    )
    result = as_result(dataclasses.replace(graded(), submission=Submission(id="z" * 99, path="")))
    texts = [
        terminal.explain_test(CALL, [long], width),
        terminal.explanations(result, width),
        terminal.rubric(result, width),
        terminal.class_table([overview(result), overview(ungraded())], width),
        terminal.ungradable([overview(ungraded("z" * 99))], width),
    ]
    assert max(len(line) for text in texts for line in text.splitlines()) <= max(width, 40)


def test_colour_only_where_asked() -> None:
    """Control sequences come with colour alone, and change nothing else; markup in texts is only
    text.
    """
    marked = dataclasses.replace(LEFT, message="[red]no[/red] :smile: [link=x]")
    plain = terminal.explain_test(CALL, [marked], color=False)
    colored = terminal.explain_test(CALL, [marked], color=True)
    assert "\x1b[1;31m" in colored
    assert "\x1b" not in plain
    assert "[red]no[/red] :smile: [link=x]" in plain
    stripped = colored
    for code in ("0", "1", "2", "36", "1;31"):
        stripped = stripped.replace(f"\x1b[{code}m", "")
    assert stripped == plain


def test_hostile_text_moves_no_terminal() -> None:
    """Whatever a submission prints or is called, it cannot repaint the screen or fake a line."""
    bad = "\x1b[2Jall passed\r\n\x9b1mEND\udc80\u202e"
    hostile = Finding(
        check=bad,
        title=bad,
        concern=Concern.RESULTS,
        outcome=Outcome.FAILED,
        message=bad,
        hint=bad,
        evidence={
            "lines": [bad],
            "source": {"file": bad, "line": 1, "code": bad},
            bad: [{bad: bad}],
            "x": bad,
        },
        call=bad,
    )
    report = results.report(
        [
            *placed(f"t.py::t[{bad}]", hostile, criterion="results", title=bad),
            *placed(
                "t.py::u", dataclasses.replace(hostile, outcome=Outcome.ERROR), criterion="results"
            ),
        ],
        CRITERIA,
        submission=Submission(id=bad, path=bad, module=bad, note=bad),
    )
    result = dataclasses.replace(as_result(report), status=Status.ERROR, reason=bad)
    texts = [
        terminal.explain_test(bad, [hostile]),
        terminal.explanations(result),
        terminal.rubric(result),
        terminal.class_table([overview(result)]),
        terminal.ungradable([overview(result)]),
    ]
    for text in texts:
        text.encode()
        assert clean(text) == text
        assert not any(line.startswith("all passed") for line in text.splitlines())


def test_evidence_of_every_shape_is_shown() -> None:
    """Printed lines stay as they are; several kinds of evidence are told apart; lists and numbers
    are words.
    """
    evidence = {
        "lines": ["  indented\n\tmore"],
        "crew": [{"pid": 7, "tasks": 3}, {"pid": 11, "exitcode": None}],
        "most_inside": 2,
        "seconds": 0.12345,
        "keys": ["a", 1],
        "met": False,
        "none": [],
        "times": {"serial": 2.0, "yours": None},
    }
    text = terminal.explain_test(
        "f()", [dataclasses.replace(LEFT, evidence=evidence, hint="")], 120
    )
    assert text.splitlines()[2:] == [
        "        indented",
        "              more",
        "      crew:",
        "        pid 7   tasks 3",
        "        pid 11           not seen to end",
        "      most inside: 2",
        "      seconds: 0.123",
        "      keys: a, 1",
        "      … and 3 more",
    ]


def test_what_was_printed_comes_last_and_is_never_left_out() -> None:
    """A student's own lines stand below the evidence, as they were printed, control sequences
    aside.
    """
    evidence = {"printed": ["  got 7", "\x1b[31mred"], "lines": [f"line {n}" for n in range(99)]}
    text = terminal.explain_test("f()", [dataclasses.replace(LEFT, evidence=evidence, hint="")])
    assert text.splitlines()[-3:] == ["      printed:", "          got 7", "        \\x1b[31mred"]
    assert "… and 91 more" in text


def test_hang_is_told_once() -> None:
    """The headline's call is not repeated, stacks stay in the result file, and a traceback shows
    its last words.
    """
    hang = finding(
        "raises_soon",
        Concern.FAILURE,
        Outcome.FAILED,
        f"{CALL} never came back",
        f"{CALL} under fork",
    )
    evidence = {
        "lines": ["worker 1 (pid 7) waits for 'STOP', at cv_funcs.py:14: input.get()"],
        "stacks": [{"pid": 7, "frames": ["queues.py:103 get"]}],
        "found by": "proof",
        "stderr": [
            "Traceback (most recent call last):",
            '  File "cv_funcs.py", line 8, in f',
            "    g()",
            "ValueError: 7",
        ],
    }
    given = dataclasses.replace(hang, evidence=evidence)
    assert terminal.explain_test(given.call, [given]).splitlines() == [
        "mp_apply(12 tasks, n_processes=3) under fork: 1 of 1 check failed",
        "  raises_soon: mp_apply() never came back",
        "      worker 1 (pid 7) waits for 'STOP', at cv_funcs.py:14: input.get()",
        "      stderr:",
        '          File "cv_funcs.py", line 8, in f',
        "            g()",
        "        ValueError: 7",
    ]
    found = [
        each
        for method in ("fork", "spawn")
        for each in placed(
            f"t.py::test_raises[{method}]",
            dataclasses.replace(given, call=f"{CALL} under {method}"),
            criterion="results",
        )
    ]
    text = terminal.explanations(results.result(found, CRITERIA))
    assert text.splitlines()[0] == "mp_apply(12 tasks, n_processes=3) under fork and spawn"
    assert len(text.splitlines()) == 7


def test_only_the_explanation_has_all_of_a_long_message() -> None:
    """What to fix first names a failure in a line or two; its explanation has all of it."""
    given = dataclasses.replace(LEFT, message="so it is " * 99)
    shown = results.result(list(placed("t.py::t", given, criterion="results")), CRITERIA)
    (line,) = [row for row in terminal.fix_first(shown, 1000).splitlines() if "so it is" in row]
    assert line.endswith("so it is …")
    assert len(line) < 150
    assert terminal.explanations(shown, 1000).count("so it is") == 99


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (None, "not seen to end"),
        (-15, "killed by SIGTERM"),
        (-9, "killed by SIGKILL"),
        (-int(signal.SIGRTMIN) - 2, "killed by SIGRTMIN+2"),
        (-200, "killed by signal 200"),
    ],
)
def test_exit_statuses_have_names(code: int | None, words: str) -> None:
    """A process that was killed is told by its signal's name."""
    assert exit_words(code) == words


def test_other_encodings_get_look_alikes() -> None:
    """A stream that cannot hold a character gets ASCII for our own signs and an escape for others;
    UTF-8 is left.
    """
    text = "── … ümläut 你"
    assert encodable(text, "utf-8") == text
    assert encodable(text, "latin-1") == "-- ... ümläut \\u4f60"
    assert encodable(text, "ascii") == "-- ... \\xfcml\\xe4ut \\u4f60"
    assert encodable("plain", None) == "plain"
    encodable(terminal.rubric(as_result(graded())), "ascii").encode("ascii")


def test_lists_read_as_sentences() -> None:
    """One, two, three words."""
    assert [joined(["fork", "spawn", "forkserver"][:number]) for number in range(4)] == [
        "",
        "fork",
        "fork and spawn",
        "fork, spawn and forkserver",
    ]


def test_what_several_tests_say_alike_is_said_once() -> None:
    """A check that fails in several tests without any advice is one cause."""
    criteria = (Criterion(name="workers", points=4),)
    words = [
        "every task ran in the caller",
        "every task ran in the caller",
        "task 3 ran in the caller",
    ]
    found = [
        each
        for number, message in enumerate(words)
        for method in ("fork", "spawn")
        for each in placed(
            f"test_x.py::test_{number}[{method}]",
            finding("in_children", Concern.WORKERS, Outcome.FAILED, message),
            criterion="workers",
        )
    ]
    text = terminal.rubric(results.result(found, criteria))
    assert text.count("every task ran in the caller") == 1
    assert "workers, 4 points: test_0 and 2 other questions under fork and spawn" in text
    assert "6 failed" in text


def test_replay_is_never_left_out() -> None:
    """However long the turns of a schedule are, the command that plays it again is shown."""
    turns = [f"turn {i}" for i in range(30)]
    command = "mpgrade explore . --replay 'fork:worker@cv_funcs.py:12#1'"
    *_, left_out, replay = evidence.evidence_lines({"lines": turns, "replay": command})
    assert left_out == "… and 22 more"
    assert replay == f"replay: {command}"
