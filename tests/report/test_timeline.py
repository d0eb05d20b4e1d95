"""Timelines as drawings, as lists of events, in the terminal, and as Chrome traces."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.judge.run_timeline import MOST_PASSED
from pytest_mpgrade.records import RESULT_FILE, Criterion, LaneArrow, Timeline
from pytest_mpgrade.report import redaction, result_json
from pytest_mpgrade.report.terminal.timelines import timelines_text
from pytest_mpgrade.report.timeline import (
    chrome_trace,
    event_lines,
    timeline_figure,
    timeline_groups,
    timeline_svg,
)
from pytest_mpgrade.report.timeline.scale import common_scale
from support.timelines import HANGS, HOSTILE, LEAVES, hostile, result_with

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = pytest.mark.parametrize("width", [344, 960])

APPROVED = """\
Timelines: what each process did, and when
f(8 tasks) never came back
  fork: never came back
    0.6 s: given up: nothing could happen any more
    the parent    ================............................
                  waits for worker 1 to end
                  f.py:9 p.join()
                  another thread waits for something to arrive in a queue
                  f.py:14 done.get()
    worker 1       =======+=======............................
                  waits for a task or 'STOP' that never comes
                  |0 s            |0.2 s               |0.5 s         |1 s
  spawn: came back
    0.5 s: the call returns: 1 worker never joined, 1 still alive
    the parent    ======================================
    worker 1         ///////////////////+#####==xzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz
                  exit code 0, never joined: zombie
    worker 2           ////////////////////////////////!!!!!!!!!!!!!!!!!!!!!!!!!
                  still alive after the return
                  |0 s            |0.2 s               |0.5 s         |1 s

  /  starts its interpreter, and imports
  =  runs code, tasks among it
  #  held by the grader, in a task or at its exit
  .  sleeps: waits for others
  z  zombie: ended, never joined
  !  still there after the return
  +  begins a task
  x  ends"""
"""What the terminal shows of both timelines; a person has read it."""


def elements(svg: str) -> list[ElementTree.Element]:
    """Return all elements of a drawing, which has to be XML."""
    return list(ElementTree.fromstring(svg).iter())


@WIDTHS
def test_the_drawing_says_who_waits_and_what_is_left(width: int) -> None:
    """Names, the student's own line, zombies and what hangs stand in the drawing as text."""
    svg = timeline_svg([HANGS, LEAVES], width=width, said="f(8 tasks) never came back")
    words = " ".join("".join(each.itertext()) for each in elements(svg) if each.tag == f"{SVG}text")
    for text in (
        "f(8 tasks) never came back",
        "the parent",
        "worker 2",
        "f.py:9 p.join()",
        "f.py:14 done.get()",
    ):
        assert text in words
    assert "fork: never came back" in words
    assert "spawn: came back" in words
    assert "never joined: zombie" in re.sub(r"\s+", " ", words)
    assert len(svg) < 60_000


@WIDTHS
def test_nothing_stands_outside_of_the_drawing(width: int) -> None:
    """Every shape is within the width, so that a phone need not scroll sideways."""
    for each in elements(timeline_svg([HANGS, LEAVES], width=width)):
        if each.tag == f"{SVG}rect" and "pattern" not in each.tag:
            assert 0 <= float(each.get("x", 0)) <= width
            assert float(each.get("x", 0)) + float(each.get("width", 0)) <= width


def test_each_kind_of_a_span_has_a_pattern_or_a_frame_of_its_own() -> None:
    """What a span means can be told without colours: no two kinds are filled alike."""
    shapes = elements(timeline_svg([HANGS, LEAVES]))
    fills = {(each.get("class"), each.get("fill")) for each in shapes if each.tag == f"{SVG}rect"}
    spans = {kind: fill for kind, fill in fills if kind not in ("after",)}
    assert {"own", "waiting", "gate", "zombie", "alive", "starting"} <= spans.keys()
    assert len({*spans.values()}) == len(spans)


def test_a_screen_reader_gets_a_title_and_a_description() -> None:
    """The drawing is an image with a name, and its description has the sentences of the hang."""
    root = ElementTree.fromstring(timeline_svg([HANGS], ident="one"))
    named = {each.get("id"): each.text for each in root if each.get("id")}
    assert root.get("role") == "img"
    assert named["one-title"] == "Timeline of f(8 tasks) under fork"
    assert "waits for worker 1 (pid 71) to end" in str(named["one-desc"])
    assert root.get("aria-labelledby") == "one-title one-desc"


@pytest.mark.parametrize("ident", ["timeline", 'x" onload="alert(1)'])
def test_what_students_write_stays_text(ident: str) -> None:
    """Markup, control characters and what XML does not allow change nothing of the drawing."""
    figure = timeline_figure([hostile()], ident=ident, said=HOSTILE)
    assert "<script" not in figure
    assert "\x1b" not in figure
    assert "\u202e" not in figure
    plain = timeline_svg([HANGS], ident="timeline", said="x")
    evil = timeline_svg([hostile()], ident=ident, said="x")
    kinds = [sorted({each.tag for each in elements(svg)}) for svg in (plain, evil)]
    assert kinds[0] == kinds[1]
    assert all(
        set(each.attrib) <= {*"xyd", "x1", "x2", "y1", "y2"} or not each.get("onload")
        for each in elements(evil)
    )


def test_moments_keep_their_order_on_one_scale() -> None:
    """A later moment is never drawn before an earlier one, and both timelines share the scale."""
    scale = common_scale([HANGS, LEAVES])
    places = [scale.place(at) for at in (0.0, 0.01, 0.2, 0.6, 1.0, 1.4)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0.0, 1.0)
    assert len(set(places)) == len(places)


def test_the_list_of_events_has_all_that_is_drawn() -> None:
    """Each moment, start, task, wait and end is a line, in the order of time."""
    assert event_lines(HANGS) == [
        "fork: never came back",
        "0 s: the call begins",
        "10 ms: the parent starts worker 1",
        "50 ms: worker 1 begins task 0",
        "0.2 s: the parent sleeps: waits for worker 1 to end",
        "0.2 s: worker 1 sleeps: waits for a task",
        "0.6 s: given up: nothing could happen any more",
        "at the end: the parent waits for worker 1 to end, at f.py:9 p.join()",
        "at the end: the parent: another thread waits for something to arrive in a queue, at"
        " f.py:14 done.get()",
        "at the end: worker 1 waits for a task or 'STOP' that never comes",
    ]
    lines = event_lines(LEAVES)
    assert "0.4 s: worker 1 ends: exit code 0" in lines
    assert "0.4 s: worker 1 has ended, and is never joined" in lines
    assert "0.5 s: worker 2 is still there after the return" in lines


def test_the_chrome_trace_has_the_fields_of_its_format() -> None:
    """Each event has a phase, a process and a thread; times are microseconds from the call on."""
    trace = json.loads(chrome_trace([HANGS, LEAVES, hostile()]))
    for event in trace["traceEvents"]:
        assert event["ph"] in ("X", "i", "M", "s", "f")
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert event["ts"] >= 0
        assert event["ph"] != "X" or event["dur"] >= 0
        assert event["ph"] != "i" or event["s"] in ("g", "p", "t")
        assert event["ph"] != "M" or {*event["args"]} <= {"name", "sort_index"}
        assert event["ph"] not in "sf" or isinstance(event["id"], str)
    kinds = {event["name"] for event in trace["traceEvents"] if event["ph"] == "M"}
    assert {"process_name", "thread_name"} <= kinds
    (joins,) = [
        each for each in trace["traceEvents"] if each.get("args") == {"at": "f.py:9 p.join()"}
    ]
    assert (joins["ts"], joins["dur"], joins["tid"]) == (200_000, 400_000, 70)


PASSED = LaneArrow(kind="passed", source=70, at=0.04, target=71, until=0.05)
PASSES = dataclasses.replace(HANGS, arrows=(*HANGS.arrows, PASSED))
"""The parent has put an item that worker 1 has got."""


def test_an_item_is_an_arrow_from_put_to_get() -> None:
    """It goes from the place of its put to that of its get, and is told in the list and the
    trace.
    """
    drawn = elements(timeline_svg([PASSES]))
    (line,) = [each for each in drawn if each.get("class") == "passed" and each.get("y2")]
    assert float(line.get("x1", 0)) < float(line.get("x2", 0))
    assert float(line.get("y1", 0)) < float(line.get("y2", 0))
    assert "from put to get" in "".join("".join(each.itertext()) for each in drawn)
    assert "50 ms: worker 1 gets an item that the parent has put at 40 ms" in event_lines(PASSES)
    events = json.loads(chrome_trace([PASSES]))["traceEvents"]
    ends = [
        (each["ph"], each["ts"], each["tid"])
        for each in events
        if each["ph"] in "sf" and each["name"] == "passed"
    ]
    assert ends == [("s", 40_000, 70), ("f", 50_000, 71)]


def test_the_terminal_shows_them_without_colour() -> None:
    """Each process is a line of signs, with what it waits for; nothing is wider than 80 columns."""
    text = timelines_text(result_with())
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert text == APPROVED


def test_timelines_survive_the_result_file(tmp_path: Path) -> None:
    """What is written is read back; a file of an earlier version has none, and is read too."""
    result = result_with()
    result_json.write_result(result, tmp_path / RESULT_FILE)
    again = result_json.read_result(tmp_path / RESULT_FILE)
    assert again.timelines == {"a/0": HANGS, "b/0": LEAVES}
    assert [check.run for check in again.checks] == ["a/0", "b/0"]
    old = json.loads((tmp_path / RESULT_FILE).read_text())
    del old["timelines"]
    for check in old["checks"]:
        del check["run"]
    (tmp_path / RESULT_FILE).write_text(json.dumps(old))
    read = result_json.read_result(tmp_path / RESULT_FILE)
    assert read.timelines == {}
    assert timelines_text(read) == ""


def test_one_drawing_shows_all_start_methods() -> None:
    """The timelines of one question belong together, and are drawn once."""
    (group,) = timeline_groups(result_with())
    assert group.timelines == (HANGS, LEAVES)
    assert [check.start_method for check in group.checks] == ["fork", "spawn"]


def test_students_get_no_timeline_of_a_hidden_check() -> None:
    """The students' view has neither a hidden check's timeline nor the key of its run."""
    criteria = (Criterion(name="all", points=1.0, hidden=True),)
    shown, _ = redaction.redacted(result_with(), criteria)
    assert shown.timelines == {}
    assert all(not check.run for check in shown.checks)
    assert "a/0" not in result_json.dumps(shown).decode()


def test_show_draws_and_writes_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mpgrade show --timeline --trace FILE` does both, of one question where that is named."""
    monkeypatch.setenv("COLUMNS", "80")
    result_json.write_result(result_with(), tmp_path / RESULT_FILE)
    trace = tmp_path / "trace.json"
    command = ["show", str(tmp_path), "--question", "test_returns", "--timeline"]
    assert cli.main([*command, "--trace", str(trace)]) == 0
    assert "the parent    ====" in capsys.readouterr().out
    assert json.loads(trace.read_text())["traceEvents"]
    result_json.write_result(
        dataclasses.replace(result_with(), timelines={}), tmp_path / RESULT_FILE
    )
    assert cli.main(["show", str(tmp_path), "--trace", str(trace)]) == 2
    assert "no timeline" in capsys.readouterr().err


def test_many_processes_and_events_stay_small() -> None:
    """The largest timeline that a result keeps is drawn in less than 60 kB."""
    lane = LEAVES.lanes[1]
    spans = tuple(
        dataclasses.replace(span, start=number / 40, end=(number + 1) / 40)
        for number in range(40)
        for span in lane.spans[number % 4 : number % 4 + 1]
    )
    marks = tuple(dataclasses.replace(lane.marks[0], at=number / 40) for number in range(40))
    lanes = tuple(
        dataclasses.replace(lane, pid=pid, name=f"worker {pid}", spans=spans, marks=marks)
        for pid in range(1, 10)
    )
    full: Timeline = dataclasses.replace(
        LEAVES,
        lanes=(LEAVES.lanes[0], *lanes),
        arrows=tuple(
            LaneArrow(kind="passed", source=0, at=each / 40, target=each % 9 + 1, until=0.9)
            for each in range(MOST_PASSED)
        ),
    )
    assert len(timeline_svg([full])) < 120_000
